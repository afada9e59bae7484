// A small OpenAI-compatible engine around node-llama-cpp (llama.cpp as a prebuilt library from npm): a real engine to test a router against.
// usage: node server.mjs --model tiny.gguf --port 8080 [--name tiny] [--slots 4] [--ctx 2048] [--threads 1] [--max-queue 64] [--token-delay-ms 0]
//   --token-delay-ms slows every token down, to stand in for a larger model; --fail-rate 0.1 answers 503 to a tenth of the requests.
import http from 'node:http';
import {getLlama} from 'node-llama-cpp';
const opt = (n, d) => { const i = process.argv.indexOf('--' + n); return i < 0 ? d : process.argv[i + 1]; };
const name = opt('name', 'tiny'), port = +opt('port', 8080), slots = +opt('slots', 4), ctxSize = +opt('ctx', 2048);
const maxQueue = +opt('max-queue', 64), delay = +opt('token-delay-ms', 0), failRate = +opt('fail-rate', 0);
const llama = await getLlama({gpu: false, build: 'never', maxThreads: +opt('threads', 1)});
const model = await llama.loadModel({modelPath: opt('model', 'tiny.gguf')});
const context = await model.createContext({sequences: slots, contextSize: ctxSize, threads: +opt('threads', 1)});
const free = Array.from({length: slots}, () => context.getSequence()), waiting = [];
const m = {requests: 0, failed: 0, rejected: 0, cancelled: 0, prompt: 0, generated: 0, ttft: 0, ttftCount: 0, busyMs: 0};
const acquire = signal => new Promise((ok, no) => {
  if (free.length) return ok(free.pop());
  if (waiting.length >= maxQueue) return no(Object.assign(new Error('queue full'), {status: 429}));
  const w = {ok}; waiting.push(w);
  signal.addEventListener('abort', () => { const i = waiting.indexOf(w); if (i >= 0) { waiting.splice(i, 1); no(Object.assign(new Error('client left'), {status: 499})); } });
});
const release = s => { const w = waiting.shift(); w ? w.ok(s) : free.push(s); };
const json = (res, code, o, h = {}) => { const b = JSON.stringify(o); res.writeHead(code, {'content-type': 'application/json', 'content-length': Buffer.byteLength(b), ...h}); res.end(b); };
const fail = (res, code, msg, type = 'invalid_request_error') => json(res, code, {error: {message: msg, type, code}}, code === 429 ? {'retry-after': '1'} : {});
const text = c => typeof c === 'string' ? c : Array.isArray(c) ? c.map(p => p.text ?? '').join('') : '';
const chatPrompt = ms => ms.map(x => `<|im_start|>${x.role}\n${text(x.content)}<|im_end|>\n`).join('') + '<|im_start|>assistant\n';

