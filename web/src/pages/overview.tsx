import {Chart, type Line} from '../chart';
import {useCell} from '../cell';
import {count, percent, plural, rate, seconds, usd, usdRate, utc} from '../format';
import {dropped, link, loads, overview, pools, series, tales} from '../live';
import {href, place, setQuery} from '../router';
import {theme} from '../shell';
import type {Overview, Series} from '../types';
import {Choice, Empty, Mark, Sparkline, type Tone} from '../ui';
import {Feed} from './feed';
import {PoolStrips} from './strips';

const HEALTH: Record<string, [Tone, string]> = {ok: ['good', 'All is well.'], warning: ['warn', 'Look here:'], critical: ['bad', 'Broken:']};

function Sentence({now}: {now: Overview}) {
  const [tone, word] = HEALTH[now.health.state]!;
  const {total, up} = now.pools;
  const reasons = now.health.reasons.slice(0, 3).map((r) => r.text).join('; ');
  const more = now.health.count > 3 ? `; and ${now.health.count - 3} more` : '';
  const waits = now.queue.jobs + now.queue.requests;
  const saved = now.today.saved_usd !== null && Number(now.today.baseline_usd) > 0
    ? Number(now.today.saved_usd) / Number(now.today.baseline_usd) : null;
  return (
    <p class={`sentence ${tone}`} role="status">
      <Mark tone={tone} /> <strong>{word}</strong>{' '}
      {now.health.count > 0 ? `${reasons[0]!.toUpperCase()}${reasons.slice(1)}${more}. ` : ''}
      {up === total ? `${total === 1 ? 'The pool is' : `All ${total} pools are`} up` : `${up} of ${total} pools are up`};{' '}
      {plural(now.running.jobs, 'job')} and {plural(now.running.requests, 'request')} run,{' '}
      {waits === 0 ? 'none waits' : `${count(waits)} ${waits === 1 ? 'waits' : 'wait'}`}.
      {saved !== null && <> Today’s work cost {usd(now.today.compared_usd)}, {Math.abs(saved) < 0.005 ? 'the same as' : <><b>{percent(Math.abs(saved))} {saved > 0 ? 'less' : 'more'}</b> than</>} on NVIDIA only.</>}
      {Number(now.today.idle_usd) > Number(now.today.work_usd) / 20 && <> Another <b>{usd(now.today.idle_usd)}</b> {saved === null ? 'of today ' : ''}stood idle.</>}
    </p>
  );
}

const lineOf = (all: Series | null, name: string, pool: string | null = null) =>
  all?.series.find((s) => s.name === name && s.pool === pool)?.values ?? [];

function Tile({name, value, note, values, to, says}: {name: string; value: string; note: string; values: (number | null)[]; to: string; says?: string}) {
  const [, number, unit] = /^(.*?)(\s?[a-zµ%/]+.*)?$/i.exec(value) ?? ['', value, ''];
  return (
    <a class="tile" href={to} title={says}>
      <span class="tile-name">{name}</span>
      <span class="tile-value">{number}<small>{unit}</small></span>
      <span class="tile-note">{note}</span>
      <Sparkline values={values} label={`${name}, the last hour`} />
    </a>
  );
}

