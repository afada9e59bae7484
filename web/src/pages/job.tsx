import {useEffect, useRef, useState} from 'preact/hooks';
import {events, get, post, Problem} from '../api';
import {useCell} from '../cell';
import {between, energy, grams, seconds} from '../format';
import {jobChange, revived, useMay} from '../live';
import {href, place, setQuery} from '../router';
import type {Decision, Job} from '../types';
import {Choice, Empty, Facts, Head, Saved, State, Time, Trouble, Usd, useAsked} from '../ui';
import {Candidates, Verdict} from './candidates';

const OVER = ['succeeded', 'failed', 'cancelled'];
const KEPT = 2 << 20;  // characters of a log

function Logs({id, over}: {id: string; over: boolean}) {
  const stream = useCell(place).query.stream === 'stderr' ? 'stderr' : 'stdout';
  const [text, setText] = useState('');
  const [cut, setCut] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [ended, setEnded] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const back = useCell(revived);

  useEffect(() => {
    const aborter = new AbortController();
    let all = '';
    let frame = 0;
    setText('');
    setCut(false);
    setError(null);
    setEnded(false);
    const show = () => { frame = 0; setText(all); };
    (async () => {
      for await (const {event, data} of events(`/api/v1/jobs/${id}/logs?follow=true&stream=${stream}`, aborter.signal)) {
        if (event === 'end') break;
        if (event !== 'log') continue;
        all += data;
        if (all.length > KEPT) { all = all.slice(-KEPT); setCut(true); }
        if (!frame) frame = requestAnimationFrame(show);
      }
      setText(all);
      setEnded(true);
    })().catch((e: Error) => { if (!aborter.signal.aborted) setError(e); });
    return () => { aborter.abort(); cancelAnimationFrame(frame); };
  }, [id, stream, back]);
  useEffect(() => { if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight; }, [text]);

  return (
    <section aria-labelledby="logs">
      <div class="section-head">
        <h2 id="logs">Output</h2>
        <Choice label="Output" options={[['stdout', 'stdout'], ['stderr', 'stderr']]} value={stream} onChange={(s) => setQuery({stream: s})} />
        <span class="note">{ended ? 'complete' : over ? '' : 'as it comes'}</span>
      </div>
      {error && <Trouble error={error} what="The output could not be read." />}
      {cut && <p class="note">Only its end is shown; <code>spillway logs {id}</code> has all of it.</p>}
      <pre class="log" ref={box} tabIndex={0} aria-label={`${stream} of ${id}`}
        onScroll={(e) => { const b = e.currentTarget; follows.current = b.scrollHeight - b.scrollTop - b.clientHeight < 24; }}>
        {text || <span class="dim">{ended ? `Nothing was written to ${stream}.` : 'Nothing yet.'}</span>}
      </pre>
    </section>
  );
}

function Attempts({job}: {job: Job}) {
  if (job.attempts.length === 0) return null;
  return (
    <section aria-labelledby="attempts">
      <div class="section-head"><h2 id="attempts">Attempts</h2></div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Attempts, one a row"><table class="stack">
        <thead><tr><th scope="col">#</th><th scope="col">Pool</th><th scope="col">State</th><th scope="col">Launched</th><th scope="col" class="num">Ran for</th><th scope="col">End</th><th scope="col" class="num">Cost</th><th scope="col" class="num">Adds</th><th scope="col" class="num">Energy</th><th scope="col">Decision</th></tr></thead>
        <tbody>{job.attempts.map((a) => (
          <tr key={a.number}>
            <th scope="row">{a.number}</th><td data-name="Pool"><a href={href('pools', a.pool)}>{a.pool}</a></td>
            <td data-name="State"><State of={a.state === 'ended' ? a.fault === 'none' ? 'succeeded' : a.fault === 'cancelled' ? 'cancelled' : 'failed' : a.state} /></td>
            <td data-name="Launched"><Time at={a.launched_at} /></td><td class="num" data-name="Ran for">{seconds(between(a.started_at, a.finished_at))}</td>
            <td data-name="End">{a.exit_code !== null ? `exit ${a.exit_code}` : a.signal !== null ? `signal ${a.signal}` : '–'}{a.fault === 'infrastructure' ? ', not its fault' : ''}{a.message ? `: ${a.message}` : ''}</td>
            <td class="num" data-name="Cost"><Usd of={a.cost_usd} /></td><td class="num" data-name="Adds"><Usd of={a.marginal_cost_usd} /></td><td class="num" data-name="Energy">{energy(a.energy_joules)}</td>
            <td data-name="Decision"><a href={href('decisions', a.decision)}>{a.decision}</a></td>
          </tr>
        ))}</tbody>
      </table></div>
    </section>
  );
}

