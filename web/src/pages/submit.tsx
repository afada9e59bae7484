import {useEffect, useState} from 'preact/hooks';
import {get, post, Problem} from '../api';
import {useCell} from '../cell';
import {useMay} from '../live';
import {go, href, place} from '../router';
import type {Candidate, Decision, Job} from '../types';
import {Field, Head, Trouble} from '../ui';
import {Candidates, Verdict} from './candidates';

interface Form {name: string; command: string; cpus: string; memory: string; devices: string; kind: string; runtime: string; seconds: string; within: string; cost: string}
const START: Form = {name: '', command: 'sha256sum /etc/hostname', cpus: '1', memory: '256MiB', devices: '0', kind: '', runtime: '', seconds: '', within: '', cost: ''};

/** Words as a shell splits them, without anything else that a shell does. */
export function split(command: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let i = 0; i < command.length; ++i) {
    const c = command[i]!;
    if (quote) {
      if (c === quote) quote = '';
      else if (c === '\\' && quote === '"' && '"\\$`'.includes(command[i + 1] ?? ' ')) word += command[++i]!;
      else word += c;
    } else if (c === '"' || c === "'") { quote = c; word ??= ''; }
    else if (/\s/.test(c)) { if (word !== null) words.push(word); word = null; }
    else word = (word ?? '') + (c === '\\' ? command[++i] ?? '' : c);
  }
  if (word !== null) words.push(word);
  return words;
}

function documentOf(form: Form): Record<string, unknown> {
  const needs: Record<string, unknown> = {cpus: Number(form.cpus) || form.cpus, memory: form.memory};
  if (Number(form.devices) > 0) needs.devices = {count: Number(form.devices), ...form.kind ? {kind: form.kind} : {}};
  if (form.runtime) needs.runtime = form.runtime;
  const objective: Record<string, unknown> = {};
  if (form.within) objective.start_within = form.within;
  if (form.cost) objective.max_cost_usd = form.cost;
  return {
    ...form.name ? {name: form.name} : {},
    run: {command: split(form.command)}, needs,
    ...form.seconds ? {demand: {seconds: Number(form.seconds)}} : {},
    ...Object.keys(objective).length > 0 ? {objective} : {},
  };
}

const ECHOED = ['name', 'run', 'needs', 'demand', 'objective', 'priority', 'retries', 'labels', 'alternatives', 'pin', 'queue_timeout'];
export const documentLike = (job: Job) => Object.fromEntries(ECHOED.filter((k) => k in job)
  .map((k) => [k === 'pin' ? 'pool' : k, (job as unknown as Record<string, unknown>)[k]]));

export function SubmitPage() {
  const {query} = useCell(place);
  const may = useMay('submitter');
  const asks = query.ask === 'true' || may === false;  // a reader may ask where it would go
  const [form, setForm] = useState(START);
  const [text, setText] = useState<string | null>(null);  // null: the form is what counts
  const [error, setError] = useState<Error | null>(null);
  const [decision, setDecision] = useState<Decision | null>(null);
  const [refused, setRefused] = useState<Candidate[] | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (!query.like) return;
    get<Job>(`/api/v1/jobs/${encodeURIComponent(query.like)}`).then((job) => setText(JSON.stringify(documentLike(job), null, 2)), setError);
  }, [query.like]);

  const set = (name: keyof Form) => (event: Event) => setForm({...form, [name]: (event.currentTarget as HTMLInputElement).value});
  const send = async (path: string) => {
    setError(null);
    setDecision(null);
    setRefused(null);
    setBusy(true);
    try {
      const body = text === null ? documentOf(form) : JSON.parse(text);
      if (path === '/api/v1/jobs') go('jobs', (await post<Job>(path, body)).id);
      else setDecision(await post<Decision>(path, body));
    } catch (e) {
      setError(e instanceof SyntaxError ? new Error(`This is not JSON: ${e.message}`) : e as Error);
      if (e instanceof Problem && e.body.candidates) setRefused(e.body.candidates as Candidate[]);
    }
    setBusy(false);
  };
  const input = (name: keyof Form, label: string, hint?: string, more: Record<string, unknown> = {}) => (
    <Field label={label} hint={hint}><input value={form[name]} onInput={set(name)} {...more} /></Field>
  );
  return (
    <>
      <p class="crumbs"><a href={href(asks ? 'decisions' : 'jobs')}>{asks ? 'Decisions' : 'Jobs'}</a> / {asks ? 'dry run' : 'new'}</p>
      <Head title={asks ? 'Where would it go?' : 'Submit a job'} note={asks ? 'Decided as if it were submitted now; nothing is queued and nothing is kept.' : 'It goes to the cheapest pool that can do it in time.'} />
      <form class="submit" onSubmit={(e) => { e.preventDefault(); void send(asks ? '/api/v1/decisions:dry-run' : '/api/v1/jobs'); }}>
        {text === null ? (
          <div class="fields">
            <Field label="Command" hint="a program and its arguments, no shell; quotes group words"><input class="mono" value={form.command} onInput={set('command')} required spellcheck={false} /></Field>
            {input('name', 'Name', 'durations are learned by name')}
            {input('cpus', 'CPUs')}{input('memory', 'Memory', 'with its unit: 2GiB')}
            {input('devices', 'Devices', undefined, {type: 'number', min: 0, max: 64})}
            <Field label="Of kind"><select value={form.kind} onChange={set('kind')}><option value="">any</option><option value="npu">NPU</option><option value="gpu">GPU</option></select></Field>
            {input('runtime', 'Runtime', 'cuda>=12, openvino, synapse; empty: a plain program')}
            {input('seconds', 'Takes about', 'seconds; empty: learned, or a minute', {inputMode: 'decimal'})}
            {input('within', 'Start within', '30s; empty: what the policy says')}
            {input('cost', 'At most', 'dollars, hard: 0.05', {inputMode: 'decimal'})}
          </div>
        ) : <Field label="Job document" hint="docs/jobs.md tells every key"><textarea class="mono editor" rows={18} value={text} onInput={(e) => setText(e.currentTarget.value)} spellcheck={false} /></Field>}
        <div class="actions">
          {!asks && may && <button class="primary" disabled={busy}>Submit</button>}
          <button type={asks ? 'submit' : 'button'} class={asks ? 'primary' : ''} disabled={busy} onClick={asks ? undefined : () => void send('/api/v1/decisions:dry-run')}>Where would it go?</button>
          <button type="button" class="plain" onClick={() => setText(text === null ? JSON.stringify(documentOf(form), null, 2) : null)}>{text === null ? 'Edit as JSON' : 'Back to the form'}</button>
        </div>
      </form>
      {error && <Trouble error={error} what={refused ? 'Refused:' : 'Not taken:'} />}
      {refused && <Candidates candidates={refused} />}
      {decision && <section aria-live="polite" class="answer"><Verdict decision={decision} /><Candidates candidates={decision.candidates} /></section>}
    </>
  );
}
