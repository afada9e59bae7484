// What simulations found: dollars against time, cell by cell, each beside what it is compared with.
import {energy, grams, percent, plural, seconds, usd} from '../format';

interface Mean {mean: number; half: number}
export interface Cell {
  fleet: string; policy: string; workload: string; is_baseline: boolean; label: string; cost_usd: Mean; cost_paid_for_usd?: Mean | null; slo_attainment: Mean | null;
  ttft_p90_s?: Mean | null; ttft_p99_s?: Mean | null; latency_mean_s?: Mean | null; job_turnaround_p90_s?: Mean | null; nvidia_share?: Mean | null; energy_joules?: Mean | null; carbon_grams?: Mean | null;
  run?: string;
}
interface Measured {recorded: number; simulated: number}
interface BackTest {
  cost_usd: Measured; slo_attainment: Measured; latency_mean_s: Measured; ttft_p99_s: Measured; job_turnaround_mean_s: Measured;
  pool_shares: {pool: string; recorded: number; simulated: number}[];
}
interface Redone {compared: number; equal: number; differing: number; not_kept: number; not_redone: number}
export interface SimulationResults {
  scenario?: string; objective?: {attainment?: number}; rows?: Cell[];
  decisions?: Redone; requests?: Redone; back_test?: BackTest | null; notes?: string[];
}

const mean = (value: number): Mean => ({mean: value, half: 0});
const known = (value: number): Mean | null => value === 0 ? null : mean(value);

/** A replay that changed nothing: what was recorded, and what the simulator makes of it. */
function backTested(test: BackTest, nvidia: Set<string>, notes: string[]): Cell[] {
  // A first token that nobody saw was neither in time nor late.
  const unseen = notes.some((note) => note.includes('were not streamed'));
  const share = (side: 'recorded' | 'simulated') => mean(test.pool_shares.reduce((sum, s) => sum + (nvidia.has(s.pool) ? s[side] : 0), 0));
  return (['recorded', 'simulated'] as const).map((side) => ({
    fleet: side === 'recorded' ? 'as it was recorded' : 'run again, nothing changed', policy: '', workload: '', is_baseline: side === 'recorded', label: '',
    cost_usd: mean(test.cost_usd[side]), slo_attainment: side === 'recorded' && unseen ? null : mean(test.slo_attainment[side]), nvidia_share: nvidia.size > 0 ? share(side) : null,
    ttft_p99_s: known(test.ttft_p99_s[side]), latency_mean_s: known(test.latency_mean_s[side]), job_turnaround_p90_s: null,
  }));
}
export function cellsOf(of: SimulationResults, nvidia: Set<string>, run?: string): Cell[] {
  const cells = of.rows && of.rows.length > 0 ? of.rows : of.back_test ? backTested(of.back_test, nvidia, of.notes ?? []) : [];
  return run ? cells.map((cell) => ({...cell, run})) : cells;
}

const spread = (m: Mean | null | undefined, words: (v: number) => string) => m ? <>{words(m.mean)}{m.half > 0 && <small> ±{words(m.half)}</small>}</> : '–';

