// An engine of others that says what the modelled ones do not: prompt tokens from its cache. On one port it answers,
// on a second one it is always too busy.
//   engine.mjs MODEL      prints both addresses on one line
import { createServer } from 'node:http';

const model = process.argv[2];
let answered = 0;
const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

function serve(busy) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url.endsWith('/models')) return json(response, 200, { object: 'list', data: [{ id: model, object: 'model' }] });
      if (busy) return json(response, 429, { error: { message: 'too many requests', type: 'rate_limit_error' } });
      const forgets = ++answered % 5 === 0; // to count
      return setTimeout(() => json(response, 200, {
        id: 'c', object: 'chat.completion', created: 1, model,
        choices: [{ index: 0, message: { role: 'assistant', content: 'Downstream.' }, finish_reason: 'stop' }],
        usage: forgets ? undefined : { prompt_tokens: 64, completion_tokens: 3, total_tokens: 67, prompt_tokens_details: { cached_tokens: 48 } },
      }), 60);
    });
  });
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)); });
}

console.log(`listening on ${await serve(false)} ${await serve(true)}`);
