import {useEffect, useState} from 'preact/hooks';
import {ask, get, getIfThere, Problem} from '../api';
import {useCell} from '../cell';
import {count, energy, grams, percent, plural} from '../format';
import {href, place, setQuery} from '../router';
import type {CostRow, Costs} from '../types';
import {Choice, csv, Empty, Head, save, Trouble, Usd, useAsked} from '../ui';
import {Waterfall} from './waterfall';

const BYS: [string, string][] = [['pool', 'Pool'], ['tenant', 'Tenant'], ['model', 'Model'], ['day', 'Day'], ['kind', 'Kind']];
const SPANS: [string, string][] = [['today', 'Today'], ['7d', '7 days'], ['30d', '30 days'], ['365d', 'A year']];

function spanOf(name: string): {from: string; to: string} {
  const now = new Date();
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const days = name === 'today' ? 0 : Number.parseInt(name, 10) - 1;
  return {from: new Date(day - days * 86_400_000).toISOString(), to: new Date(day + 86_400_000).toISOString()};
}

// What stands idle is nobody's: the row has this key where it has none of its own. No tenant, model or kind is called so.
const IDLE = '(idle)';

interface LedgerSum {hour?: string; pool?: string; tenant?: string; category?: string; cost_usd: string; marginal_cost_usd: string; ended: number; energy_joules: number; carbon_grams: number; saving: {cost_usd: string; baseline_cost_usd: string; saved_usd: string; without_baseline: number}}
export interface Books {costs: Costs; full: boolean}

