import {useState} from 'preact/hooks';
import {ask} from '../api';
import {useCell} from '../cell';
import {Chart} from '../chart';
import {bytes, count, percent, rate, usd, usdRate} from '../format';
import {loads, pools, readPools, series, useMay} from '../live';
import {href} from '../router';
import {theme} from '../shell';
import type {Pool} from '../types';
import {Empty, Facts, Head, State, Trouble} from '../ui';
import {BILLING, KINDS} from '../words';
import {Modelled, PoolActions, priceOf} from './strips';

function PriceForm({pool}: {pool: Pool}) {
  const [open, setOpen] = useState(false);
  const [price, setPrice] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const may = useMay('operator');
  if (pool.price.node_hour_usd === null || !may) return null;
  if (!open) return <button type="button" class="small" onClick={() => { setPrice(pool.price.node_hour_usd!.replace(/0+$/, '').replace(/\.$/, '')); setOpen(true); }}>Change</button>;
  const path = `/api/v1/pools/${encodeURIComponent(pool.name)}/price`;
  const send = async (event: Event) => {
    event.preventDefault();
    setError(null);
    try {
      const {etag} = await ask<unknown>(path);
      const body = JSON.stringify({node_hour: `${price} USD`, as_of: new Date().toISOString().slice(0, 10), source: 'set by hand in the dashboard'});
      await ask(path, {method: 'PUT', body, headers: {'Content-Type': 'application/json', 'If-Match': etag}});
      await readPools();
      setOpen(false);
    } catch (e) {
      setError(e as Error);
    }
  };
  return (
    <form class="inline" onSubmit={(e) => void send(e)}>
      <input value={price} onInput={(e) => setPrice(e.currentTarget.value)} inputMode="decimal" aria-label="Dollars for an hour of a node" size={8} required /> USD/h
      <button class="small primary">Set</button><button type="button" class="small plain" onClick={() => setOpen(false)}>Keep</button>
      {error && <Trouble error={error} what="The price stays." />}
    </form>
  );
}

export function PoolPage({name}: {name: string}) {
  const all = useCell(pools);
  const hour = useCell(series);
  const look = useCell(theme);
  const load = useCell(loads)?.find((l) => l.name === name);
  if (!all) return <div class="loading" aria-busy="true">Looking at {name}…</div>;
  const pool = all.find((p) => p.name === name);
  if (!pool) return <Empty title={`There is no pool ${name}`}><p>It may have left the configuration. <a href={href('pools')}>All pools</a></p></Empty>;
  const state = load?.state ?? pool.state;
  const line = (figure: string) => hour?.series.find((s) => s.pool === name && s.name === figure)?.values ?? [];
  const list = (words: string[] | null | undefined) => words && words.length > 0 ? words.join(', ') : '–';
  return (
    <>
      <p class="crumbs"><a href={href('pools')}>Pools</a> / {pool.name}</p>
      <Head title={pool.name} note={<><State of={state} /> · {KINDS[pool.kind] ?? pool.kind} · {pool.device ?? pool.vendor ?? 'unknown device'}<Modelled pool={pool} /></>}>
        <a class="button" href={href('jobs', '', {pool: pool.name})}>Its jobs</a><PoolActions pool={pool.name} state={state} />
      </Head>
      <Facts rows={[
        ['Node price', <>{priceOf(pool)} <PriceForm pool={pool} /></>], ['Billing', BILLING[pool.billing] ?? pool.billing],
        ['Bill now', usdRate(load?.usd_per_hour)], ['Held', load ? percent(load.busy.ratio) : '–'],
        ['Price as of', `${pool.price.as_of || '–'}${pool.price.source ? `; ${pool.price.source}` : ''}`],
        ['Nodes', `${pool.nodes_up} of ${pool.nodes} up`],
        ['A node', `${Number(pool.node.cpus.toPrecision(3))} CPUs, ${bytes(pool.node.memory)}${pool.node.devices > 0 ? `, ${pool.node.devices} devices of ${bytes(pool.device_memory)}` : ''}`],
        ['Jobs', `${count(pool.running)} run, ${count(pool.awaited_by)} wait for it`],
        ['Requests', load && load.engines > 0 ? `${load.in_flight} in flight, room for ${load.room}; ${load.engines_up} of ${load.engines} engines up` : 'answers none'],
        ['Runtimes', list(Object.entries(pool.runtimes).map(([k, v]) => `${k} ${v}`))], ['Models', list(pool.models)],
        ['Precisions', list(pool.precisions)], ['Features', list(pool.features)], ['Confidential', list(pool.confidential)],
        ['Power', pool.power ? `${pool.power.idle_watts} to ${pool.power.busy_watts} W a node, PUE ${pool.power.pue}${pool.power.tariff_usd_per_kwh ? `, ${usd(pool.power.tariff_usd_per_kwh)}/kWh` : ''}` : '–'],
        ['Site', `${pool.site.name} (${pool.site.kind}), ${pool.site.round_trip_s * 1000} ms away${pool.site.carbon_grams_per_kwh ? `, ${pool.site.carbon_grams_per_kwh} g CO₂e/kWh` : ''}`],
        ['Adapter', `${pool.adapter.type}${pool.adapter.speedup ? `, ${pool.adapter.speedup} times as fast as the device, and billed so` : ''}`],
        ['Labels', list(Object.entries(pool.labels).map(([k, v]) => `${k}=${v}`))],
      ]} />
      {hour && line('busy_ratio').length > 0 && (
        <div class="two">
          <section><div class="section-head"><h2>Held and waiting, the last hour</h2></div>
            <Chart start={hour.start} step={hour.step_s} unit={(v) => percent(v)} theme={look} label={`${name}: how busy, the last hour`}
              lines={[{name: 'held', values: line('busy_ratio'), colour: '--c1', area: true}]} /></section>
          <section><div class="section-head"><h2>Work that ended</h2></div>
            <Chart start={hour.start} step={hour.step_s} unit={rate} theme={look} label={`${name}: work that ended, the last hour`}
              lines={[{name: 'requests', values: line('requests_per_second'), colour: '--c1', area: true}, {name: 'jobs', values: line('jobs_per_second'), colour: '--c3'}]} /></section>
        </div>
      )}
    </>
  );
}
