// A list of the API as far as it was scrolled: page by page, the newest first, and kept up to date.
import {useEffect, useRef, useState} from 'preact/hooks';
import {get} from './api';
import {useCell} from './cell';
import {revived} from './live';
import type {List} from './types';

/** Rows that a page keeps of one list. */
export const MOST = 10_000;

export interface Paged<T> {
  rows: T[] | null;  // null: nothing was read yet
  error: Error | null;
  full: boolean;  // there are no more
  next: () => void;  // the next page, if there is one
  soon: (ms: number) => void;  // what is new, once within that time however often it is asked for
  change: (to: (row: T) => T) => void;  // before the controller tells the whole of it
}

/** Each row once: what was read last counts, and stands where it is first named. */
export function joined<T extends {id: string}>(first: T[], then: T[], fresh: T[], order?: (a: T, b: T) => number): T[] {
  const rows = new Map<string, T>();
  for (const row of [...first, ...then]) rows.set(row.id, row);
  for (const row of fresh) rows.set(row.id, row);
  const all = [...rows.values()];
  return (order ? all.sort(order) : all).slice(0, MOST);
}

/** `path`: of the first page, with its limit; another path is another list. `order`: where it is not that of the API. */
export function usePages<T extends {id: string}>(path: string, order?: (a: T, b: T) => number): Paged<T> {
  const [rows, setRows] = useState<T[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const more = useRef<string | null>(null);  // what the next page comes after; '': there is none; null: no page was read
  const busy = useRef(false);
  const round = useRef(0);
  const shown = useRef('');
  const back = useCell(revived);
  const read = async (after: string, mine: number) => {
    if (busy.current) return;
    busy.current = true;
    try {
      const page = await get<List<T>>(after ? `${path}&after=${encodeURIComponent(after)}` : path);
      if (mine !== round.current) return;
      const anew = !after && more.current === null;
      setRows((before) => {
        const old = anew ? [] : before ?? [];
        return after ? joined(old, page.data, page.data, order) : joined(page.data, old, page.data, order);
      });
      if (after || more.current === null) more.current = page.has_more ? page.last_id : '';
      setError(null);
    } catch (e) {
      if (mine === round.current) setError(e as Error);
    } finally {
      if (mine === round.current) busy.current = false;
    }
  };
  // Another list begins empty; one that is read again after the controller was away stays until it is there.
  useEffect(() => {
    const mine = ++round.current;
    busy.current = false;
    more.current = null;
    if (shown.current !== path) setRows(null);
    shown.current = path;
    void read('', mine);
  }, [path, back]);

  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => () => { if (due.current) clearTimeout(due.current); }, []);
  return {
    rows, error, full: more.current === '',
    next: () => { if (more.current && (rows?.length ?? 0) < MOST) void read(more.current, round.current); },
    soon: (ms) => { due.current ??= setTimeout(() => { due.current = null; void latest.current('', round.current); }, ms); },
    change: (to) => setRows((old) => old?.map(to) ?? null),
  };
}