function Tiles({now, hour}: {now: Overview; hour: Series | null}) {
  const {today, work_per_second: work, p95_s: p95} = now;
  const requests = work.requests >= work.jobs;
  const both = lineOf(hour, 'requests_per_second').map((v, i) => v === null ? null : v + (lineOf(hour, 'jobs_per_second')[i] ?? 0));
  const latency = p95.requests !== null;
  const day = `Today began at ${utc(today.since).replace(/:\d\d\.\d+/, '')}: days are those of the ledger`;
  return (
    <section class="tiles" aria-label="Now">
      <Tile name="Spending" value={usdRate(now.usd_per_hour)} note={`${usd(today.cost_usd)} today, ${usd(today.idle_usd)} of it idle`}
        values={lineOf(hour, 'usd_per_hour')} to={href('overview', '', {chart: 'money'})} says={day} />
      <Tile name="Saved today" value={usd(today.saved_usd)}
        note={today.baseline_usd === null ? 'nothing to compare yet' : `${usd(today.compared_usd)} instead of ${usd(today.baseline_usd)}`}
        values={lineOf(hour, 'saved_usd_per_hour')} to={href('costs')} says={day} />
      <Tile name="Work" value={rate(work.requests + work.jobs)}
        note={requests ? `${rate(work.requests)} requests, ${rate(work.jobs)} jobs` : `${rate(work.jobs)} jobs, ${rate(work.requests)} requests`}
        values={both} to={href('overview', '', {chart: 'work'})} />
      <Tile name={latency ? 'p95 of requests' : 'p95 of jobs'} value={seconds(latency ? p95.requests : p95.jobs)}
        note={latency ? [p95.ttft !== null && `first token ${seconds(p95.ttft)}`, p95.jobs !== null && `jobs ${seconds(p95.jobs)}`].filter(Boolean).join(', ') || 'from arrival to the last token' : 'from submission to end'}
        values={lineOf(hour, latency ? 'request_p95_s' : 'job_p95_s')} to={href('overview', '', {chart: 'latency'})} />
      <Tile name="Queue" value={count(now.queue.jobs + now.queue.requests)}
        note={now.queue.oldest_s === null ? 'nothing waits' : `oldest job: ${seconds(now.queue.oldest_s)}`}
        values={lineOf(hour, 'queue')} to={href('jobs', '', {state: 'queued'})} />
    </section>
  );
}

const CHARTS: [string, string][] = [['money', 'Money'], ['work', 'Work'], ['latency', 'Latency'], ['queue', 'Queue']];

function Hour({hour}: {hour: Series | null}) {
  const chosen = useCell(place).query.chart ?? 'money';
  const name = useCell(theme);
  const pick: Record<string, [Line[], (v: number) => string]> = {
    money: [[
      {name: 'spent', values: lineOf(hour, 'usd_per_hour'), colour: '--c1', area: true},
      {name: 'saved', values: lineOf(hour, 'saved_usd_per_hour'), colour: '--c2'},
    ], usdRate],
    work: [[
      {name: 'requests', values: lineOf(hour, 'requests_per_second'), colour: '--c1', area: true},
      {name: 'jobs', values: lineOf(hour, 'jobs_per_second'), colour: '--c3'},
    ], rate],
    latency: [[
      {name: 'requests, p95', values: lineOf(hour, 'request_p95_s'), colour: '--c1'},
      {name: 'jobs, p95', values: lineOf(hour, 'job_p95_s'), colour: '--c3'},
    ], seconds],
    queue: [[{name: 'waiting', values: lineOf(hour, 'queue'), colour: '--c1', area: true}], (v) => count(Math.round(v))],
  };
  const [lines, unit] = pick[chosen] ?? pick.money!;
  return (
    <section aria-labelledby="hour">
      <div class="section-head"><h2 id="hour">The last hour</h2><Choice label="Figure" options={CHARTS} value={chosen} onChange={(chart) => setQuery({chart})} /></div>
      {hour && lines[0]!.values.length > 0
        ? <Chart start={hour.start} step={hour.step_s} lines={lines} unit={unit} label={`${chosen} over the last hour`} theme={name} />
        : <div class="chart-none" />}
    </section>
  );
}

export function OverviewPage() {
  const now = useCell(overview);
  const hour = useCell(series);
  const told = useCell(tales);
  const at = useCell(link);
  if (!now) {
    return at.state === 'waiting'
      ? <Empty title="The controller does not answer"><p>{at.why}. This page tries again by itself.</p></Empty>
      : <div class="loading" aria-busy="true">Looking…</div>;
  }
  return (
    <>
      <h1 class="sr">Overview</h1>
      <Sentence now={now} />
      <Tiles now={now} hour={hour} />
      <div class="overview">
        <div class="overview-main">
          <PoolStrips pools={useCell(pools)} loads={useCell(loads)} hour={hour} />
          <Hour hour={hour} />
        </div>
        <section class="overview-feed" aria-labelledby="feed">
          <div class="section-head"><h2 id="feed">Decisions as they fall</h2><a href={href('decisions')}>All</a></div>
          <Feed tales={told} dropped={useCell(dropped)} />
        </section>
      </div>
    </>
  );
}
