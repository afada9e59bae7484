import {useEffect, useState} from 'preact/hooks';
import {ask, get, getIfThere, key, post, Problem} from '../api';
import {useCell} from '../cell';
import {between, percent, plural, seconds} from '../format';
import {pools, useMay} from '../live';
import {href, place, setQuery} from '../router';
import type {Simulation} from '../types';
import {Copied, Head, save, State, Time, Trouble, useAsked} from '../ui';
import {Order} from './order';
import {Cells, cellsOf, Results, type SimulationResults} from './results';

const OVER = ['succeeded', 'failed', 'cancelled'];

async function openReport(run: Simulation) {
  if (!key()) {
    window.open(`/api/v1/simulations/${run.id}/report`, '_blank', 'noopener');
    return;
  }
  // A key goes with no link; the file does.
  const {value} = await ask<string>(`/api/v1/simulations/${run.id}/report`);
  save(`${run.id}.html`, 'text/html', value);
}

/** What was run, in a few words: a replay by what it changed. */
function nameOf(run: Simulation): string {
  if (run.kind !== 'replay') return run.name ?? run.id;
  const changes = ['policy', 'fleet', 'prices'].filter((what) => run.command.includes(` --${what} `));
  return changes.length > 0 ? `what happened here, other ${changes.join(' and ')}` : 'what happened here, nothing changed';
}

/** How far it is, and where nobody knows that yet, what it does: it sizes a fleet, say. */
function Progress({run, words}: {run: Simulation; words?: boolean}) {
  const {done, total, what} = run.progress ?? {done: 0, total: 0, what: null};
  if (run.state !== 'running') return null;
  return <span class="progress"><progress max={total || undefined} value={total ? done : undefined} aria-label={`Progress of ${run.id}`} />{total > 0 && <small class="num">{percent(done / total)}</small>}{words && total === 0 && what && <small role="status">{what} …</small>}</span>;
}

const nothing = () => Promise.reject(new DOMException('', 'AbortError'));
const useResults = (run: Simulation | undefined) => useAsked((signal) => run?.state === 'succeeded' ? get<SimulationResults>(`/api/v1/simulations/${run.id}/results`, signal) : nothing(), [run?.id, run?.state]);

function useNvidia(): Set<string> {
  return new Set(useCell(pools)?.filter((pool) => pool.vendor === 'nvidia').map((pool) => pool.name));
}

/** Two runs in one table. */
function Compared({one, other}: {one: Simulation; other: Simulation}) {
  const nvidia = useNvidia();
  const mine = useResults(one).value;
  const theirs = useResults(other).value;
  if (!mine || !theirs) return null;
  const cells = [...cellsOf(mine, nvidia, one.id), ...cellsOf(theirs, nvidia, other.id)];
  return (
    <section aria-labelledby="compared">
      <div class="section-head"><h2 id="compared">{one.id} beside {other.id}</h2><button type="button" class="small" onClick={() => setQuery({with: undefined})}>Compare no more</button></div>
      <Cells cells={cells} label="Both runs" says={one.kind === 'replay' && other.kind === 'replay' ? 'recorded' : 'baseline'} />
      <p class="note">{one.id}: {nameOf(one)}. {other.id}: {nameOf(other)}.{one.kind !== other.kind || one.name !== other.name ? ' They ran different work: compare parts, not dollars.' : ''}</p>
    </section>
  );
}

