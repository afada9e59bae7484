// The official client, unmodified.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import OpenAI from 'openai';
import * as target from './target.mjs';

const {model, question, needs} = target;
const clientOf = (more = {}) => new OpenAI({baseURL: target.url, apiKey: target.key, maxRetries: 0, ...more});
const client = clientOf();
const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('');

test('a chat', async () => {
  const answer = await client.chat.completions.create({model, messages: question, max_tokens: 12});
  const {message, finish_reason} = answer.choices[0];
  assert.equal(answer.object, 'chat.completion');
  assert.equal(message.role, 'assistant');
  assert.ok(['stop', 'length'].includes(finish_reason), finish_reason);
  assert.ok(answer.usage.prompt_tokens > 0);
  assert.ok(answer.usage.completion_tokens <= 12);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('as many tokens as were asked for', needs('words'), async () => {
  const answer = await client.chat.completions.create({model, messages: question, max_tokens: 17, ignore_eos: true});
  assert.equal(answer.usage.completion_tokens, 17);
  assert.equal(target.words(answer.choices[0].message.content), 17);
  assert.equal(answer.choices[0].finish_reason, 'length');
});

test('answers name where they came from', {skip: target.headers.length ? false : 'no CLIENTS_HEADERS'}, async () => {
  const {response} = await client.chat.completions.create({model, messages: question, max_tokens: 4}).withResponse();
  for (const header of target.headers) assert.ok(response.headers.get(header), header);
  const stream = await client.chat.completions
    .create({model, messages: question, max_tokens: 4, stream: true})
    .withResponse();
  await collect(stream.data);
  for (const header of target.headers) {
    if (header !== 'x-spillway-cost-usd') assert.ok(stream.response.headers.get(header), `${header} of a stream`);
  }
});

test('a stream without usage', async () => {
  const chunks = await collect(
    await client.chat.completions.create({model, messages: question, max_tokens: 9, ignore_eos: true, stream: true}));
  assert.ok(textOf(chunks).length > 0);
  assert.equal(chunks.filter((chunk) => chunk.usage).length, 0);
  assert.equal(chunks.filter((chunk) => chunk.choices.length === 0).length, 0);
  assert.equal(chunks.filter((chunk) => chunk.choices[0].finish_reason).length, 1);
});

test('a stream with usage', async () => {
  const chunks = await collect(await client.chat.completions.create({
    model, messages: question, max_tokens: 9, ignore_eos: true, stream: true, stream_options: {include_usage: true}}));
  const last = chunks.at(-1);
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, 9);
  assert.equal(chunks.filter((chunk) => chunk.usage).length, 1);
});

test('a stream says what the whole answer says', needs('words'), async () => {
  const asked = {model, messages: question, max_tokens: 40, seed: 3};
  const whole = await client.chat.completions.create(asked);
  const chunks = await collect(await client.chat.completions.create({...asked, stream: true}));
  assert.equal(textOf(chunks), whole.choices[0].message.content);
});

test("the client's own stream runner", async () => {
  const runner = client.chat.completions.stream({model, messages: question, max_tokens: 8, ignore_eos: true});
  let pieces = 0;
  runner.on('content', () => ++pieces);
  const final = await runner.finalChatCompletion();
  assert.ok(pieces > 0);
  assert.equal(final.choices[0].finish_reason, 'length');
});

test('several answers, with log probabilities', needs('n', 'logprobs'), async () => {
  const answer = await client.chat.completions.create({
    model, messages: question, n: 3, max_tokens: 5, ignore_eos: true, logprobs: true, top_logprobs: 1});
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1, 2]);
  assert.equal(answer.usage.completion_tokens, 15);
  for (const choice of answer.choices) {
    assert.equal(choice.logprobs.content.map((entry) => entry.token).join(''), choice.message.content);
    assert.ok(choice.logprobs.content.every((entry) => entry.logprob <= 0 && entry.top_logprobs.length === 1));
  }
});

const look = {type: 'function', function: {name: 'look', description: 'Look at the gauge',
  parameters: {type: 'object', properties: {text: {type: 'string'}}}}};

test('a tool is called', needs('tools'), async () => {
  const answer = await client.chat.completions.create({
    model, messages: question, tools: [look], tool_choice: 'required', max_tokens: 20});
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'look');
  assert.ok(call.id);
  const next = await client.chat.completions.create({model, max_tokens: 5, tools: [look], messages: [
    ...question, answer.choices[0].message, {role: 'tool', tool_call_id: call.id, content: '3.20 m'}]});
  assert.ok(next.usage.prompt_tokens > answer.usage.prompt_tokens);
});

test('a tool is called in a stream', needs('tools'), async () => {
  const runner = client.chat.completions.stream({model, messages: question, tools: [look],
    tool_choice: {type: 'function', function: {name: 'look'}}});
  const final = await runner.finalChatCompletion();
  const [call] = final.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'look');
  assert.ok(call.function.arguments.startsWith('{'));
});

test('unknown fields do no harm', async () => {
  const answer = await client.chat.completions.create({
    model, messages: question, max_tokens: 3, temperature: 0.1, top_p: 0.9, stop: ['\u0000'], user: 'u',
    metadata: {a: 'b'}, no_such_field: {deep: [1, 2, {x: null}]}});
  assert.equal(answer.choices.length, 1);
});

test('completions', async () => {
  const answer = await client.completions.create({model, prompt: 'The gates of the weir', max_tokens: 6});
  assert.equal(answer.object, 'text_completion');
  assert.ok(answer.usage.completion_tokens <= 6);
  const chunks = await collect(
    await client.completions.create({model, prompt: 'The gates', max_tokens: 6, stream: true}));
  assert.equal(chunks.filter((chunk) => chunk.choices[0].finish_reason).length, 1);
});