// Nine places of money, exactly.
const nano = (money: string | null | undefined) => BigInt((money ?? '0').replace('.', '') || '0');
const money = (n: bigint) => {
  const digits = (n < 0n ? -n : n).toString().padStart(10, '0');
  return `${n < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
};

/** The ledger, added up the way the costs are. What it does not know stays out: models and tokens. */
function fromLedger(rows: LedgerSum[], by: string, from: string, to: string): Books {
  const sums = new Map<string, {cost: bigint; marginal: bigint; base: bigint; compared: bigint; idle: bigint; over: bigint; ended: number; alone: number; joules: number; grams: number; has: boolean}>();
  const add = (key: string, row: LedgerSum) => {
    const sum = sums.get(key) ?? {cost: 0n, marginal: 0n, base: 0n, compared: 0n, idle: 0n, over: 0n, ended: 0, alone: 0, joules: 0, grams: 0, has: false};
    const cost = nano(row.cost_usd);
    if (row.category === 'idle') sum.idle += cost;
    else if (row.category === 'overhead') sum.over += cost;
    else sum.cost += cost;
    sum.marginal += nano(row.marginal_cost_usd);
    sum.base += nano(row.saving.baseline_cost_usd);
    sum.compared += nano(row.saving.cost_usd);
    sum.ended += row.ended;
    sum.alone += row.saving.without_baseline;
    sum.joules += row.energy_joules;
    sum.grams += row.carbon_grams;
    sum.has ||= nano(row.saving.baseline_cost_usd) > 0n;
    sums.set(key, sum);
  };
  for (const row of rows) {
    add('\u0000', row);
    add(by === 'day' ? row.hour!.slice(0, 10) : by === 'tenant' ? row.tenant || IDLE : by === 'kind' ? row.category! : row.pool!, row);
  }
  const rowOf = (key: string): CostRow => {
    const s = sums.get(key);
    return {
      key, cost_usd: money(s?.cost ?? 0n), marginal_cost_usd: money(s?.marginal ?? 0n), baseline_usd: s?.has ? money(s.base) : null,
      saved_usd: s?.has ? money(s.base - s.compared) : null, idle_usd: money(s?.idle ?? 0n), overhead_usd: money(s?.over ?? 0n),
      requests: 0, jobs: s?.ended ?? 0, prompt_tokens: 0, output_tokens: 0, energy_joules: s?.joules ?? 0, carbon_grams: s?.grams ?? 0,
      compared_cost_usd: money(s?.compared ?? 0n), bill_usd: money((s?.cost ?? 0n) + (s?.idle ?? 0n) + (s?.over ?? 0n)), without_baseline: s?.alone ?? 0,
    };
  };
  return {costs: {from, to, by, rows: [...sums.keys()].filter((k) => k !== '\u0000').map(rowOf), total: rowOf('\u0000')}, full: false};
}

async function read(by: string, span: string, signal: AbortSignal): Promise<Books> {
  const {from, to} = spanOf(span);
  try {
    return {costs: await getIfThere<Costs>(`/api/v1/costs?by=${by}&from=${from}&to=${to}`, signal), full: true};
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404 || by === 'model') throw error;
  }
  const group = by === 'day' ? 'hour,category' : by === 'kind' ? 'category' : `${by},category`;
  const ledger = await get<{rows: LedgerSum[]}>(`/api/v1/ledger?group_by=${group}&from=${from}&until=${to}`, signal);
  return fromLedger(ledger.rows, by, from, to);
}

function shareOf(row: CostRow): string {
  const ratio = Number(row.saved_usd) / Number(row.baseline_usd);
  return Math.abs(ratio) < 0.005 ? 'the same' : `${percent(Math.abs(ratio))} ${ratio > 0 ? 'less' : 'more'}`;
}

const billOf = (row: CostRow) => nano(row.bill_usd);
const less = (a: bigint, b: bigint) => a < b ? -1 : a > b ? 1 : 0;

/** A difference that nobody would call one is not spelt out; the pointer finds it. */
function SavedCell({row}: {row: CostRow}) {
  if (row.saved_usd === null || Number(row.baseline_usd) <= 0) return <>–</>;
  const same = Math.abs(Number(row.saved_usd)) < 0.005 * Number(row.baseline_usd);
  return same ? <small class="share" title={`${row.saved_usd} USD`}>the same</small> : <><Usd of={row.saved_usd} /> <small class="share">{shareOf(row)}</small></>;
}

function Table({books}: {books: Books}) {
  const {by, rows, total} = books.costs;
  const work = rows.filter((row) => row.key !== IDLE).sort((a, b) => by === 'day' ? a.key < b.key ? 1 : -1 : less(billOf(b), billOf(a)));
  const idle = rows.find((row) => row.key === IDLE);
  // Pools and days have idle time of their own, within their row; tenants, models and kinds have none.
  const held = !idle;
  const figures = (row: CostRow, power: CostRow | null) => (
    <>
      <td class="num" data-name="Work"><Usd of={row.cost_usd} /></td><td class="num" data-name="Adds"><Usd of={row.marginal_cost_usd} /></td>
      <td class="num" data-name="NVIDIA only"><Usd of={row.baseline_usd} /></td><td class="num" data-name="Saved"><SavedCell row={row} /></td>
      <td class="num" data-name="Overhead"><Usd of={row.overhead_usd} /></td>{held && <td class="num" data-name="Idle"><Usd of={row.idle_usd} /></td>}
      {books.full ? <><td class="num" data-name="Requests">{count(row.requests)}</td><td class="num" data-name="Jobs">{count(row.jobs)}</td><td class="num" data-name="Tokens">{count(row.prompt_tokens)} → {count(row.output_tokens)}</td></> : <td class="num" data-name="Ended">{count(row.jobs)}</td>}
      <td class="num" data-name="Energy">{power ? energy(power.energy_joules) : ''}</td><td class="num" data-name="Carbon">{power ? grams(power.carbon_grams) : ''}</td>
    </>
  );
  const between_ = (held ? 5 : 4) + (books.full ? 3 : 1);
  const sum = (name: string, says: string, money: string, power: CostRow | null, kind: string) => (
    <tr class={kind}><th scope="row">{name}</th><td class="num" data-name="Cost"><Usd of={money} /></td><td colSpan={between_} class="note">{says}</td>
      <td class="num" data-name="Energy">{power ? energy(power.energy_joules) : ''}</td><td class="num" data-name="Carbon">{power ? grams(power.carbon_grams) : ''}</td></tr>
  );
  const worked = idle && {...total, energy_joules: total.energy_joules - idle.energy_joules, carbon_grams: total.carbon_grams - idle.carbon_grams};
  const link = (key: string) => by === 'pool' ? <a href={href('pools', key)}>{key}</a> : key;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Costs by ${by}`}>
      <table class="costs stack">
        <thead><tr>
          <th scope="col">{BYS.find(([b]) => b === by)?.[1]}</th><th scope="col" class="num">Work</th><th scope="col" class="num" title="What it added to the bill">Adds</th><th scope="col" class="num">NVIDIA only</th><th scope="col" class="num">Saved</th><th scope="col" class="num" title="Attempts lost by no fault of the work">Overhead</th>
          {held && <th scope="col" class="num" title="Paid for and held by nobody">Idle</th>}
          {books.full ? <><th scope="col" class="num">Requests</th><th scope="col" class="num">Jobs</th><th scope="col" class="num">Tokens</th></> : <th scope="col" class="num">Ended</th>}
          <th scope="col" class="num" title={held ? 'Idle time included' : undefined}>Energy</th><th scope="col" class="num" title={held ? 'Idle time included' : undefined}>Carbon</th>
        </tr></thead>
        <tbody>{work.map((row) => <tr key={row.key}><th scope="row"><span class="clip" title={row.key}>{link(row.key)}</span></th>{figures(row, row)}</tr>)}</tbody>
        <tfoot>
          <tr><th scope="row">All work</th>{figures(total, worked ?? null)}</tr>
          {Number(total.overhead_usd) > 0 && sum('Overhead', 'attempts lost by no fault of the work', total.overhead_usd, null, 'over')}
          {sum('Idle', 'paid for and held by nobody: on neither side of a saving', total.idle_usd, idle ?? null, 'idle')}
          {sum('The bill', 'work, overhead and idle: the ledger’s sum', total.bill_usd, total, 'bill')}
        </tfoot>
      </table>
    </div>
  );
}