function RunView({run, again}: {run: Simulation; again: () => void}) {
  const results = useResults(run);
  const nvidia = useNvidia();
  const may = useMay('operator');
  const [error, setError] = useState<Error | null>(null);
  const guard = (work: Promise<unknown>) => { setError(null); work.then(again, (e: Error) => setError(e)); };
  return (
    <section class="run" aria-labelledby="run">
      <div class="section-head">
        <h2 id="run">{nameOf(run)}</h2><State of={run.state} /><Progress run={run} words />
        <span class="note">{run.id}, {seconds(between(run.started_at, run.finished_at))}</span>
        {may && !OVER.includes(run.state) && <button type="button" class="small" onClick={() => guard(post(`/api/v1/simulations/${run.id}/cancel`))}>Cancel</button>}
        {run.state === 'succeeded' && run.report && <button type="button" class="small" onClick={() => guard(openReport(run))}>Full report</button>}
      </div>
      {run.verdict && <p class="verdict">{run.verdict}</p>}
      {run.error && <pre class="log short">{run.error}</pre>}
      {error && <Trouble error={error} what="That did not work." />}
      {results.value && <Results of={results.value} nvidia={nvidia} />}
      {results.error && <Trouble error={results.error} what="The results could not be read." />}
      <p class="note by-hand">By hand:</p><Copied text={run.command} />
    </section>
  );
}

function Runs({list, shown}: {list: Simulation[]; shown: Simulation | undefined}) {
  const {query} = useCell(place);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Runs"><table class="runs stack">
      <thead><tr><th scope="col">Run</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Asked</th><th scope="col" class="num">Took</th><th scope="col">Verdict</th><th scope="col"><span class="sr">Compare</span></th></tr></thead>
      <tbody>{list.map((run) => (
        <tr key={run.id} aria-current={run.id === shown?.id ? 'true' : undefined}>
          <th scope="row"><a href={href('whatif', run.id, query)}>{run.id}</a></th><td class="what" data-name="What">{nameOf(run)}</td><td data-name="State"><State of={run.state} /> <Progress run={run} /></td>
          <td data-name="Asked"><Time at={run.created_at} /></td><td class="num" data-name="Took">{seconds(between(run.started_at, run.finished_at))}</td><td class="why" data-name="Verdict"><span class="two-lines" title={run.verdict ?? ''}>{run.verdict ?? run.error ?? ''}</span></td>
          <td>{run.state === 'succeeded' && shown && run.id !== shown.id && <button type="button" class="small" aria-pressed={query.with === run.id} onClick={() => setQuery({with: query.with === run.id ? undefined : run.id})} aria-label={`Compare with ${run.id}`}>Compare</button>}</td>
        </tr>
      ))}</tbody>
    </table></div>
  );
}

export function WhatIfPage() {
  const {id, query} = useCell(place);
  const runs = useAsked((signal) => getIfThere<{data: Simulation[]}>('/api/v1/simulations', signal), []);
  const list = runs.value?.data ?? [];
  const going = list.some((run) => !OVER.includes(run.state));
  useEffect(() => {
    if (!going) return undefined;
    const timer = setInterval(runs.again, 700);
    return () => clearInterval(timer);
  }, [going]);
  const shown = list.find((run) => run.id === id) ?? (id ? undefined : list[0]);
  const other = list.find((run) => run.id === query.with && run.state === 'succeeded' && run.id !== shown?.id);
  const missing = runs.error instanceof Problem && (runs.error.status === 404 || runs.error.status === 503);
  return (
    <>
      <Head title="What-if" note="The scheduler itself in virtual time: the same decisions, other prices, other policies, other fleets." />
      <Order onStarted={(run) => { location.hash = href('whatif', run.id, query); runs.again(); }} />
      {runs.error && !missing && <Trouble error={runs.error} what="The runs could not be read." />}
      {list.length > 0 && <Runs list={list} shown={shown} />}
      {list.length === 0 && !runs.error && runs.value && <p class="note">Nothing was run yet. {plural(20, 'finished run')} are kept, one runs at a time.</p>}
      {id && list[0] && id < list[0].id && !shown && <p class="note">There is no run {id} any more; {plural(20, 'finished run')} are kept.</p>}
      {shown && other && shown.state === 'succeeded' && <Compared one={shown} other={other} key={`${shown.id} ${other.id}`} />}
      {shown && <RunView run={shown} key={shown.id} again={runs.again} />}
    </>
  );
}
