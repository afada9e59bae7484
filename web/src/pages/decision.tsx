import {get, Problem} from '../api';
import {energy, grams, seconds} from '../format';
import {href} from '../router';
import type {Decision} from '../types';
import {Empty, Facts, Head, Saved, State, Time, Trouble, Usd, useAsked} from '../ui';
import {Candidates, Verdict} from './candidates';

function RequestFacts({decision}: {decision: Decision}) {
  const r = decision.request!;
  return (
    <Facts rows={[
      ['Model', r.answered_by && r.answered_by !== r.model ? `${r.model}, answered by ${r.answered_by}` : r.model], ['Engine', r.endpoint ?? '–'],
      ['End', <><State of={r.end} /> {r.status}</>], ['Cost', <Usd of={r.cost_usd} />],
      ['NVIDIA only', <><Usd of={r.baseline_cost_usd} /> <Saved cost={r.cost_usd} baseline={r.baseline_cost_usd} /></>], ['Adds to the bill', <Usd of={r.marginal_cost_usd} />],
      ['First token', seconds(r.ttft_s)], ['Each further token', seconds(r.tpot_s)], ['Waited here', seconds(r.queued_s)],
      ['Tokens', `${r.prompt_tokens ?? '–'} in, ${r.output_tokens ?? '–'} out`], ['Energy', energy(r.energy_joules)], ['Carbon', grams(r.carbon_grams)],
    ]} />
  );
}

export function DecisionPage({id}: {id: string}) {
  const {value: decision, error} = useAsked((signal) => get<Decision>(`/api/v1/decisions/${encodeURIComponent(id)}`, signal), [id]);
  if (error) {
    return error instanceof Problem && error.status === 404
      ? <Empty title={`There is no decision ${id}`}><p>It may be older than what is kept, or another tenant’s. <a href={href('decisions')}>All decisions</a></p></Empty>
      : <Trouble error={error} what="The decision could not be read." />;
  }
  if (!decision) return <div class="loading" aria-busy="true">Reading {id}…</div>;
  return (
    <>
      <p class="crumbs"><a href={href('decisions', '', {of: decision.request ? 'requests' : undefined})}>Decisions</a> / {decision.id}</p>
      <Head title={decision.id} note={<>{decision.name && <b class="clip">{decision.name}</b>} <Time at={decision.at} /></>}>
        {decision.work && <a class="button" href={href('jobs', decision.work)}>{decision.work}</a>}
      </Head>
      <Verdict decision={decision} />
      {decision.request && <RequestFacts decision={decision} />}
      <Candidates candidates={decision.candidates} />
      <Facts rows={[
        ['Policy', `${decision.policy}, version ${decision.policy_version}`], ['Tenant', decision.tenant],
        ...decision.spill_at ? [['Decided again by', <Time at={decision.spill_at} />] as [string, preact.ComponentChildren]] : [],
        ['Inputs', <code title="A hash of all that it looked at: the same inputs give the same decision">{decision.inputs_hash}</code>],
      ]} />
      <p class="note">Costs are what people are shown; what it adds to the bill is what was compared. <code>spillway explain {decision.id}</code> says the same in a terminal.</p>
    </>
  );
}
