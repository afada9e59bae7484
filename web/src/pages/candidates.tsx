// Every pool that was asked about a piece of work, with its reason and its figures.
import {energy, grams, seconds, usd} from '../format';
import {href} from '../router';
import type {Candidate, Decision, Spread} from '../types';
import {State, Usd} from '../ui';
import {BASIS, codeWords} from '../words';

const p90 = (value: Spread | number | null | undefined) => typeof value === 'number' ? value : value?.p90;
const ORDER = {chosen: 0, awaited: 1, outranked: 2, refused: 3};

function sorted(candidates: Candidate[]): Candidate[] {
  const cost = (c: Candidate) => Number(c.estimate?.marginal_cost_usd ?? Infinity);
  return [...candidates].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict] || Number(!a.estimate) - Number(!b.estimate) || cost(a) - cost(b));
}

function CostBar({candidate, most}: {candidate: Candidate; most: number}) {
  const cost = Number(candidate.estimate?.cost_usd ?? 0);
  const added = Number(candidate.estimate?.marginal_cost_usd ?? 0);
  const wide = most > 0 ? 100 * cost / most : 0;
  return (
    <svg class={`cost-bar ${candidate.verdict}`} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="cost-all" width={wide} height="8" /><rect class="cost-added" width={most > 0 ? Math.min(wide, 100 * added / most) : 0} height="8" />
    </svg>
  );
}

export function Candidates({candidates}: {candidates: Candidate[]}) {
  const most = Math.max(0, ...candidates.map((c) => Number(c.estimate?.cost_usd ?? 0)));
  const tokens = candidates.some((c) => p90(c.estimate?.ttft_s) !== undefined && p90(c.estimate?.ttft_s) !== null);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Every pool">
      <table class="candidates stack">
        <thead><tr>
          <th scope="col">Pool</th><th scope="col">Verdict</th><th scope="col">Why</th><th scope="col" class="num">Cost</th>
          <th scope="col" class="wide-only"><span class="sr">Cost, drawn</span></th>
          <th scope="col" class="num" title="What it adds to the bill: decisions compare this">Adds</th>
          <th scope="col" class="num">Wait, p90</th><th scope="col" class="num">Runs, p90</th>{tokens && <th scope="col" class="num">1st token</th>}
          <th scope="col" class="num">Energy</th><th scope="col" class="num">Carbon</th><th scope="col">Known</th>
        </tr></thead>
        <tbody>{sorted(candidates).map((c) => {
          const e = c.estimate;
          return (
            <tr key={c.pool} class={`v-${c.verdict}${e ? '' : ' bare'}`}>
              <th scope="row"><a href={href('pools', c.pool)}>{c.pool}</a>{c.modelled && <span class="tag">modelled</span>}</th>
              <td><State of={c.verdict} /></td>
              <td class="why">{c.why}{c.codes.length > 1 && <small> also: {c.codes.filter((code) => code !== c.code).map(codeWords).join(', ')}</small>}</td>
              <td class="num" data-name="Cost"><Usd of={e?.cost_usd} /></td>
              <td class="wide-only">{e && <CostBar candidate={c} most={most} />}</td>
              <td class="num" data-name="Adds"><Usd of={e?.marginal_cost_usd} /></td>
              <td class="num" data-name="Wait, p90">{seconds(e?.wait_s.p90)}</td><td class="num" data-name="Runs, p90">{seconds(e?.duration_s.p90)}</td>{tokens && <td class="num" data-name="1st token">{seconds(p90(e?.ttft_s))}</td>}
              <td class="num" data-name="Energy">{energy(e?.energy_joules)}</td><td class="num" data-name="Carbon">{grams(e?.carbon_grams)}</td>
              <td data-name="Known">{e ? <span title={BASIS[e.basis]}>{e.basis}</span> : '–'}</td>
            </tr>
          );
        })}</tbody>
      </table>
    </div>
  );
}

/** One sentence that answers "why there?". */
export function Verdict({decision}: {decision: Pick<Decision, 'outcome' | 'chosen' | 'candidates' | 'baseline' | 'rule'>}) {
  const chosen = decision.candidates.find((c) => c.verdict === 'chosen');
  const awaited = decision.candidates.find((c) => c.verdict === 'awaited');
  const cost = chosen?.estimate?.cost_usd;
  const base = decision.baseline.cost_usd;
  const cheaper = base && cost ? Number(base) / Number(cost) : null;
  return (
    <p class="verdict">
      <State of={decision.outcome} />{' '}
      {decision.outcome === 'placed' && <>on <a href={href('pools', decision.chosen ?? '')}><b>{decision.chosen}</b></a>{chosen && chosen.why !== 'chosen' && <>: {chosen.why}</>}.</>}
      {decision.outcome === 'waiting' && <>{awaited ? <>for <b>{awaited.pool}</b>: it {awaited.why}.</> : 'until a pool frees.'}</>}
      {decision.outcome === 'refused' && <>No pool of this fleet could ever do it; each says why below.</>}
      {decision.rule && <> By the rule <code>{decision.rule}</code>.</>}
      {decision.baseline.pool && base && <> On NVIDIA only ({decision.baseline.pool}) it would cost {usd(base)}{cheaper && cheaper > 1.05 ? `, ${cheaper >= 10 ? Math.round(cheaper) : cheaper.toFixed(1)} times as much` : ''}.</>}
      {!base && decision.baseline.code && <> No NVIDIA pool here could do it ({codeWords(decision.baseline.code)}), so nothing is claimed to be saved.</>}
    </p>
  );
}
