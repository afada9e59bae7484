// Asks the controller. One key for all of it, kept by this tab only.
import {changed, Cell} from './cell';

export interface ProblemBody {
  status: number; code?: string; title?: string; detail?: string; retryable?: boolean;
  errors?: {pointer: string; detail: string}[]; candidates?: unknown[];
}
export class Problem extends Error {
  constructor(public readonly body: ProblemBody) {
    super(body.detail || body.title || `the controller answered ${body.status}`);
  }
  get status() { return this.body.status; }
}

const KEY = 'spillway-key';
/** True while the controller wants a key that this tab does not have. */
export const keyWanted = new Cell(false);
export const key = () => sessionStorage.getItem(KEY) ?? '';
export function setKey(value: string) {
  if (value) sessionStorage.setItem(KEY, value); else sessionStorage.removeItem(KEY);
  changed(keyWanted, false);
}

export function headers(more: Record<string, string> = {}): Record<string, string> {
  return key() ? {...more, Authorization: `Bearer ${key()}`} : more;
}

export async function problemOf(response: Response): Promise<Problem> {
  if (response.status === 401) changed(keyWanted, true);
  let body: ProblemBody = {status: response.status};
  try {
    body = {...body, ...await response.json()};
  } catch { /* not every answer on the way is ours */ }
  return new Problem(body);
}

export interface Answer<T> {value: T; etag: string}

export async function ask<T>(path: string, options: RequestInit & {accept?: string} = {}): Promise<Answer<T>> {
  const sent = headers({...options.accept ? {Accept: options.accept} : {}, ...options.headers as Record<string, string>});
  let response: Response;
  try {
    response = await fetch(path, {...options, headers: sent});
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new Problem({status: 0, detail: 'the controller does not answer'});
  }
  if (!response.ok) throw await problemOf(response);
  const type = response.headers.get('content-type') ?? '';
  const value = type.includes('json') ? await response.json() : await response.text();
  return {value: value as T, etag: response.headers.get('etag') ?? ''};
}

let index: Promise<Set<string>> | undefined;
/** Does this controller have that path? Its index says so; asking for what is not there would be an error. */
export function has(path: string): Promise<boolean> {
  index ??= get<{paths: {path: string}[]}>('/').then(({paths}) => new Set(paths.map((p) => p.path)));
  index.catch(() => { index = undefined; });
  return index.then((paths) => paths.has(path));
}
const missing = (path: string) => new Problem({status: 404, detail: `this controller has no ${path}`});
/** As get(), for what another version of the controller may lack. */
export const getIfThere = async <T>(path: string, signal?: AbortSignal): Promise<T> => {
  const bare = path.split('?')[0]!;
  if (!await has(bare)) throw missing(bare);
  return get<T>(path, signal);
};

/** The policy comes in two forms under one tag: a cache would mix them up. */
export const UNCACHED = {cache: 'no-store'} as const;

export const get = async <T>(path: string, signal?: AbortSignal) => (await ask<T>(path, {signal, accept: 'application/json'})).value;
export const post = async <T>(path: string, body?: unknown) => (await ask<T>(path, {
  method: 'POST',
  ...body === undefined ? {} : {body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}},
})).value;

/** Events of a stream, until it ends or is aborted. EventSource cannot send a key; this can. */
export async function* events(path: string, signal: AbortSignal): AsyncGenerator<{event: string; data: string}> {
  const response = await fetch(path, {headers: headers({Accept: 'text/event-stream'}), signal});
  if (!response.ok || !response.body) throw await problemOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    rest += value;
    let end: number;
    while ((end = rest.indexOf('\n\n')) >= 0) {
      const frame = rest.slice(0, end);
      rest = rest.slice(end + 2);
      let event = 'message';
      const data: string[] = [];
      for (const line of frame.split('\n')) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
      if (data.length > 0) yield {event, data: data.join('\n')};
    }
  }
}
