// Stands between the end-to-end tests and their controller, passes everything on as it is, and holds
// every answer against controller/northbound/openapi.yaml: its path, status, kind of content and, for
// JSON, its body.
//
//   node recorder.mjs ADDRESS_FILE OUT_FOLDER
//
// ADDRESS_FILE holds the controller's address and is read for each request, so that a controller may
// come back elsewhere. OUT_FOLDER gets `address` (ours), `violations` and `seen` (one line each).
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import YAML from 'yaml';

const largest = 8 << 20; // of a body that is checked
const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

export function loadApi() {
  const path = fileURLToPath(new URL('../../controller/northbound/openapi.yaml', import.meta.url));
  return YAML.parse(readFileSync(path, 'utf8'), { maxAliasCount: -1 });
}

// Judges one answer: null if it is as described, else what is wrong.
export class Judge {
  #ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false });
  #paths;
  #compiled = new Map();
  #api;

  constructor(api) {
    this.#api = api;
    this.#ajv.addSchema(api, 'api');
    this.#paths = Object.keys(api.paths)
      .map((template) => ({
        template,
        // `{id}` is one segment; names of models may hold more of them.
        pattern: new RegExp('^' + template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]*\}/g, template.startsWith('/v1/models/') ? '.+' : '[^/]+') + '$'),
        literal: !template.includes('{'),
      }))
      .sort((a, b) => b.literal - a.literal || b.template.length - a.template.length);
  }

  templateOf(target) {
    const path = target.split('?')[0];
    return this.#paths.find(({ pattern }) => pattern.test(path))?.template ?? null;
  }

  judge({ method, target, status, contentType, body }) {
    const kind = (contentType ?? '').split(';')[0].trim().toLowerCase();
    const template = this.templateOf(target);
    const item = template && this.#api.paths[template];
    const operation = item?.[method.toLowerCase()] ?? (method === 'HEAD' ? item?.get : undefined);
    if (!operation) return this.#judgeUnknown(status, kind, item);
    const pointer = ['paths', template, method === 'HEAD' ? 'get' : method.toLowerCase(), 'responses'];
    const entry = operation.responses[status] ? String(status) : status >= 400 && operation.responses.default ? 'default' : null;
    let response = operation.responses[entry];
    if (response) pointer.push(entry);
    else return `${status} is not among ${Object.keys(operation.responses).join(' ')}`;
    let place = '#/' + pointer.map(escape).join('/');
    while (response.$ref) {
      place = response.$ref;
      response = this.#at(place);
    }
    if (method === 'HEAD' || status === 304 || status === 204) return null;
    if (!response.content) return body?.length ? `a body where none is described` : null;
    const content = response.content[kind];
    if (!content) return `content of kind ${kind || 'none'}, wanted ${Object.keys(response.content).join(' or ')}`;
    if (!content.schema || !kind.includes('json') || body === null) return null;
    return this.#judgeBody(`${place}/content/${escape(kind)}/schema`, body);
  }

  // A path or a method that is not there is told as any problem is.
  #judgeUnknown(status, kind, item) {
    if (status < 400) return item ? 'a method that is not described' : 'a path that is not described';
    return kind.includes('json') || kind === 'text/plain' ? null : `an error of kind ${kind || 'none'}`;
  }

  #judgeBody(place, body) {
    let value;
    try {
      value = JSON.parse(body.toString('utf8'));
    } catch (error) {
      return `no JSON: ${error.message}`;
    }
    if (!this.#compiled.has(place)) this.#compiled.set(place, this.#ajv.compile({ $ref: 'api' + place }));
    const validate = this.#compiled.get(place);
    if (validate(value)) return null;
    const [error] = validate.errors;
    return `${error.instancePath || 'the body'} ${error.message} ${JSON.stringify(error.params)}`;
  }

  #at(reference) {
    return reference.slice(2).split('/').reduce((node, part) => node[part.replaceAll('~1', '/').replaceAll('~0', '~')], this.#api);
  }
}

const escape = (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

function serve(addressFile, folder) {
  const judge = new Judge(loadApi());
  const note = (file, line) => appendFileSync(`${folder}/${file}`, line + '\n');
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    let upstream;
    try {
      upstream = new URL(readFileSync(addressFile, 'utf8').trim());
    } catch {
      return request.socket.destroy(); // nobody is there
    }
    const forward = http.request({
      host: upstream.hostname, port: upstream.port, method: request.method, path: request.url,
      headers: request.rawHeaders, agent, setHost: false,
    });
    forward.on('response', (answer) => {
      const parts = [];
      let size = 0;
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      response.flushHeaders();
      answer.on('data', (part) => {
        size += part.length;
        if (size <= largest) parts.push(part);
        if (!response.write(part)) answer.pause();
      });
      response.on('drain', () => answer.resume());
      const close = () => {
        const found = judge.judge({
          method: request.method, target: request.url, status: answer.statusCode, contentType: answer.headers['content-type'],
          body: answer.complete && size <= largest ? Buffer.concat(parts) : null,
        });
        note('seen', `${request.method} ${judge.templateOf(request.url) ?? '-'} ${answer.statusCode}`);
        if (found) note('violations', `${request.method} ${request.url} ${answer.statusCode}: ${found}`);
      };
      answer.on('end', () => {
        close();
        if (answer.rawTrailers.length) response.addTrailers(answer.trailers);
        response.end();
      });
      answer.on('error', () => request.socket.destroy());
      answer.on('aborted', () => request.socket.destroy());
    });
    forward.on('error', () => request.socket.destroy());
    response.on('close', () => forward.destroy());
    request.pipe(forward);
  });
  server.listen(0, '127.0.0.1', () => {
    // Whole or not at all.
    writeFileSync(`${folder}/address.new`, `http://127.0.0.1:${server.address().port}\n`);
    renameSync(`${folder}/address.new`, `${folder}/address`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(process.argv[2], process.argv[3]);
