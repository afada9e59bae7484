import {useEffect, useState} from 'preact/hooks';
import {ask, get, getIfThere, key, post, Problem} from '../api';
import {useCell} from '../cell';
import {between, percent, plural, seconds} from '../format';
import {href, place, setQuery} from '../router';
import type {Simulation} from '../types';
import {Choice, Copied, Empty, Field, Head, save, State, Time, Trouble, useAsked} from '../ui';
import {Results, type SimulationResults} from './results';

interface Scenario {name: string; says?: string; description?: string}
interface Run extends Simulation {kind?: string; name?: string; report?: string | null}
const OVER = ['succeeded', 'failed', 'cancelled'];

async function openReport(run: Run) {
  if (!key()) {
    window.open(`/api/v1/simulations/${run.id}/report`, '_blank', 'noopener');
    return;
  }
  // A key goes with no link; the file does.
  const {value} = await ask<string>(`/api/v1/simulations/${run.id}/report`);
  save(`${run.id}.html`, 'text/html', value);
}

function Order({onStarted}: {onStarted: (run: Run) => void}) {
  const {query} = useCell(place);
  const what = query.what ?? 'scenario';
  const scenarios = useAsked((signal) => getIfThere<{data: Scenario[]} | {scenarios: Scenario[]}>('/api/v1/scenarios', signal), []);
  const list = scenarios.value ? 'data' in scenarios.value ? scenarios.value.data : scenarios.value.scenarios : [];
  const [name, setName] = useState('');
  const [seeds, setSeeds] = useState('1');
  const [since, setSince] = useState('');
  const [policy, setPolicy] = useState('');
  const [prices, setPrices] = useState('');
  const [yaml, setYaml] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const chosen = name || list[0]?.name || '';
  if (scenarios.error instanceof Problem && (scenarios.error.status === 404 || scenarios.error.status === 503)) {
    return (
      <Empty title="This controller runs no simulations"><p>The simulator is part of the program: the same scheduler in virtual time. By hand:</p><Copied text="spillway simulate configs/scenarios/backstop.yaml --out what-if" /></Empty>
    );
  }
  const start = async (event: Event) => {
    event.preventDefault();
    setError(null);
    setBusy(true);
    try {
      const body = what === 'scenario' ? {scenario: chosen, seeds: Number(seeds) || 1}
        : what === 'own' ? {scenario_yaml: yaml, seeds: Number(seeds) || 1}
        : {replay: {since: since ? new Date(`${since}:00:00Z`).toISOString() : null, until: null, policy_yaml: policy || null, fleet_yaml: null, prices_yaml: prices || null}};
      onStarted(await post<Run>('/api/v1/simulations', body));
    } catch (e) {
      setError(e as Error);
    }
    setBusy(false);
  };
  return (
    <form class="order" onSubmit={(e) => void start(e)}>
      <Choice label="What to run" options={[['replay', 'What happened here'], ['scenario', 'A shipped scenario'], ['own', 'Your own scenario']]} value={what} onChange={(w) => setQuery({what: w})} />
      {what === 'scenario' && (
        <fieldset class="scenarios"><legend class="sr">Scenario</legend>
          {list.map((s) => (
            <label key={s.name} class={s.name === chosen ? 'chosen' : ''}><input type="radio" name="scenario" value={s.name} checked={s.name === chosen} onChange={() => setName(s.name)} /><b>{s.name}</b><span>{s.says ?? s.description}</span></label>
          ))}
        </fieldset>
      )}
      {what === 'replay' && (
        <div class="fields">
          <Field label="Since" hint="a whole hour, UTC: 2026-08-01T13; empty: all that is kept"><input value={since} onInput={(e) => setSince(e.currentTarget.value)} pattern="\d{4}-\d\d-\d\dT\d\d" placeholder="2026-08-01T13" /></Field>
          <Field label="Under this policy" hint="YAML; empty: the one that was in force. The same work, the same hours, decided anew"><textarea class="mono" rows={7} value={policy} onInput={(e) => setPolicy(e.currentTarget.value)} placeholder={'kind: Policy\nname: least-cost\n…'} spellcheck={false} /></Field>
          <Field label="At these prices" hint="YAML; empty: those that were in force"><textarea class="mono" rows={4} value={prices} onInput={(e) => setPrices(e.currentTarget.value)} placeholder={'kind: Prices\nprices:\n  - {pool: a10, from: 2026-07-20T00:00:00Z, node_hour: 2.00 USD}'} spellcheck={false} /></Field>
        </div>
      )}
      {what === 'own' && <Field label="Scenario" hint="YAML; it may name only files that came with the program"><textarea class="mono editor" rows={14} value={yaml} onInput={(e) => setYaml(e.currentTarget.value)} required spellcheck={false} /></Field>}
      <div class="actions">
        {what !== 'replay' && <Field label="Seeds" hint="more of them give error bars"><input type="number" min={1} max={1000} value={seeds} onInput={(e) => setSeeds(e.currentTarget.value)} size={5} /></Field>}
        <button class="primary" disabled={busy || (what === 'scenario' && !chosen)}>Run it</button>
      </div>
      {error && <Trouble error={error} what="Not started." />}
    </form>
  );
}

