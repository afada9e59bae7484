import {useState} from 'preact/hooks';
import {post} from '../api';
import {useCell} from '../cell';
import {count, percent, usd, usdRate} from '../format';
import {readPools, useMay} from '../live';
import {backstop, grouped} from '../pools_order';
import {href} from '../router';
import type {Pool, PoolLoad, Series} from '../types';
import {Bar, Empty, Sparkline, State, Trouble} from '../ui';
import {KINDS} from '../words';

/** Cordon takes no new work; drain does too and waits for what runs; resume takes work again. */
export function PoolActions({pool, state}: {pool: string; state: string}) {
  const [asked, setAsked] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const may = useMay('operator');
  const act = async (verb: string) => {
    setAsked(verb);
    setError(null);
    try {
      await post(`/api/v1/pools/${encodeURIComponent(pool)}/${verb}`);
      await readPools();
    } catch (e) {
      setError(e as Error);
    }
    setAsked('');
  };
  if (!may) return null;
  const verbs: [string, string, string][] = state === 'active' || state === 'down'
    ? [['cordon', 'Cordon', 'takes no new work'], ['drain', 'Drain', 'takes no new work, until what runs is over']]
    : [['resume', 'Resume', 'takes work again']];
  return (
    <span class="pool-actions">
      {verbs.map(([verb, words, says]) => (
        <button type="button" class="small" key={verb} disabled={asked !== ''} title={says} aria-label={`${words} ${pool}: ${says}`}
          onClick={() => void act(verb)}>{words}</button>
      ))}
      {error && <Trouble error={error} what={`${pool} stays as it is.`} />}
    </span>
  );
}

export function priceOf(pool: Pool): string {
  if (pool.price.node_hour_usd !== null) return usdRate(pool.price.node_hour_usd);
  const {input_usd_per_mtoken: input, output_usd_per_mtoken: output} = pool.price;
  if (input !== null || output !== null) return `${usd(input)} → ${usd(output)}/Mtok`;
  return 'unpriced';
}

/** A pool that runs faster than its device is billed faster, too; without that its bill cannot be told from its price. */
export function Modelled({pool}: {pool: Pool}) {
  if (!pool.modelled) return null;
  const speed = pool.adapter.speedup ?? 1;
  const faster = speed === 1 ? '' : `. It runs ${speed} times as fast as the device, and an hour of it is billed as ${speed} hours, so that work costs what it would cost there`;
  return <span class="tag" title={`Its hardware is pretended; commands really run here${faster}`}>modelled{speed === 1 ? '' : ` ${speed}×`}</span>;
}

function busyWords(pool: Pool, load: PoolLoad | undefined): string {
  if (!load || (pool.total.devices === 0 && pool.total.cpus === 0)) return '–';
  if (pool.total.devices > 0) return `${count(load.busy.devices)}/${count(pool.total.devices)} dev`;
  return `${Number(load.busy.cpus.toPrecision(3))}/${Number(pool.total.cpus.toPrecision(3))} CPU`;
}

function Strip({pool, load, hour}: {pool: Pool; load: PoolLoad | undefined; hour: Series | null}) {
  const state = load?.state ?? (pool.nodes_up === 0 ? 'down' : pool.state);
  const line = (name: string) => hour?.series.find((s) => s.name === name && s.pool === pool.name)?.values ?? [];
  const ratio = load?.busy.ratio ?? 0;
  return (
    <tr class={`strip ${state}`}>
      <th scope="row">
        <a href={href('pools', pool.name)} class="clip">{pool.name}</a>
        <span class={`kind ${pool.kind}`}>{KINDS[pool.kind] ?? pool.kind}</span>
        <Modelled pool={pool} />
      </th>
      <td class="s-state"><State of={state} /></td>
      <td class="s-price num" data-name="node">{priceOf(pool)}</td>
      <td class="s-busy"><Bar ratio={ratio} label={`${percent(ratio)} busy`} /><span class="num">{busyWords(pool, load)}</span></td>
      <td class="s-flight num" data-name="in flight">{load && load.engines > 0 ? <span title={`${load.engines_up} of ${load.engines} engines up`}>{load.in_flight}<i>/{load.room}</i></span> : <i>–</i>}</td>
      <td class="s-queue num" data-name="wait">{load ? count(load.queue) : '–'}</td>
      <td class="s-rate num" data-name="bill">{usdRate(load?.usd_per_hour)}</td>
      <td class="s-spark"><Sparkline values={line('busy_ratio')} most={1} label={`${pool.name}: how busy, the last hour`} /></td>
      <td class="s-act"><PoolActions pool={pool.name} state={state} /></td>
    </tr>
  );
}

export function PoolStrips({pools, loads, hour}: {pools: Pool[] | null; loads: PoolLoad[] | null; hour: Series | null}) {
  const last = useCell(backstop);
  if (!pools) return <div class="loading">Looking at the pools…</div>;
  if (pools.length === 0) {
    return <Empty title="There are no pools"><p>A pool is where work runs: identical nodes under one adapter. Name them in the configuration file, or add one:</p></Empty>;
  }
  const byName = new Map(loads?.map((load) => [load.name, load]));
  return (
    <section aria-labelledby="pools">
      <div class="section-head"><h2 id="pools">Pools, in the order in which they claim work</h2><a href={href('pools')}>All figures</a></div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Pools">
        <table class="strips">
          <thead><tr>
            <th scope="col">Pool</th><th scope="col">State</th><th scope="col" class="num">Node price</th><th scope="col">Held</th>
            <th scope="col" class="num" title="Requests in flight, and how many its engines take at once">In flight</th>
            <th scope="col" class="num" title="Jobs that wait for it">Wait</th><th scope="col" class="num" title="How fast its bill grows">Bill</th>
            <th scope="col">Held, last hour</th><th scope="col"><span class="sr">Actions</span></th>
          </tr></thead>
          {grouped(pools, last).map((group) => (
            <tbody key={group.name} class={group.name === 'The spillway' ? 'last' : ''}>
              <tr class="group"><th scope="rowgroup" colSpan={9}><span>{group.name}</span> <small>{group.says}</small></th></tr>
              {group.pools.map((pool) => <Strip key={pool.name} pool={pool} load={byName.get(pool.name)} hour={hour} />)}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}
