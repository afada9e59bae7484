// From what NVIDIA only would have cost to the bill that is paid, step by step.
import {percent, usd} from '../format';
import type {CostRow} from '../types';

interface Step {name: string; says: string; from: number; to: number; kind: 'base' | 'down' | 'up' | 'sum'}

export function stepsOf(total: CostRow, compared: number): Step[] {
  const base = Number(total.baseline_usd ?? 0);
  const work = Number(total.cost_usd);
  const over = Number(total.overhead_usd);
  const idle = Number(total.idle_usd);
  const steps: Step[] = [];
  if (base > 0) {
    const saved = base - compared;
    steps.push({name: 'NVIDIA only', says: 'the same work, one clean attempt', from: 0, to: base, kind: 'base'});
    steps.push({name: saved >= 0 ? 'Saved' : 'Paid more', says: `${percent(Math.abs(saved) / base)} of it`, from: base, to: compared, kind: saved >= 0 ? 'down' : 'up'});
  }
  const rest = work - compared;
  if (rest > 1e-9) steps.push({name: 'Not comparable', says: 'no NVIDIA pool could do it', from: compared, to: work, kind: 'up'});
  steps.push({name: 'Work', says: 'what it cost', from: 0, to: work, kind: 'sum'});
  if (over > 0) steps.push({name: 'Overhead', says: 'attempts that were lost', from: work, to: work + over, kind: 'up'});
  steps.push({name: 'Idle', says: 'paid for, held by nobody', from: work + over, to: work + over + idle, kind: 'up'});
  steps.push({name: 'The bill', says: 'the ledger’s sum', from: 0, to: work + over + idle, kind: 'sum'});
  return steps;
}

export function Waterfall({total, compared}: {total: CostRow; compared: number}) {
  const steps = stepsOf(total, compared);
  const most = Math.max(...steps.map((s) => Math.max(s.from, s.to)), 1e-12);
  const words = steps.map((s) => `${s.name} ${usd(Math.abs(s.to - s.from))}`).join(', ');
  return (
    <figure class="waterfall" aria-label={`From NVIDIA only to the bill: ${words}`}>
      {steps.map((step, i) => {
        const top = Math.max(step.from, step.to) / most;
        const low = Math.min(step.from, step.to) / most;
        const next = steps[i + 1];
        const sign = step.kind === 'down' ? '−' : step.kind === 'up' ? '+' : '';
        return (
          <div class={`fall ${step.kind}`} key={step.name}>
            <span class="fall-value num">{sign}{usd(Math.abs(step.to - step.from))}</span>
            <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
              <rect x="12" width="76" y={100 - 100 * top} height={Math.max(0.8, 100 * (top - low))} />
              {next && next.kind !== 'sum' && <path d={`M88 ${100 - 100 * step.to / most}H112`} />}
              {next && next.kind === 'sum' && <path d={`M88 ${100 - 100 * step.to / most}H112`} />}
            </svg>
            <span class="fall-name">{step.name}</span><small>{step.says}</small>
          </div>
        );
      })}
    </figure>
  );
}