export function JobPage({id}: {id: string}) {
  const {value: job, error, again} = useAsked((signal) => get<Job>(`/api/v1/jobs/${encodeURIComponent(id)}`, signal), [id]);
  const decision = useAsked((signal) => job ? get<Decision>(`/api/v1/decisions/${job.decision}`, signal) : Promise.reject(new DOMException('', 'AbortError')), [job?.decision]);
  const change = useCell(jobChange);
  const may = useMay('submitter');
  const [asked, setAsked] = useState(false);
  const [trouble, setTrouble] = useState<Error | null>(null);
  useEffect(() => { if (change && (change.id === id || change.missed)) again(); }, [change]);
  const runs = job && !OVER.includes(job.state);
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(again, 5000);
    return () => clearInterval(timer);
  }, [runs]);

  if (error && !job) {
    return error instanceof Problem && error.status === 404
      ? <Empty title={`There is no job ${id}`}><p>It may be older than what is kept, or another tenant’s. <a href={href('jobs')}>All jobs</a></p></Empty>
      : <Trouble error={error} what="The job could not be read." />;
  }
  if (!job) return <div class="loading" aria-busy="true">Reading {id}…</div>;
  const over = OVER.includes(job.state);
  const cancel = async () => {
    setAsked(true);
    setTrouble(null);
    try {
      await post(`/api/v1/jobs/${id}/cancel`);
      again();
    } catch (e) {
      setTrouble(e as Error);
      setAsked(false);
    }
  };
  return (
    <>
      <p class="crumbs"><a href={href('jobs')}>Jobs</a> / {job.id}</p>
      <Head title={job.name || job.id} note={<><State of={job.state} says={job.cancelling && !over ? 'cancelling' : undefined} />{job.pool && <> on <a href={href('pools', job.pool)}>{job.pool}</a></>}{job.modelled && <span class="tag">modelled</span>}{job.message && <> · {job.message}</>}</>}>
        {may && <a class="button" href={href('jobs', 'new', {like: job.id})}>Submit again</a>}
        {may && !over && <button type="button" class="danger" disabled={asked || job.cancelling} onClick={() => void cancel()}>{job.cancelling ? 'Cancelling…' : 'Cancel'}</button>}
      </Head>
      {trouble && <Trouble error={trouble} what="It could not be cancelled." />}
      <Facts rows={[
        ['Cost', <Usd of={job.cost_usd} />], ['NVIDIA only', <><Usd of={job.baseline_cost_usd} /> {job.baseline_cost_usd && <Saved cost={job.cost_usd} baseline={job.baseline_cost_usd} />}</>],
        ['Adds to the bill', <Usd of={job.marginal_cost_usd} />], ['Overhead', <Usd of={job.overhead_cost_usd} />],
        ['Energy', energy(job.energy_joules)], ['Carbon', grams(job.carbon_grams)],
        ['Submitted', <Time at={job.created_at} />], ['Waited', seconds(between(job.created_at, job.started_at ?? (over ? job.finished_at : null)))],
        ['Ran for', seconds(between(job.started_at, job.finished_at))], ['Tenant', job.tenant],
        ['Needs', Object.entries(job.needs ?? {}).map(([k, v]) => `${k} ${typeof v === 'object' && v ? Object.entries(v).map(([a, b]) => `${a}=${String(b)}`).join(' ') : String(v)}`).join(', ') || '–'],
        ['Objective', Object.entries(job.objective ?? {}).map(([k, v]) => `${k.replaceAll('_', ' ')} ${String(v)}`).join(', ') || '–'],
        ...Object.keys(job.labels ?? {}).length > 0 ? [['Labels', Object.entries(job.labels!).map(([k, v]) => `${k}=${v}`).join(', ')] as [string, string]] : [],
      ]} />
      <p class="command"><code>{(job.run?.command ?? []).map((w) => /^[\w./:=@%+-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`).join(' ')}</code></p>
      <section aria-labelledby="why">
        <div class="section-head"><h2 id="why">Why there</h2><a href={href('decisions', job.decision)}>{job.decision}</a></div>
        {decision.value && <><Verdict decision={decision.value} /><Candidates candidates={decision.value.candidates} /></>}
        {decision.error && <Trouble error={decision.error} what="The decision could not be read." />}
      </section>
      <Logs id={job.id} over={over} />
      <Attempts job={job} />
    </>
  );
}