/** Dollars to the right, work in time upwards: the best cell is at the top left. */
export function Frontier({cells: all, wanted}: {cells: Cell[]; wanted: number | undefined}) {
  const cells = all.filter((c): c is Cell & {slo_attainment: Mean} => c.slo_attainment !== null);
  const W = 520;
  const H = 190;
  const most = Math.max(...cells.map((r) => r.cost_usd.mean + r.cost_usd.half), 1e-9) * 1.12;
  const least = Math.min(wanted ?? 1, ...cells.map((r) => r.slo_attainment.mean));
  const bottom = Math.max(0, least - (1 - least) * 0.25 - 0.002);
  const x = (cost: number) => 46 + (W - 66) * cost / most;
  const y = (slo: number) => 14 + (H - 44) * (1 - (slo - bottom) / (1 - bottom || 1));
  const marks = [0.25, 0.5, 0.75, 1].map((part) => most * part / 1.12);
  return (
    <svg class="frontier" viewBox={`0 0 ${W} ${H}`} role="img" aria-label="Cost and work in time of each cell">
      {marks.map((m) => <g key={m}><path class="grid" d={`M${x(m)} 14V${H - 30}`} /><text x={x(m)} y={H - 15} text-anchor="middle">{usd(m)}</text></g>)}
      <path class="axis" d={`M46 14V${H - 30}H${W - 12}`} />
      <text x="42" y={y(1) + 4} text-anchor="end">100 %</text><text x="42" y={y(bottom) + 2} text-anchor="end">{percent(bottom, 1)}</text>
      {wanted !== undefined && wanted > bottom && wanted < 1 && <path class="wanted" d={`M46 ${y(wanted)}H${W - 12}`} />}
      <text x={W - 12} y={H - 3} text-anchor="end" class="axis-name">the whole bill, every node rented</text>
      {cells.map((r, i) => (
        <g key={i} class={r.is_baseline ? 'base' : ''}>
          {r.cost_usd.half > 0 && <path class="error" d={`M${x(r.cost_usd.mean - r.cost_usd.half)} ${y(r.slo_attainment.mean)}H${x(r.cost_usd.mean + r.cost_usd.half)}`} />}
          {r.is_baseline ? <rect x={x(r.cost_usd.mean) - 4} y={y(r.slo_attainment.mean) - 4} width="8" height="8" /> : <circle cx={x(r.cost_usd.mean)} cy={y(r.slo_attainment.mean)} r="4.5" />}
          <title>{`${r.fleet}, ${r.policy}, ${r.workload}: ${usd(r.cost_usd.mean)}, ${percent(r.slo_attainment.mean, 2)} in time`}</title>
        </g>
      ))}
    </svg>
  );
}

/** Dollars first, since dollars are paid; then the part. */
function Against({cost, base}: {cost: Mean; base: Mean}) {
  const more = cost.mean - base.mean;
  if (base.mean === 0 || Math.abs(more) < 0.00005 * base.mean) return <span class="dim">the same</span>;
  const part = percent(Math.abs(more) / base.mean, Math.abs(more) < 0.1 * base.mean ? 1 : 0);
  return <span class={more > 0 ? 'more' : 'less'}>{more > 0 ? '+' : '−'}{usd(Math.abs(more))}<small class="share">{part} {more > 0 ? 'more' : 'less'}</small></span>;
}
function Points({of, base}: {of: Mean; base: Mean}) {
  const points = 100 * (of.mean - base.mean);
  return Math.abs(points) < 0.005 ? null : <small> {points > 0 ? '+' : '−'}{Math.abs(points).toFixed(2)}</small>;
}

type Figure = [title: string, cell: (c: Cell, base: Cell | undefined) => preact.ComponentChildren, there: (c: Cell) => unknown, says?: string];

