// The one stream that keeps the page live. It waits longer after each failure, up to half a minute and never in
// step with other browsers; a page that nobody looks at lets go of it.
import {events, get, keyWanted, Problem} from './api';
import {Cell, changed, useCell} from './cell';
import type {Overview, Pool, PoolLoad, Role, Series, Tale} from './types';

export type Link = 'connecting' | 'live' | 'waiting' | 'paused';

export const link = new Cell<{state: Link; until?: number; why?: string}>({state: 'connecting'});
export const overview = new Cell<Overview | null>(null);
export const loads = new Cell<PoolLoad[] | null>(null);
export const pools = new Cell<Pool[] | null>(null);
export const tales = new Cell<Tale[]>([]);
export const dropped = new Cell(0);
export const series = new Cell<Series | null>(null);
/** Rises whenever a job changed; `jobChange` is the last one. */
export const jobChange = new Cell<{id: string; name: string; state: string; pool: string | null; missed?: boolean} | null>(null);

/** Rises when the controller is back after it was away: what a page shows is asked for anew. */
export const revived = new Cell(0);

const ROLES: Role[] = ['reader', 'submitter', 'operator'];
/** May this tab's key do what asks for that role? What it may not do is not offered. Undefined: not known yet. */
export function useMay(needed: Role): boolean | undefined {
  const role = useCell(overview)?.role;
  return role && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

// The newest tales, and jobs for longer: a burst of requests does not sweep them away.
const KEPT = 200;
const KEPT_WITH_JOBS = 260;
let waiting: Tale[] = [];
let painting = false;

// A burst of decisions is painted once.
function tell(tale: Tale) {
  waiting.push(tale);
  if (painting) return;
  painting = true;
  requestAnimationFrame(() => {
    painting = false;
    const seen = new Set<string>();
    const all = [...waiting.reverse(), ...tales.value].filter((t) => !seen.has(t.id) && seen.add(t.id));
    waiting = [];
    changed(tales, all.filter((t, i) => i < KEPT || t.kind === 'job').slice(0, KEPT_WITH_JOBS));
  });
}

function take(event: string, data: string) {
  const value = JSON.parse(data);
  if (event === 'overview') changed(overview, value);
  else if (event === 'pools') changed(loads, value);
  else if (event === 'decision') tell(value);
  else if (event === 'job') changed(jobChange, value);
  else if (event === 'dropped') {
    changed(dropped, dropped.value + value.decisions);
    if (value.jobs > 0) changed(jobChange, {id: '', name: '', state: '', pool: null, missed: true});
  }
}

const sleep = (ms: number, signal: AbortSignal) => new Promise<void>((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
});

let current: AbortController | null = null;
let away = false;

function arrived() {
  if (link.value.state === 'live') return;
  changed(link, {state: 'live'});
  if (!away) return;
  away = false;
  changed(revived, revived.value + 1);
  refresh();
}

async function run() {
  const mine = current = new AbortController();
  let failures = 0;
  while (!mine.signal.aborted) {
    const begun = Date.now();
    let why = 'the connection ended';
    // A look comes each second: a stream that says nothing for so long is dead, whatever TCP thinks.
    const quiet = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), 20_000);
    };
    heard();
    try {
      if (failures === 0) changed(link, {state: 'connecting'});
      for await (const {event, data} of events('/api/v1/stream', AbortSignal.any([mine.signal, quiet.signal]))) {
        heard();
        arrived();
        take(event, data);
      }
    } catch (error) {
      clearTimeout(timer);
      if (mine.signal.aborted) return;
      why = error instanceof Problem ? error.message : 'the controller does not answer';
      if (keyWanted.value) {
        changed(link, {state: 'paused', why: 'a key is needed'});
        return;
      }
    }
    clearTimeout(timer);
    if (mine.signal.aborted) return;
    away = true;
    failures = Date.now() - begun > 30_000 ? 1 : failures + 1;
    const pause = Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 5)) * (0.5 + Math.random() / 2);
    changed(link, {state: 'waiting', until: Date.now() + pause, why});
    await sleep(pause, mine.signal);
  }
}

export function connect() {
  current?.abort();
  current = null;
  if (!keyWanted.value && !document.hidden) void run();
}

export async function readPools() {
  const all: Pool[] = [];
  let after = '';
  do {
    const page = await get<{data: Pool[]; has_more: boolean; last_id: string}>(`/api/v1/pools?limit=100${after}`);
    all.push(...page.data);
    after = page.has_more ? `&after=${encodeURIComponent(page.last_id)}` : '';
  } while (after);
  changed(pools, all.filter((pool) => !pool.removed));
}

let refreshing = false;
/** One at a time: who asks while one is on its way gets that one. */
export function refresh() {
  if (refreshing) return;
  refreshing = true;
  const both = [readPools(), get<Series>('/api/v1/series').then((s) => changed(series, s))];
  void Promise.allSettled(both).then(() => { refreshing = false; });
}

export function startLive() {
  connect();
  refresh();
  let hiddenSince = 0;
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      hiddenSince = Date.now();
      setTimeout(() => {
        if (!document.hidden || Date.now() - hiddenSince < 59_000) return;
        current?.abort();
        away = true;
        changed(link, {state: 'paused', why: 'this tab is in the background'});
      }, 60_000);
    } else if (link.value.state === 'paused') {
      connect();
    }
  });
  setInterval(() => { if (!document.hidden && !keyWanted.value && link.value.state === 'live') refresh(); }, 10_000);
}
