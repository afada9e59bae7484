// From what NVIDIA only would have cost to the bill that is paid, step by step.
import {percent, usd} from '../format';
import type {CostRow} from '../types';

interface Step {name: string; says: string; from: number; to: number; kind: 'base' | 'down' | 'up' | 'sum'}

/** What the work cost beside NVIDIA only; then what was paid. Both have the step `Work`. */
export function stepsOf(total: CostRow): [Step[], Step[]] {
  const base = Number(total.baseline_usd ?? 0);
  const compared = Number(total.compared_cost_usd);
  const work = Number(total.cost_usd);
  const over = Number(total.overhead_usd);
  const idle = Number(total.idle_usd);
  const first: Step[] = [];
  if (base > 0) {
    const saved = base - compared;
    first.push({name: 'NVIDIA only', says: 'the same work, one clean attempt', from: 0, to: base, kind: 'base'});
    first.push({name: saved >= 0 ? 'Saved' : 'Paid more', says: `${percent(Math.abs(saved) / base, Math.abs(saved) < 0.01 * base ? 1 : 0)} of it`, from: base, to: compared, kind: saved >= 0 ? 'down' : 'up'});
  }
  const rest = work - compared;
  if (rest > 5e-10) first.push({name: 'Not comparable', says: 'no NVIDIA pool could do it', from: compared, to: work, kind: 'up'});
  const done: Step = {name: 'Work', says: 'what it cost', from: 0, to: work, kind: 'sum'};
  first.push(done);
  const second = [done];
  if (over > 0) second.push({name: 'Overhead', says: 'attempts that were lost', from: work, to: work + over, kind: 'up'});
  if (idle > 0) second.push({name: 'Idle', says: 'paid for, held by nobody', from: work + over, to: work + over + idle, kind: 'up'});
  second.push({name: 'The bill', says: 'the ledger’s sum', from: 0, to: Number(total.bill_usd), kind: 'sum'});
  return [first, second];
}

const mostOf = (steps: Step[]) => Math.max(...steps.map((s) => Math.max(s.from, s.to)), 1e-12);

function Fall({steps, most}: {steps: Step[]; most: number}) {
  return (
    <>{steps.map((step, i) => {
      const top = Math.max(step.from, step.to) / most;
      const low = Math.min(step.from, step.to) / most;
      const sign = step.kind === 'down' ? '−' : step.kind === 'up' ? '+' : '';
      return (
        <div class={`fall ${step.kind}`} key={step.name}>
          <span class="fall-value num">{sign}{usd(Math.abs(step.to - step.from))}</span>
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <rect x="12" width="76" y={100 - 100 * top} height={Math.max(0.8, 100 * (top - low))} />
            {i + 1 < steps.length && <path d={`M88 ${100 - 100 * step.to / most}H112`} />}
          </svg>
          <span class="fall-name">{step.name}</span><small>{step.says}</small>
        </div>
      );
    })}</>
  );
}

export function Waterfall({total}: {total: CostRow}) {
  const [first, second] = stepsOf(total);
  const words = [...first, ...second.slice(1)].map((s) => `${s.name} ${usd(Math.abs(s.to - s.from))}`).join(', ');
  const label = `From NVIDIA only to the bill: ${words}`;
  const times = mostOf(second) / mostOf(first);
  if (first.length < 2 || times < 3) {
    const all = [...first, ...second.slice(1)];
    return <figure class="waterfall" aria-label={label}><Fall steps={all} most={mostOf(all)} /></figure>;
  }
  // Idle time would flatten what was saved: each half has a scale of its own, and says so.
  return (
    <figure class="waterfall halves" aria-label={label}>
      <div class="half"><p class="half-name">What the work cost</p><div class="falls"><Fall steps={first} most={mostOf(first)} /></div></div>
      <div class="half"><p class="half-name">What was paid <small>drawn {times < 10 ? times.toFixed(1) : Math.round(times)} times smaller</small></p><div class="falls"><Fall steps={second} most={mostOf(second)} /></div></div>
    </figure>
  );
}
