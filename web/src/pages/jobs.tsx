import {useEffect, useRef, useState} from 'preact/hooks';
import {get} from '../api';
import {useCell} from '../cell';
import {between, count, seconds} from '../format';
import {jobChange, revived} from '../live';
import {href, place, setQuery} from '../router';
import {type Column, Rows} from '../rows';
import type {Job, List} from '../types';
import {Choice, Copied, Empty, Head, Saved, State, Time, Trouble, Usd} from '../ui';

const STATES: [string, string][] = [['', 'All'], ['queued', 'Queued'], ['starting,running', 'Running'], ['succeeded', 'Succeeded'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];
const MOST = 10_000;

const COLUMNS: Column<Job>[] = [
  {name: 'id', title: 'Job', class: 'c-id', cell: (job) => <a href={href('jobs', job.id)}>{job.id}</a>},
  {name: 'name', title: 'Name', class: 'c-name', cell: (job) => <span class="clip" title={job.name}>{job.name || <i>no name</i>}</span>},
  {name: 'state', title: 'State', class: 'c-state', cell: (job) => <State of={job.state} says={job.cancelling ? 'cancelling' : undefined} />},
  {name: 'pool', title: 'Pool', class: 'c-pool', cell: (job) => job.pool ? <span class="clip">{job.pool}</span> : <i>–</i>},
  {name: 'at', title: 'Submitted', class: 'c-at', cell: (job) => <Time at={job.created_at} />},
  {name: 'took', title: 'Ran for', class: 'c-took num', cell: (job) => seconds(between(job.started_at, job.finished_at))},
  {name: 'cost', title: 'Cost', class: 'c-cost num', cell: (job) => <Usd of={job.state === 'queued' ? null : job.cost_usd} />},
  {name: 'saved', title: 'vs. NVIDIA', class: 'c-saved num', cell: (job) => <Saved cost={job.cost_usd} baseline={job.baseline_cost_usd} />},
  {name: 'tenant', title: 'Tenant', class: 'c-tenant', cell: (job) => <span class="clip">{job.tenant}</span>},
];

const pathOf = (query: Record<string, string>, after = '') => {
  const asked = new URLSearchParams({limit: '100'});
  for (const name of ['state', 'pool', 'name', 'tenant']) if (query[name]) asked.set(name, query[name]!);
  if (after) asked.set('after', after);
  return `/api/v1/jobs?${asked}`;
};

/** The list as far as it was scrolled, kept up to date by the stream. */
function useJobs(query: Record<string, string>) {
  const [jobs, setJobs] = useState<Job[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const more = useRef<string | null>(null);
  const busy = useRef(false);
  const round = useRef(0);
  const back = useCell(revived);
  const narrowed = JSON.stringify([query.state, query.pool, query.name, query.tenant]);
  const shown = useRef('');

  const merge = (old: Job[] | null, fresh: Job[]) => {
    const byId = new Map((old ?? []).map((job) => [job.id, job]));
    for (const job of fresh) byId.set(job.id, job);
    const number = (job: Job) => Number(job.id.slice(4));
    return [...byId.values()].sort((a, b) => number(b) - number(a)).slice(0, MOST);
  };
  const read = async (after: string, mine: number) => {
    if (busy.current) return;
    busy.current = true;
    try {
      const page = await get<List<Job>>(pathOf(query, after));
      if (mine !== round.current) return;
      const anew = !after && more.current === null;
      setJobs((old) => merge(anew ? null : old, page.data));
      if (after || more.current === null) more.current = page.has_more ? page.last_id : '';
      setError(null);
    } catch (e) {
      if (mine === round.current) setError(e as Error);
    } finally {
      busy.current = false;
    }
  };
  useEffect(() => {
    const mine = ++round.current;
    busy.current = false;
    more.current = null;
    if (shown.current !== narrowed) setJobs(null);
    shown.current = narrowed;
    void read('', mine);
  }, [narrowed, back]);

  // One look a second at most, however many jobs change.
  const change = useCell(jobChange);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (!change || due.current) return;
    setJobs((old) => old?.map((job) => job.id === change.id ? {...job, state: change.state, pool: change.pool} : job) ?? null);
    due.current = setTimeout(() => { due.current = null; void read('', round.current); }, 1000);
  }, [change]);
  useEffect(() => () => { if (due.current) clearTimeout(due.current); }, []);

  const next = () => { if (more.current && (jobs?.length ?? 0) < MOST) void read(more.current, round.current); };
  const state = query.state?.split(',');
  return {jobs: jobs && state ? jobs.filter((job) => state.includes(job.state)) : jobs, error, next, full: more.current === ''};
}

export function JobsPage() {
  const {query} = useCell(place);
  const {jobs, error, next, full} = useJobs(query);
  const narrowed = query.state || query.pool || query.name;
  const search = (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setQuery({name: String(form.get('name') ?? '').trim(), pool: String(form.get('pool') ?? '').trim()});
  };
  return (
    <>
      <Head title="Jobs" note={jobs ? `${count(jobs.length)}${full ? '' : ' shown, more below'}` : undefined}>
        <a class="button primary" href={href('jobs', 'new')}>Submit a job</a>
      </Head>
      <div class="filters">
        <Choice label="State" options={STATES} value={query.state ?? ''} onChange={(state) => setQuery({state})} />
        <form onSubmit={search} role="search">
          <input name="name" data-search="" placeholder="Name" aria-label="Name of the job" defaultValue={query.name} />
          <input name="pool" placeholder="Pool" aria-label="Pool" defaultValue={query.pool} />
          <button>Find</button>
        </form>
      </div>
      {error && <Trouble error={error} what="The jobs could not be read." />}
      {jobs?.length === 0 && (narrowed
        ? <Empty title="No such job"><p>None that is kept fits. <a href={href('jobs')}>Show all</a></p></Empty>
        : (
          <Empty title="No job was submitted yet">
            <p>A job is a command with what it needs and by when. Spillway puts it on the cheapest pool that can do it in time. <a href={href('jobs', 'new')}>Submit one here</a>, or:</p>
            <Copied text="spillway submit --wait --cpus 0.5 -- sha256sum /etc/hostname" />
          </Empty>
        ))}
      {jobs && jobs.length > 0 && <Rows label="Jobs" columns={COLUMNS} rows={jobs} keyOf={(job) => job.id} hrefOf={(job) => href('jobs', job.id)} onEnd={next} />}
      {!jobs && !error && <div class="loading" aria-busy="true">Reading the jobs…</div>}
    </>
  );
}