test('models', async () => {
  const ids = [];
  for await (const entry of client.models.list()) ids.push(entry.id);
  assert.ok(ids.includes(model), ids.join(', '));
});

test('one model', needs('retrieve'), async () => {
  assert.equal((await client.models.retrieve(model)).id, model);
  await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError);
});

test('embeddings, packed and as numbers', needs('embeddings'), async () => {
  const embedder = clientOf({baseURL: target.embeddingUrl});
  const input = ['river', 'lock', 'river'];
  const packed = await embedder.embeddings.create({model: target.embeddingModel, input});
  const plain = await embedder.embeddings.create({model: target.embeddingModel, input, encoding_format: 'float'});
  const vectors = packed.data.map((entry) => Array.from(entry.embedding));
  assert.equal(vectors.length, 3);
  assert.deepEqual(vectors[0], vectors[2]);
  assert.notDeepEqual(vectors[0], vectors[1]);
  for (let i = 0; i < vectors[0].length; ++i)
    assert.ok(Math.abs(vectors[0][i] - plain.data[0].embedding[i]) < 1e-6);
  assert.ok(packed.usage.prompt_tokens > 0);
});

test('a hundred texts in one call, as retrieval sends them', needs('embeddings'), async () => {
  const embedder = clientOf({baseURL: target.embeddingUrl});
  const input = Array.from({length: 100}, (_, i) => `${i} ` + 'the river runs through the lock '.repeat(24));
  const {data, usage} = await embedder.embeddings.create({model: target.embeddingModel, input});
  assert.equal(data.length, 100);
  assert.ok(usage.prompt_tokens > 10_000);
});

// ---- errors

test('an unknown model is not found', async () => {
  for (const stream of [false, true]) {
    await assert.rejects(client.chat.completions.create({model: 'no-such-model', messages: question, stream}), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError, String(error));
      assert.equal(error.status, 404);
      assert.ok(error.message.includes('no-such-model'));
      return true;
    });
  }
});

test('answers and errors carry a request id', needs('request-id'), async () => {
  const answer = await client.chat.completions.create({model, messages: question, max_tokens: 2});
  assert.ok(answer._request_id);
  await assert.rejects(client.chat.completions.create({model}), (error) => {
    assert.ok(error.requestID);
    assert.notEqual(error.requestID, answer._request_id);
    return true;
  });
});

test('its code is model_not_found', needs('codes'), async () => {
  await assert.rejects(client.chat.completions.create({model: 'no-such-model', messages: question}), (error) => {
    assert.equal(error.code, 'model_not_found');
    return true;
  });
});

test('a bad request is one', async () => {
  await assert.rejects(client.chat.completions.create({model}), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    assert.equal(error.type, 'invalid_request_error');
    return true;
  });
});

test('a prompt past the context says so', needs('codes'), async () => {
  const messages = [{role: 'user', content: 'water '.repeat(300_000)}];
  await assert.rejects(client.chat.completions.create({model, messages}), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    assert.equal(error.code, 'context_length_exceeded');
    return true;
  });
});

// ---- leaving

test('leaving in the middle of a stream', async () => {
  const stream = await client.chat.completions.create({
    model, messages: question, max_tokens: 1000, ignore_eos: true, stream: true});
  let seen = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content && ++seen === 3) stream.controller.abort();
  }
  assert.ok(seen >= 3 && seen < 1000, `${seen} chunks`);
});

test('who leaves frees the engine', needs('metrics'), async () => {
  const running = () => target.metric('vllm:num_requests_running');
  for (const stream of [true, false]) {
    const before = await target.metric('vllm:generation_tokens_total');
    const leave = new AbortController();
    const answer = client.chat.completions.create(
      {model, messages: question, max_tokens: 2000, ignore_eos: true, stream}, {signal: leave.signal});
    answer.catch(() => {});
    await target.eventually(async () => (await running()) === 1, 'the request runs');
    leave.abort();
    await target.eventually(async () => (await running()) === 0, 'the engine is free');
    assert.ok((await target.metric('vllm:generation_tokens_total')) - before < 2000);
  }
});

// ---- trying again

const counting = (onAnswer = () => {}) => {
  const seen = [];
  return {seen, fetch: async (input, init) => {
    const answer = await fetch(input, init);
    seen.push(answer.status);
    await onAnswer(seen.length);
    return answer;
  }};
};

test('a server error is tried again, then told', needs('faults'), async () => {
  await target.withFaults({error: 1}, async () => {
    const {seen, fetch} = counting();
    await assert.rejects(
      clientOf({maxRetries: 2, fetch}).chat.completions.create({model, messages: question, max_tokens: 2}),
      OpenAI.InternalServerError);
    assert.deepEqual(seen, [500, 500, 500]);
  });
});

test('who is not ready says when to come back', needs('faults'), async () => {
  await target.withFaults({slow_start: '1h'}, async () => {
    const {seen, fetch} = counting((count) => (count === 1 ? target.setFaults({}) : undefined));
    const answer = await clientOf({maxRetries: 2, fetch}).chat.completions.create({
      model, messages: question, max_tokens: 2});
    assert.deepEqual(seen, [503, 200]);
    assert.equal(answer.choices.length, 1);
  });
});

test('a stream that breaks raises', needs('faults'), async () => {
  await target.withFaults({drop: 1}, async () => {
    const stream = await client.chat.completions.create({
      model, messages: question, max_tokens: 20, ignore_eos: true, stream: true});
    await assert.rejects(collect(stream));
  });
});