function Progress({run}: {run: Run}) {
  const {done, total} = run.progress ?? {done: 0, total: 0};
  if (run.state !== 'running') return null;
  return <span class="progress"><progress max={total || undefined} value={total ? done : undefined} aria-label={`Progress of ${run.id}`} />{total > 0 && <small class="num">{percent(done / total)}</small>}</span>;
}

function RunView({run, again}: {run: Run; again: () => void}) {
  const results = useAsked((signal) => run.state === 'succeeded' ? get<SimulationResults>(`/api/v1/simulations/${run.id}/results`, signal) : Promise.reject(new DOMException('', 'AbortError')), [run.id, run.state]);
  const [error, setError] = useState<Error | null>(null);
  const guard = (work: Promise<unknown>) => { setError(null); work.then(again, (e: Error) => setError(e)); };
  return (
    <section class="run" aria-labelledby="run">
      <div class="section-head">
        <h2 id="run">{run.name ?? run.scenario ?? run.id}</h2><State of={run.state} /><Progress run={run} />
        <span class="note">{run.id}, {seconds(between(run.started_at, run.finished_at))}</span>
        {!OVER.includes(run.state) && <button type="button" class="small" onClick={() => guard(post(`/api/v1/simulations/${run.id}/cancel`))}>Cancel</button>}
        {run.state === 'succeeded' && run.report !== null && <button type="button" class="small" onClick={() => guard(openReport(run))}>Full report</button>}
      </div>
      {run.verdict && <p class="verdict">{run.verdict}</p>}
      {run.error && <pre class="log short">{run.error}</pre>}
      {error && <Trouble error={error} what="That did not work." />}
      {results.value && <Results of={results.value} />}
      {results.error && <Trouble error={results.error} what="The results could not be read." />}
      <Copied text={run.command} />
    </section>
  );
}

export function WhatIfPage() {
  const {id, query} = useCell(place);
  const runs = useAsked((signal) => getIfThere<{data: Run[]}>('/api/v1/simulations', signal), []);
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
      {list.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Runs"><table class="runs">
          <thead><tr><th scope="col">Run</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Asked</th><th scope="col" class="num">Took</th><th scope="col">Verdict</th><th scope="col"><span class="sr">Compare</span></th></tr></thead>
          <tbody>{list.map((run) => (
            <tr key={run.id} aria-current={run.id === shown?.id ? 'true' : undefined}>
              <th scope="row"><a href={href('whatif', run.id, query)}>{run.id}</a></th><td>{run.name ?? run.scenario}</td><td><State of={run.state} /> <Progress run={run} /></td>
              <td><Time at={run.created_at} /></td><td class="num">{seconds(between(run.started_at, run.finished_at))}</td><td class="why"><span class="clip" title={run.verdict ?? ''}>{run.verdict ?? run.error ?? ''}</span></td>
              <td>{run.state === 'succeeded' && shown && run.id !== shown.id && <button type="button" class="small" aria-pressed={query.with === run.id} onClick={() => setQuery({with: query.with === run.id ? undefined : run.id})}>Compare</button>}</td>
            </tr>
          ))}</tbody>
        </table></div>
      )}
      {list.length === 0 && !runs.error && runs.value && <p class="note">Nothing was run yet. {plural(20, 'finished run')} are kept, one runs at a time.</p>}
      <div class={other ? 'two' : ''}>{shown && <RunView run={shown} key={shown.id} again={runs.again} />}{other && <RunView run={other} key={other.id} again={runs.again} />}</div>
    </>
  );
}