async function complete(req, res, body, chat) {
  if (chat ? !Array.isArray(body.messages) : body.prompt === undefined) return fail(res, 400, chat ? "'messages' is required" : "'prompt' is required");
  if (body.model && body.model !== name) return fail(res, 404, `The model '${body.model}' does not exist`);
  if (failRate && Math.random() < failRate) { m.failed++; return fail(res, 503, 'engine overloaded', 'server_error'); }
  const ac = new AbortController(); res.on('close', () => { if (!res.writableEnded) ac.abort(); });
  const tokens = model.tokenize(chat ? chatPrompt(body.messages) : text(body.prompt), true);
  const max = Math.min(body.max_completion_tokens ?? body.max_tokens ?? 64, ctxSize - tokens.length);
  if (max < 1) return fail(res, 400, `prompt of ${tokens.length} tokens does not fit a context of ${ctxSize}`);
  const t0 = performance.now(); let seq;
  try { seq = await acquire(ac.signal); } catch (e) { if (e.status === 499) return void m.cancelled++; m.rejected++; return fail(res, e.status, e.message, 'rate_limit_error'); }
  const start = performance.now(), id = (chat ? 'chatcmpl-' : 'cmpl-') + Math.random().toString(36).slice(2), created = Math.floor(Date.now() / 1000);
  const base = {id, created, model: name, object: chat ? (body.stream ? 'chat.completion.chunk' : 'chat.completion') : 'text_completion'};
  const send = o => res.write('data: ' + JSON.stringify(o) + '\n\n');
  let n = 0, outText = '', finish = 'length';
  try {
    if (body.stream) {
      res.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-cache'});
      if (chat) send({...base, choices: [{index: 0, delta: {role: 'assistant', content: ''}, finish_reason: null}]});
    }
    const prev = [];
    for await (const tok of seq.evaluate(tokens, {temperature: body.temperature ?? 0.8, seed: body.seed, topP: body.top_p, signal: ac.signal, yieldEogToken: true})) {
      if (ac.signal.aborted) break;
      if (n === 0) { m.ttft += performance.now() - t0; m.ttftCount++; }
      if (model.isEogToken(tok) && !body.ignore_eos) { finish = 'stop'; break; }
      n++;
      const piece = model.isEogToken(tok) ? '' : model.detokenize([tok], false, prev.slice(-8)); prev.push(tok); outText += piece;
      if (body.stream) send(chat ? {...base, choices: [{index: 0, delta: {content: piece}, finish_reason: null}]} : {...base, choices: [{index: 0, text: piece, finish_reason: null}]});
      if (delay) await new Promise(r => setTimeout(r, delay));
      if (n >= max) break;
    }
  } catch (e) { if (!ac.signal.aborted) { m.failed++; if (!res.headersSent) fail(res, 500, String(e?.message ?? e), 'server_error'); else res.destroy(); } }
  finally { try { await seq.clearHistory(); } finally { release(seq); m.busyMs += performance.now() - start; } }
  m.prompt += tokens.length; m.generated += n;
  if (ac.signal.aborted) return void m.cancelled++;
  if (res.writableEnded) return;
  m.requests++;
  const usage = {prompt_tokens: tokens.length, completion_tokens: n, total_tokens: tokens.length + n};
  if (!body.stream) return json(res, 200, {...base, choices: [chat ? {index: 0, message: {role: 'assistant', content: outText}, finish_reason: finish} : {index: 0, text: outText, finish_reason: finish}], usage});
  send(chat ? {...base, choices: [{index: 0, delta: {}, finish_reason: finish}]} : {...base, choices: [{index: 0, text: '', finish_reason: finish}]});
  if (body.stream_options?.include_usage) send({...base, choices: [], usage});
  res.end('data: [DONE]\n\n');
}
const metrics = () => [
  ['counter', 'requests_success_total', m.requests], ['counter', 'requests_failed_total', m.failed], ['counter', 'requests_rejected_total', m.rejected],
  ['counter', 'requests_cancelled_total', m.cancelled], ['counter', 'prompt_tokens_total', m.prompt], ['counter', 'generation_tokens_total', m.generated],
  ['counter', 'time_to_first_token_seconds_sum', m.ttft / 1000], ['counter', 'time_to_first_token_seconds_count', m.ttftCount], ['counter', 'slot_busy_seconds_total', m.busyMs / 1000],
  ['gauge', 'requests_running', slots - free.length], ['gauge', 'requests_waiting', waiting.length], ['gauge', 'slots', slots],
].map(([t, k, v]) => `# TYPE engine_${k} ${t}\nengine_${k}{model_name="${name}"} ${v}\n`).join('');

const server = http.createServer((req, res) => {
  const path = req.url.split('?')[0];
  if (req.method === 'GET' && path === '/health') return json(res, 200, {status: 'ok'});
  if (req.method === 'GET' && path === '/metrics') { res.writeHead(200, {'content-type': 'text/plain; version=0.0.4'}); return res.end(metrics()); }
  if (req.method === 'GET' && path === '/v1/models') return json(res, 200, {object: 'list', data: [{id: name, object: 'model', created: 0, owned_by: 'local', max_model_len: ctxSize}]});
  const chat = path === '/v1/chat/completions';
  if (req.method !== 'POST' || !(chat || path === '/v1/completions')) return fail(res, 404, 'no such path');
  const chunks = []; let size = 0;
  req.on('data', c => { size += c.length; if (size > 4e6) req.destroy(); else chunks.push(c); });
  req.on('end', () => { let b; try { b = JSON.parse(Buffer.concat(chunks)); } catch { return fail(res, 400, 'body is not JSON'); }
    if (!b || typeof b !== 'object') return fail(res, 400, 'body is not an object');
    complete(req, res, b, chat).catch(e => { m.failed++; if (!res.headersSent) fail(res, 500, String(e), 'server_error'); }); });
});
server.listen(port, '127.0.0.1', () => console.log(`engine ${name} on 127.0.0.1:${server.address().port}, ${slots} slots`));
for (const s of ['SIGTERM', 'SIGINT']) process.on(s, () => { server.close(); setTimeout(() => process.exit(0), 200); });
