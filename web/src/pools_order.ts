// Pools as the water meets them: what is paid for anyway, what is rented, and the spillway at the end.
import {Cell, changed} from './cell';
import {ask, UNCACHED} from './api';
import type {Pool} from './types';

interface Selector {[key: string]: string | string[] | undefined}
export const backstop = new Cell<Selector | null | undefined>(undefined);

export function readBackstop() {
  ask<{claim?: {backstop?: Selector}}>('/api/v1/policy', UNCACHED)
    .then(({value}) => changed(backstop, value.claim?.backstop ?? null))
    .catch(() => { /* pools are then shown without the last group */ });
}

function selects(selector: Selector | null | undefined, pool: Pool): boolean {
  if (!selector) return false;
  const entries = Object.entries(selector);
  return entries.length > 0 && entries.every(([key, wanted]) => {
    const found = (pool as unknown as Record<string, unknown>)[key] ?? (key === 'pool' ? pool.name : undefined);
    return (Array.isArray(wanted) ? wanted : [wanted]).includes(found as string);
  });
}

export interface Group {name: string; says: string; pools: Pool[]}
export function grouped(pools: Pool[], last: Selector | null | undefined): Group[] {
  const dear = (pool: Pool) => Number(pool.price.node_hour_usd ?? 1e9);
  const groups: Group[] = [
    {name: 'Paid for', says: 'owned or reserved: one more job costs its energy', pools: []},
    {name: 'Rented', says: 'by dollars for this work', pools: []},
    {name: 'The spillway', says: 'claims last, whatever it costs', pools: []},
  ];
  for (const pool of pools) groups[selects(last, pool) ? 2 : pool.billing === 'committed' ? 0 : 1]!.pools.push(pool);
  for (const group of groups) group.pools.sort((a, b) => dear(a) - dear(b) || a.name.localeCompare(b.name));
  return groups.filter((group) => group.pools.length > 0);
}
