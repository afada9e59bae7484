import {useEffect} from 'preact/hooks';
import {useCell} from '../cell';
import {between, count, seconds} from '../format';
import {jobChange, useMay} from '../live';
import {usePages} from '../pages_of';
import {href, place, setQuery} from '../router';
import {type Column, Rows} from '../rows';
import type {Job} from '../types';
import {Choice, Copied, Empty, Head, Saved, State, Time, Trouble, Usd} from '../ui';

const STATES: [string, string][] = [['', 'All'], ['queued', 'Queued'], ['starting,running', 'Running'], ['succeeded', 'Succeeded'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];

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

const pathOf = (query: Record<string, string>) => {
  const asked = new URLSearchParams({limit: '100'});
  for (const name of ['state', 'pool', 'name', 'tenant']) if (query[name]) asked.set(name, query[name]!);
  return `/api/v1/jobs?${asked}`;
};
const numberOf = (job: Job) => Number(job.id.slice(4));
const newestFirst = (a: Job, b: Job) => numberOf(b) - numberOf(a);

/** The list as far as it was scrolled, kept up to date by the stream. */
function useJobs(query: Record<string, string>) {
  const {rows, change, soon, ...rest} = usePages<Job>(pathOf(query), newestFirst);
  const told = useCell(jobChange);
  useEffect(() => {
    if (!told) return;
    change((job) => job.id === told.id ? {...job, state: told.state, pool: told.pool} : job);
    soon(1000);  // however many jobs change
  }, [told]);
  const states = query.state?.split(',');
  return {jobs: rows && states ? rows.filter((job) => states.includes(job.state)) : rows, ...rest};
}

export function JobsPage() {
  const {query} = useCell(place);
  const {jobs, error, next, full} = useJobs(query);
  const may = useMay('submitter');
  const narrowed = query.state || query.pool || query.name;
  const search = (event: Event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setQuery({name: String(form.get('name') ?? '').trim(), pool: String(form.get('pool') ?? '').trim()});
  };
  return (
    <>
      <Head title="Jobs" note={jobs ? `${count(jobs.length)}${full ? '' : ' shown, more below'}` : undefined}>
        {may && <a class="button primary" href={href('jobs', 'new')}>Submit a job</a>}
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
            <p>A job is a command with what it needs and by when. Spillway puts it on the cheapest pool that can do it in time. {may ? <><a href={href('jobs', 'new')}>Submit one here</a>, or:</> : 'With a key of the role submitter:'}</p>
            <Copied text="spillway submit --wait --cpus 0.5 -- sha256sum /etc/hostname" />
          </Empty>
        ))}
      {jobs && jobs.length > 0 && <Rows label="Jobs" columns={COLUMNS} rows={jobs} keyOf={(job) => job.id} hrefOf={(job) => href('jobs', job.id)} onEnd={next} />}
      {!jobs && !error && <div class="loading" aria-busy="true">Reading the jobs…</div>}
    </>
  );
}
