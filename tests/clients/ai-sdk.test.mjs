// The Vercel AI SDK, unmodified.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {createOpenAI} from '@ai-sdk/openai';
import {APICallError, embedMany, generateText, streamText, tool} from 'ai';
import {z} from 'zod';
import * as target from './target.mjs';

const {needs} = target;
const provider = createOpenAI({baseURL: target.url, apiKey: target.key});
const model = provider.chat(target.model);
const asked = {model, system: target.question[0].content, prompt: target.question[1].content, maxRetries: 0};

test('generates text', async () => {
  const {text, usage, finishReason} = await generateText({...asked, maxOutputTokens: 12});
  assert.ok(text.length > 0);
  assert.ok(['stop', 'length'].includes(finishReason), finishReason);
  assert.ok(usage.inputTokens > 0);
  assert.ok(usage.outputTokens <= 12);
});

test('streams text', async () => {
  const result = streamText({...asked, maxOutputTokens: 12});
  let text = '';
  for await (const piece of result.textStream) text += piece;
  assert.equal(text, await result.text);
  assert.ok(text.length > 0);
  const usage = await result.usage;
  assert.ok(usage.outputTokens > 0 && usage.outputTokens <= 12);
});

test('calls a tool', needs('tools'), async () => {
  const look = tool({description: 'Look at the gauge', inputSchema: z.object({text: z.string()})});
  const {toolCalls, finishReason} = await generateText({...asked, tools: {look}, toolChoice: 'required'});
  assert.equal(finishReason, 'tool-calls');
  assert.equal(toolCalls[0].toolName, 'look');
  assert.equal(typeof toolCalls[0].input.text, 'string');
});

test('streams a call of a tool', needs('tools'), async () => {
  const look = tool({description: 'Look at the gauge', inputSchema: z.object({text: z.string()})});
  const result = streamText({...asked, tools: {look}, toolChoice: {type: 'tool', toolName: 'look'}});
  await result.consumeStream();
  assert.equal((await result.toolCalls)[0].toolName, 'look');
});

test('embeds', needs('embeddings'), async () => {
  const embedder = createOpenAI({baseURL: target.embeddingUrl, apiKey: target.key});
  const {embeddings, usage} = await embedMany({
    model: embedder.textEmbeddingModel(target.embeddingModel), values: ['river', 'lock'], maxRetries: 0});
  assert.equal(embeddings.length, 2);
  assert.equal(embeddings[0].length, embeddings[1].length);
  assert.ok(usage.tokens > 0);
});

test('an unknown model is an error with its status', async () => {
  await assert.rejects(generateText({...asked, model: provider.chat('no-such-model')}), (error) => {
    assert.ok(APICallError.isInstance(error), String(error));
    assert.equal(error.statusCode, 404);
    assert.equal(error.isRetryable, false);
    return true;
  });
});

test('can be left in the middle', async () => {
  const leave = new AbortController();
  const result = streamText({...asked, maxOutputTokens: 1000, abortSignal: leave.signal, onError: () => {}});
  let ended = false;
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') leave.abort();
    if (part.type === 'abort') ended = true;
  }
  assert.ok(ended);
});
