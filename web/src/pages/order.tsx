// What shall be simulated. What was typed stays until the tab is closed: the next run changes one thing, not all.
import {useState} from 'preact/hooks';
import {ask, getIfThere, post, Problem, UNCACHED} from '../api';
import {Cell, changed, useCell} from '../cell';
import {useMay} from '../live';
import {place, setQuery} from '../router';
import type {Simulation} from '../types';
import {Choice, Copied, Empty, Field, Trouble, useAsked} from '../ui';

interface Scenario {name: string; says?: string; description?: string}
const NOTHING = {scenario: '', seeds: '1', since: '', until: '', policy: '', prices: '', yaml: ''};
const draft = new Cell(NOTHING);
const put = (change: Partial<typeof NOTHING>) => changed(draft, {...draft.value, ...change});

function hourOf(text: string, name: string): string | null {
  if (!text) return null;
  const at = new Date(`${text}:00:00Z`);
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 13) !== text) throw new Error(`${name}: \`${text}\` is no hour, like 2026-08-01T13`);
  return at.toISOString();
}

function Replay() {
  const at = useCell(draft);
  const [error, setError] = useState<Error | null>(null);
  const take = () => {
    setError(null);
    ask<string>('/api/v1/policy', {accept: 'application/yaml', ...UNCACHED}).then(({value}) => put({policy: value}), (e: Error) => setError(e));
  };
  return (
    <>
      <div class="fields replay">
        <Field label="Under this policy" hint="YAML; empty: the one that was in force"><textarea class="mono" rows={9} value={at.policy} onInput={(e) => put({policy: e.currentTarget.value})} placeholder={'kind: Policy\nname: least-cost\n…'} spellcheck={false} /></Field>
        <Field label="At these prices" hint="YAML; empty: those that were in force"><textarea class="mono" rows={9} value={at.prices} onInput={(e) => put({prices: e.currentTarget.value})} placeholder={'kind: Prices\nprices:\n  - pool: a10\n    from: 2026-07-20T00:00:00Z\n    node_hour: 2.00 USD'} spellcheck={false} /></Field>
        <div>
          <Field label="Since" hint="a whole hour, UTC; empty: all that is kept"><input value={at.since} onInput={(e) => put({since: e.currentTarget.value.trim()})} pattern="\d{4}-\d\d-\d\dT\d\d" placeholder="2026-08-01T13" /></Field>
          <Field label="Until" hint="a whole hour, UTC; empty: now"><input value={at.until} onInput={(e) => put({until: e.currentTarget.value.trim()})} pattern="\d{4}-\d\d-\d\dT\d\d" placeholder="2026-08-02T00" /></Field>
        </div>
      </div>
      <p class="note">The same work at the same times, decided anew. <button type="button" class="small" onClick={take}>Begin with the policy in force</button></p>
      {error && <Trouble error={error} what="The policy could not be read." />}
    </>
  );
}

export function Order({onStarted}: {onStarted: (run: Simulation) => void}) {
  const {query} = useCell(place);
  const may = useMay('operator');
  const what = query.what ?? 'scenario';
  const scenarios = useAsked((signal) => getIfThere<{data: Scenario[]}>('/api/v1/scenarios', signal), []);
  const list = scenarios.value?.data ?? [];
  const at = useCell(draft);
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const chosen = at.scenario || list[0]?.name || '';
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
      const body = what === 'scenario' ? {scenario: chosen, seeds: Number(at.seeds) || 1}
        : what === 'own' ? {scenario_yaml: at.yaml, seeds: Number(at.seeds) || 1}
        : {replay: {since: hourOf(at.since, 'Since'), until: hourOf(at.until, 'Until'), policy_yaml: at.policy.trim() ? at.policy : null, fleet_yaml: null, prices_yaml: at.prices.trim() ? at.prices : null}};
      onStarted(await post<Simulation>('/api/v1/simulations', body));
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
            <label key={s.name} class={s.name === chosen ? 'chosen' : ''}><input type="radio" name="scenario" value={s.name} checked={s.name === chosen} onChange={() => put({scenario: s.name})} /><b>{s.name}</b><span>{s.says ?? s.description}</span></label>
          ))}
        </fieldset>
      )}
      {what === 'replay' && <Replay />}
      {what === 'own' && <Field label="Scenario" hint="YAML; it may name only files that came with the program"><textarea class="mono editor" rows={14} value={at.yaml} onInput={(e) => put({yaml: e.currentTarget.value})} required spellcheck={false} /></Field>}
      <div class="actions">
        {what !== 'replay' && <Field label="Seeds" hint="more of them give error bars"><input type="number" min={1} max={1000} value={at.seeds} onInput={(e) => put({seeds: e.currentTarget.value})} size={5} /></Field>}
        {may === false && <p class="note">To run one takes a key of the role operator.</p>}
        {may && <button class="primary" disabled={busy || (what === 'scenario' && !chosen)}>Run it</button>}
      </div>
      {error && <Trouble error={error} what="Not started." />}
    </form>
  );
}
