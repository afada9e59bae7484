// LangChain, unmodified.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {HumanMessage, SystemMessage} from '@langchain/core/messages';
import {ChatPromptTemplate} from '@langchain/core/prompts';
import {ChatOpenAI, OpenAIEmbeddings} from '@langchain/openai';
import * as target from './target.mjs';

const {needs} = target;
const chatOf = (more = {}) => new ChatOpenAI({
  model: target.model, apiKey: target.key, maxRetries: 0, maxTokens: 12,
  configuration: {baseURL: target.url}, ...more});
const chat = chatOf();
const question = [new SystemMessage(target.question[0].content), new HumanMessage(target.question[1].content)];

test('invokes', async () => {
  const answer = await chat.invoke(question);
  assert.ok(answer.content.length > 0);
  assert.ok(answer.usage_metadata.input_tokens > 0);
  assert.ok(answer.usage_metadata.output_tokens <= 12);
});

test('streams, and counts', async () => {
  let whole;
  for await (const chunk of await chat.stream(question)) whole = whole ? whole.concat(chunk) : chunk;
  assert.ok(whole.content.length > 0);
  assert.ok(whole.usage_metadata.output_tokens > 0 && whole.usage_metadata.output_tokens <= 12);
});

test('answers a batch', async () => {
  const answers = await chat.batch(['one', 'two', 'three'].map((word) => [new HumanMessage(word)]));
  assert.equal(answers.filter((answer) => answer.content.length > 0).length, 3);
});

test('stands in a chain', async () => {
  const chain = ChatPromptTemplate.fromMessages([['human', 'How high is {what}?']]).pipe(chat);
  assert.ok((await chain.invoke({what: 'the river'})).content.length > 0);
});

test('calls a tool', needs('tools'), async () => {
  const look = {type: 'function', function: {name: 'look', description: 'Look at the gauge',
    parameters: {type: 'object', properties: {text: {type: 'string'}}}}};
  const answer = await chatOf({maxTokens: 500}).bindTools([look], {tool_choice: 'look'}).invoke(question);
  assert.equal(answer.tool_calls[0].name, 'look');
});

test('embeds', needs('embeddings'), async () => {
  const embedder = new OpenAIEmbeddings({
    model: target.embeddingModel, apiKey: target.key, maxRetries: 0, configuration: {baseURL: target.embeddingUrl}});
  const [a, b] = await embedder.embedDocuments(['river', 'lock']);
  assert.equal(a.length, b.length);
  assert.deepEqual(await embedder.embedQuery('river'), a);
});

test('an unknown model is an error with its status', async () => {
  await assert.rejects(chatOf({model: 'no-such-model'}).invoke(question), (error) => {
    assert.equal(error.status, 404);
    return true;
  });
});