export function CostsPage() {
  const {query} = useCell(place);
  const by = query.by ?? 'pool';
  const span = query.span ?? 'today';
  const {value, error, again} = useAsked((signal) => read(by, span, signal).then((books) => ({books, span})), [by, span]);
  const fresh = value?.span === span && value.books.costs.by === by ? value.books : undefined;
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) again(); }, 15_000);
    return () => clearInterval(timer);
  }, []);
  const download = () => save(`spillway-costs-by-${by}.csv`, 'text/csv', csv([
    [by, 'cost_usd', 'marginal_cost_usd', 'baseline_usd', 'saved_usd', 'idle_usd', 'overhead_usd', 'requests', 'jobs', 'prompt_tokens', 'output_tokens', 'energy_joules', 'carbon_grams'],
    ...fresh!.costs.rows.map((r) => [r.key, r.cost_usd, r.marginal_cost_usd, r.baseline_usd, r.saved_usd, r.idle_usd, r.overhead_usd, r.requests, r.jobs, r.prompt_tokens, r.output_tokens, r.energy_joules, r.carbon_grams]),
  ]));
  const [refused, setRefused] = useState<Error | null>(null);
  const focus = () => {
    const {from, to} = spanOf(span);
    setRefused(null);
    ask<string>(`/api/v1/ledger?format=focus-csv&from=${from}&until=${to}`).then(({value: text}) => save('spillway-focus.csv', 'text/csv', text), (e: Error) => setRefused(e));
  };
  const missing = error instanceof Problem && error.status === 404;
  return (
    <>
      <Head title="Costs" note="Allocated cost: rate × share × time held. Days are UTC."><button type="button" disabled={!fresh} onClick={download}>CSV</button>
        <button type="button" onClick={focus} title="Every row of the ledger in this time, for a billing system: FOCUS 1.2">FOCUS</button>
      </Head>
      {refused && <Trouble error={refused} what="The ledger could not be written out." />}
      <div class="filters">
        <Choice label="By" options={BYS} value={by} onChange={(b) => setQuery({by: b})} />
        <Choice label="Span" options={SPANS} value={span} onChange={(s) => setQuery({span: s})} />
      </div>
      {missing && <Empty title="This controller keeps no costs by model"><p>Its ledger knows pools, tenants and days; choose one of them above.</p></Empty>}
      {error && !missing && <Trouble error={error} what="The costs could not be read." />}
      {fresh && !error && (billOf(fresh.costs.total) === 0n
        ? <Empty title="Nothing was spent in this time"><p>Costs appear with the first second in which a pool is up: what is paid for anyway counts as idle until work comes. A tenant’s key sees what his own work cost, and none of what stood idle.</p></Empty>
        : <><Waterfall total={fresh.costs.total} /><Table books={fresh} /></>)}
      {!fresh && !error && <div class="loading" aria-busy="true">Adding up…</div>}
      {fresh && <p class="note">Saved is against one clean attempt of the same work on the cheapest able NVIDIA pool; {fresh.costs.total.without_baseline > 0 ? `${plural(fresh.costs.total.without_baseline, 'piece')} of work that no NVIDIA pool here could do` : 'work that no NVIDIA pool could do'} {fresh.costs.total.without_baseline > 1 ? 'are' : 'is'} left out of both sides. Rest the pointer on a sum for all nine places; the CSV has them, and <code>spillway costs --by {by}</code> and <code>spillway ledger</code> say the same.</p>}
    </>
  );
}
