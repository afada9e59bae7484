import {useEffect} from 'preact/hooks';
import {useCell} from '../cell';
import {seconds} from '../format';
import {tales} from '../live';
import {usePages} from '../pages_of';
import {href, place, setQuery} from '../router';
import {type Column, Rows} from '../rows';
import type {Candidate, Decision, Outcome} from '../types';
import {Choice, Copied, Empty, Head, Saved, State, Time, Trouble, Usd} from '../ui';

interface RequestRow {id: string; tenant: string; request: Outcome}
type Row = Decision | RequestRow;
const isRequest = (row: Row): row is RequestRow => !('outcome' in row);

const JOBS: Column<Row>[] = [
  {name: 'at', title: 'At', class: 'c-at', cell: (d) => <Time at={(d as Decision).at} />},
  {name: 'id', title: 'Decision', class: 'c-id', cell: (d) => <a href={href('decisions', d.id)}>{d.id}</a>},
  {name: 'work', title: 'Work', class: 'c-id', cell: (d) => (d as Decision).work ? <a href={href('jobs', (d as Decision).work!)}>{(d as Decision).work}</a> : <i title="It was refused when it came, and never became a job">never a job</i>},
  {name: 'name', title: 'Name', class: 'c-name', cell: (d) => <span class="clip" title={(d as Decision).name}>{(d as Decision).name || <i>no name</i>}</span>},
  {name: 'outcome', title: 'Outcome', class: 'c-state', cell: (d) => <State of={(d as Decision).outcome} />},
  {name: 'pool', title: 'Pool', class: 'c-pool', cell: (d) => <span class="clip">{(d as Decision).chosen ?? (d as Decision).candidates.find((c) => c.verdict === 'awaited')?.pool ?? '–'}</span>},
  {name: 'cost', title: 'Cost', class: 'c-cost num', cell: (d) => <Usd of={chosenOf(d as Decision)?.estimate?.cost_usd} />},
  {name: 'saved', title: 'vs. NVIDIA', class: 'c-saved num', cell: (d) => <Saved cost={chosenOf(d as Decision)?.estimate?.cost_usd ?? null} baseline={(d as Decision).baseline.cost_usd} />},
  {name: 'why', title: 'Why not elsewhere', class: 'c-why', cell: (d) => <span class="clip">{whyOf(d as Decision)}</span>},
];
const REQUESTS: Column<Row>[] = [
  {name: 'at', title: 'Ended', class: 'c-at', cell: (r) => <Time at={(r as RequestRow).request.ended_at} />},
  {name: 'id', title: 'Request', class: 'c-id', cell: (r) => <a href={href('decisions', r.id)}>{r.id}</a>},
  {name: 'model', title: 'Model', class: 'c-name', cell: (r) => <span class="clip">{(r as RequestRow).request.model}</span>},
  {name: 'end', title: 'End', class: 'c-state', cell: (r) => <State of={(r as RequestRow).request.end} />},
  {name: 'pool', title: 'Engine', class: 'c-pool', cell: (r) => <span class="clip">{(r as RequestRow).request.endpoint ?? '–'}</span>},
  {name: 'cost', title: 'Cost', class: 'c-cost num', cell: (r) => <Usd of={(r as RequestRow).request.cost_usd} />},
  {name: 'saved', title: 'vs. NVIDIA', class: 'c-saved num', cell: (r) => <Saved cost={(r as RequestRow).request.cost_usd} baseline={(r as RequestRow).request.baseline_cost_usd} />},
  {name: 'ttft', title: '1st token', class: 'c-took num', cell: (r) => seconds((r as RequestRow).request.ttft_s)},
  {name: 'tokens', title: 'Tokens', class: 'c-took num', cell: (r) => `${(r as RequestRow).request.prompt_tokens ?? '–'} → ${(r as RequestRow).request.output_tokens ?? '–'}`},
];
const chosenOf = (d: Decision) => d.candidates.find((c) => c.verdict === 'chosen');
/** Of the others the one that says most: what it waits for, or the cheapest that could have done it. */
function whyOf(d: Decision): string {
  const cost = (c: Candidate) => Number(c.estimate?.marginal_cost_usd ?? Infinity);
  const others = d.candidates.filter((c) => c.verdict !== 'chosen').sort((a, b) => Number(b.verdict === 'awaited') - Number(a.verdict === 'awaited') || cost(a) - cost(b));
  const other = others[0];
  if (!other) return 'there is no other pool';
  return other.estimate || others.length === 1 ? `${other.pool}: ${other.why}` : `none of the ${others.length} others could; ${other.pool}: ${other.why}`;
}
const KINDS: [string, string][] = [['jobs', 'Jobs'], ['requests', 'Requests']];
const OUTCOMES: [string, string][] = [['', 'All'], ['placed', 'Placed'], ['waiting', 'Waiting'], ['refused', 'Refused']];

/** The rows of one kind; another kind has other columns, and is another list. */
function OneKind({kind, outcome}: {kind: string; outcome: string}) {
  const narrowed = kind === 'jobs' && outcome ? `&outcome=${encodeURIComponent(outcome)}` : '';
  const {rows, error, next, soon} = usePages<Row>(`/api/v1/${kind === 'jobs' ? 'decisions' : 'requests'}?limit=100${narrowed}`);
  const told = useCell(tales);
  useEffect(() => { if (rows) soon(2000); }, [told]);

  return (
    <>
      {error && <Trouble error={error} what="The decisions could not be read." />}
      {rows?.length === 0 && (
        <Empty title={kind === 'jobs' ? 'No decision is kept' : 'No request has ended yet'}>
          <p>{kind === 'jobs' ? 'Each job is decided on when it comes, and again when what it waits for changes.' : 'Point any OpenAI client at this address; each request is routed to the cheapest engine that answers in time.'}</p>
          <Copied text={kind === 'jobs' ? 'spillway explain --dry-run --cpus 1 -- true' : `export OPENAI_BASE_URL=${location.origin}/v1`} />
        </Empty>
      )}
      {rows && rows.length > 0 && <Rows label={kind === 'jobs' ? 'Decisions about jobs' : 'Requests'} columns={kind === 'jobs' ? JOBS : REQUESTS} rows={rows} keyOf={(r) => r.id}
        hrefOf={(r) => href('decisions', r.id)} onEnd={next} />}
      {rows && rows.some(isRequest) && <p class="note">Prompts and answers are never kept; counts and names are.</p>}
      {!rows && !error && <div class="loading" aria-busy="true">Reading…</div>}
    </>
  );
}

export function DecisionsPage() {
  const {query} = useCell(place);
  const kind = query.of === 'requests' ? 'requests' : 'jobs';
  const outcome = query.outcome ?? '';
  return (
    <>
      <Head title="Decisions" note="Where each piece of work went, what every other pool said, and the figures.">
        <a class="button primary" href={href('jobs', 'new', {ask: 'true'})}>Where would it go?</a>
      </Head>
      <div class="filters">
        <Choice label="Of" options={KINDS} value={kind} onChange={(of) => setQuery({of, outcome: undefined})} />
        {kind === 'jobs' && <Choice label="Outcome" options={OUTCOMES} value={outcome} onChange={(o) => setQuery({outcome: o})} />}
      </div>
      <OneKind key={`${kind} ${outcome}`} kind={kind} outcome={outcome} />
    </>
  );
}
