// What a simulation found: dollars against time, cell by cell, with the error bars that it has.
import {energy, grams, percent, seconds, usd} from '../format';

interface Mean {mean: number; half: number}
interface Row {
  fleet: string; policy: string; workload: string; is_baseline: boolean; seeds: number; label: string; cost_usd: Mean; slo_attainment: Mean;
  ttft_p90_s?: Mean; ttft_p99_s?: Mean; job_turnaround_p90_s?: Mean; nvidia_share?: Mean; energy_joules: Mean; carbon_grams: Mean; saving?: Mean; cost_over_bound?: Mean;
}
export interface SimulationResults {
  scenario?: string; says?: string; verdict?: string; objective?: {attainment?: number}; rows?: Row[];
  [other: string]: unknown;
}

const half = (m: Mean | undefined, words: (v: number) => string) => m ? <>{words(m.mean)}{m.half > 0 && <small> ±{words(m.half)}</small>}</> : '–';

/** Dollars to the right, work in time upwards: the best cell is at the top left. */
function Frontier({rows, wanted}: {rows: Row[]; wanted: number | undefined}) {
  const W = 520;
  const H = 190;
  const most = Math.max(...rows.map((r) => r.cost_usd.mean + r.cost_usd.half)) * 1.12;
  const least = Math.min(wanted ?? 1, ...rows.map((r) => r.slo_attainment.mean));
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
      <text x={W - 12} y={H - 3} text-anchor="end" class="axis-name">the whole bill</text>
      {rows.map((r, i) => (
        <g key={i} class={r.is_baseline ? 'base' : ''}>
          {r.cost_usd.half > 0 && <path class="error" d={`M${x(r.cost_usd.mean - r.cost_usd.half)} ${y(r.slo_attainment.mean)}H${x(r.cost_usd.mean + r.cost_usd.half)}`} />}
          {r.is_baseline ? <rect x={x(r.cost_usd.mean) - 4} y={y(r.slo_attainment.mean) - 4} width="8" height="8" /> : <circle cx={x(r.cost_usd.mean)} cy={y(r.slo_attainment.mean)} r="4.5" />}
          <title>{`${r.fleet}, ${r.policy}, ${r.workload}: ${usd(r.cost_usd.mean)}, ${percent(r.slo_attainment.mean, 2)} in time`}</title>
        </g>
      ))}
    </svg>
  );
}

function flat(value: unknown, path = ''): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, String(value)]];
  if (Array.isArray(value)) return value.length > 6 ? [[path, `${value.length} entries`]] : value.flatMap((v, i) => flat(v, `${path}[${i}]`));
  return Object.entries(value).flatMap(([k, v]) => flat(v, path ? `${path}.${k}` : k));
}

export function Results({of}: {of: SimulationResults}) {
  if (!of.rows || of.rows.length === 0 || !of.rows[0]!.cost_usd) {
    return <dl class="facts">{flat(of).slice(0, 40).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
  }
  const rows = of.rows;
  return (
    <div class="results">
      <Frontier rows={rows} wanted={of.objective?.attainment} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Cells"><table>
        <thead><tr><th scope="col">Fleet</th><th scope="col">Policy</th><th scope="col">Workload</th><th scope="col" class="num">Whole bill</th><th scope="col" class="num">Saving</th><th scope="col" class="num">In time</th><th scope="col">Load</th><th scope="col" class="num">1st token, p90</th><th scope="col" class="num">Job, p90</th><th scope="col" class="num">On NVIDIA</th><th scope="col" class="num">Energy</th><th scope="col" class="num">Carbon</th></tr></thead>
        <tbody>{rows.map((r, i) => (
          <tr key={i} class={r.is_baseline ? 'base' : ''}>
            <th scope="row">{r.fleet}</th><td>{r.policy}{r.is_baseline && <span class="tag">baseline</span>}</td><td>{r.workload}</td>
            <td class="num">{half(r.cost_usd, usd)}</td><td class="num">{r.is_baseline ? '–' : half(r.saving, (v) => percent(v, 1))}</td><td class="num">{half(r.slo_attainment, (v) => percent(v, 2))}</td><td>{r.label}</td>
            <td class="num">{half(r.ttft_p90_s, seconds)}</td><td class="num">{half(r.job_turnaround_p90_s, seconds)}</td><td class="num">{half(r.nvidia_share, (v) => percent(v))}</td><td class="num">{half(r.energy_joules, energy)}</td><td class="num">{half(r.carbon_grams, grams)}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </div>
  );
}
