import {useState} from 'preact/hooks';
import {useCell} from '../cell';
import {bytes, count, percent, usdRate} from '../format';
import {loads, pools, series} from '../live';
import {backstop, grouped} from '../pools_order';
import {href, place, setQuery} from '../router';
import type {Pool, PoolLoad} from '../types';
import {csv, Empty, Head, save, Sparkline, State} from '../ui';
import {BILLING, KINDS} from '../words';
import {Modelled, PoolActions, priceOf} from './strips';

type Key = 'claim' | 'name' | 'price' | 'held' | 'bill';
const SORTS: [Key, string][] = [['claim', 'Claim order'], ['name', 'Name'], ['price', 'Price'], ['held', 'Held'], ['bill', 'Bill']];

export function PoolsPage() {
  const all = useCell(pools);
  const now = useCell(loads);
  const hour = useCell(series);
  const last = useCell(backstop);
  const {query} = useCell(place);
  const [find, setFind] = useState('');
  if (!all) return <div class="loading" aria-busy="true">Looking at the pools…</div>;
  const byName = new Map(now?.map((load) => [load.name, load]));
  const order = (query.sort ?? 'claim') as Key;
  const value: Record<Key, (pool: Pool) => number | string> = {
    claim: () => 0, name: (p) => p.name, price: (p) => Number(p.price.node_hour_usd ?? 1e9),
    held: (p) => -(byName.get(p.name)?.busy.ratio ?? 0), bill: (p) => -Number(byName.get(p.name)?.usd_per_hour ?? 0),
  };
  const by = value[order] ?? value.claim;
  const rows = grouped(all, last).flatMap((group) => group.pools.map((pool) => ({pool, group: group.name})))
    .filter(({pool}) => !find || `${pool.name} ${pool.device} ${pool.kind} ${pool.vendor} ${pool.site.name}`.toLowerCase().includes(find.toLowerCase()));
  if (order !== 'claim') rows.sort((a, b) => by(a.pool) < by(b.pool) ? -1 : by(a.pool) > by(b.pool) ? 1 : 0);
  const table = () => csv([
    ['pool', 'state', 'kind', 'vendor', 'device', 'billing', 'node_hour_usd', 'nodes', 'nodes_up', 'held_ratio', 'waiting', 'usd_per_hour'],
    ...rows.map(({pool}) => {
      const load = byName.get(pool.name);
      return [pool.name, load?.state ?? pool.state, pool.kind, pool.vendor, pool.device, pool.billing, pool.price.node_hour_usd, pool.nodes, pool.nodes_up, load?.busy.ratio ?? null, load?.queue ?? null, load?.usd_per_hour ?? null];
    }),
  ]);
  return (
    <>
      <Head title="Pools" note={`${count(all.length)}, ${count(all.filter((p) => (byName.get(p.name)?.state ?? p.state) !== 'down').length)} up`}>
        <button type="button" onClick={() => save('pools.csv', 'text/csv', table())}>CSV</button>
      </Head>
      <div class="filters">
        <div class="choice" role="group" aria-label="Order">{SORTS.map(([key, words]) => <button type="button" key={key} aria-pressed={order === key} onClick={() => setQuery({sort: key === 'claim' ? undefined : key})}>{words}</button>)}</div>
        <input data-search="" aria-label="Find a pool" placeholder="Name, device, vendor, site" value={find} onInput={(e) => setFind(e.currentTarget.value)} />
      </div>
      {all.length === 0 && <Empty title="There are no pools" command="spillway pools"><p>Name them under <code>pools:</code> in the configuration file.</p></Empty>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Pools">
        <table class="pools stack">
          <thead><tr>
            <th scope="col">Pool</th><th scope="col">State</th><th scope="col">Device</th><th scope="col">Billing</th><th scope="col" class="num">Node price</th>
            <th scope="col" class="num">Nodes</th><th scope="col">A node</th><th scope="col" class="num">Held</th><th scope="col">Last hour</th><th scope="col" class="num">Wait</th><th scope="col" class="num">Bill</th><th scope="col">Site</th><th scope="col"><span class="sr">Actions</span></th>
          </tr></thead>
          <tbody>{rows.map(({pool, group}) => {
            const load: PoolLoad | undefined = byName.get(pool.name);
            const state = load?.state ?? pool.state;
            return (
              <tr key={pool.name} class={group === 'The spillway' && order === 'claim' ? 'last' : ''}>
                <th scope="row"><a href={href('pools', pool.name)}>{pool.name}</a><span class={`kind ${pool.kind}`}>{KINDS[pool.kind]}</span><Modelled pool={pool} /></th>
                <td data-name="State"><State of={state} /></td><td data-name="Device"><span class="clip">{pool.device ?? (pool.vendor ? `${pool.vendor} ${pool.kind}` : pool.kind)}</span></td><td data-name="Billing">{BILLING[pool.billing] ?? pool.billing}</td>
                <td class="num" data-name="Node price">{priceOf(pool)}</td><td class="num" data-name="Nodes">{pool.nodes_up}/{pool.nodes}</td>
                <td data-name="A node">{pool.node.devices > 0 ? `${pool.node.devices} × ${bytes(pool.device_memory)}` : pool.node.cpus > 0 ? `${Number(pool.node.cpus.toPrecision(3))} CPU, ${bytes(pool.node.memory)}` : '–'}</td>
                <td class="num" data-name="Held">{percent(load?.busy.ratio)}</td>
                <td class="s-spark"><Sparkline values={hour?.series.find((s) => s.pool === pool.name && s.name === 'busy_ratio')?.values ?? []} most={1} label={`${pool.name}: how busy, the last hour`} /></td>
                <td class="num" data-name="Wait">{load ? load.queue : '–'}</td><td class="num" data-name="Bill">{usdRate(load?.usd_per_hour)}</td><td data-name="Site">{pool.site.name}</td><td class="s-act"><PoolActions pool={pool.name} state={state} /></td>
              </tr>
            );
          })}</tbody>
        </table>
      </div>
    </>
  );
}