/** One row a cell. Columns that nobody has a figure for are left out. */
export function Cells({cells, label, says}: {cells: Cell[]; label: string; says: string}) {
  const first = cells.find((c) => c.is_baseline) ?? cells[0];
  const baseOf = (c: Cell) => cells.find((b) => b.is_baseline && b.run === c.run && b.workload === c.workload) ?? first;
  const figures: Figure[] = [
    ['Whole bill', (c) => spread(c.cost_usd, usd), () => true, 'Every node rented for the whole time, idle ones too'],
    [`Against ${says}`, (c, base) => c === base || !base ? '–' : <Against cost={c.cost_usd} base={base.cost_usd} />, () => cells.length > 1],
    ['Own paid for', (c) => spread(c.cost_paid_for_usd, usd), (c) => c.cost_paid_for_usd, 'The same, where pools that are paid for anyway cost nothing more'],
    ['In time', (c, base) => <>{spread(c.slo_attainment, (v) => percent(v, 2))}{base?.slo_attainment && c.slo_attainment && c !== base && <Points of={c.slo_attainment} base={base.slo_attainment} />}</>, () => true],
    ['On NVIDIA', (c) => spread(c.nvidia_share, (v) => percent(v)), (c) => c.nvidia_share, 'Part of the work that ended there'],
    ['1st token, p90', (c) => spread(c.ttft_p90_s, seconds), (c) => c.ttft_p90_s],
    ['1st token, p99', (c) => spread(c.ttft_p99_s, seconds), (c) => !c.ttft_p90_s && c.ttft_p99_s],
    ['Answer, mean', (c) => spread(c.latency_mean_s, seconds), (c) => c.latency_mean_s],
    ['Job, p90', (c) => spread(c.job_turnaround_p90_s, seconds), (c) => c.job_turnaround_p90_s],
    ['Energy', (c) => spread(c.energy_joules, energy), (c) => c.energy_joules], ['Carbon', (c) => spread(c.carbon_grams, grams), (c) => c.carbon_grams],
  ];
  const shown = figures.filter(([, , there]) => cells.some(there));
  const with_ = (pick: (c: Cell) => string | undefined) => new Set(cells.map(pick)).size > 1;
  const runs = with_((c) => c.run);
  const workloads = with_((c) => c.workload);
  const policies = cells.some((c) => c.policy);
  const loads = cells.some((c) => c.label && c.label !== 'stable');
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}><table class="cells stack">
      <thead><tr>
        {runs && <th scope="col">Run</th>}<th scope="col">Fleet</th>{policies && <th scope="col">Policy</th>}{workloads && <th scope="col">Workload</th>}
        {shown.map(([title, , , hint]) => <th scope="col" class="num" key={title} title={hint}>{title}</th>)}{loads && <th scope="col">Load</th>}
      </tr></thead>
      <tbody>{cells.map((c, i) => (
        <tr key={i} class={c.is_baseline ? 'base' : ''}>
          {runs && <td data-name="Run">{c.run}</td>}<th scope="row">{c.fleet}{c.is_baseline && <span class="tag">{says}</span>}</th>
          {policies && <td data-name="Policy">{c.policy}</td>}{workloads && <td data-name="Workload">{c.workload}</td>}
          {shown.map(([title, cell]) => <td class="num" key={title} data-name={title}>{cell(c, baseOf(c))}</td>)}{loads && <td data-name="Load">{c.label}</td>}
        </tr>
      ))}</tbody>
    </table></div>
  );
}

function Shares({test}: {test: BackTest}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Where the work ended"><table class="shares stack">
      <thead><tr><th scope="col">Pool</th><th scope="col" class="num">Recorded</th><th scope="col" class="num">Run again</th><th scope="col" class="num">Difference</th></tr></thead>
      <tbody>{test.pool_shares.map((s) => (
        <tr key={s.pool}><th scope="row">{s.pool}</th><td class="num" data-name="Recorded">{percent(s.recorded, 1)}</td><td class="num" data-name="Run again">{percent(s.simulated, 1)}</td>
          <td class="num" data-name="Difference">{Math.abs(s.simulated - s.recorded) < 0.0005 ? '–' : `${s.simulated > s.recorded ? '+' : '−'}${(100 * Math.abs(s.simulated - s.recorded)).toFixed(1)} points`}</td></tr>
      ))}</tbody>
    </table></div>
  );
}

function Again({of}: {of: SimulationResults}) {
  const sums = [of.decisions, of.requests].filter((r): r is Redone => !!r);
  const sum = (key: keyof Redone) => sums.reduce((all, r) => all + r[key], 0);
  if (sums.length === 0) return null;
  return <p>{plural(sum('compared'), 'decision')} made again from what was recorded: {sum('differing') === 0 ? 'all came out equal' : `${sum('differing')} came out otherwise`}{sum('not_kept') + sum('not_redone') > 0 && `; ${sum('not_kept') + sum('not_redone')} could not be made again`}.</p>;
}

export function Results({of, nvidia}: {of: SimulationResults; nvidia: Set<string>}) {
  const cells = cellsOf(of, nvidia);
  const replay = !of.rows || of.scenario === 'replay';
  return (
    <div class="results">
      {of.rows && cells.length > 1 && <Frontier cells={cells} wanted={of.objective?.attainment} />}
      {cells.length > 0 && <Cells cells={cells} label="Cells" says={replay ? 'recorded' : 'baseline'} />}
      {of.back_test && <Shares test={of.back_test} />}
      <Again of={of} />
      {of.notes && of.notes.length > 0 && <ul class="notes">{of.notes.map((note) => <li key={note}>{note}.</li>)}</ul>}
    </div>
  );
}
