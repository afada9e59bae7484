// One hour, drawn by uPlot. Colours come from the style sheet, so that both themes have their own.
import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {clock} from './format';

export interface Line {name: string; values: (number | null)[]; colour: string; area?: boolean}

const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart({start, step, lines, unit, label, height = 150, theme}: {
  start: string; step: number; lines: Line[]; unit: (value: number) => string; label: string; height?: number; theme: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const all = lines[0]?.values.length ?? 0;
  const first = Math.max(0, Math.min(all - 600 / step, ...lines.map((l) => { const i = l.values.findIndex((v) => v !== null); return i < 0 ? all : i; })));
  const from = Date.parse(start) / 1000;
  const times = Array.from({length: all - first}, (_, i) => from + (first + i) * step);
  const data = [times, ...lines.map((l) => l.values.slice(first))] as uPlot.AlignedData;
  // Nothing is known from before the controller began; ten minutes are shown at least.
  const shape = lines.map((l) => l.name).join() + theme + height;

  useEffect(() => {
    const ink = colourOf('--dim');
    const grid = {stroke: colourOf('--line'), width: 1};
    const options: uPlot.Options = {
      width: box.current!.clientWidth, height,
      cursor: {y: false, points: {size: 6}},
      // Without a pointer the legend tells the latest figures.
      hooks: {setCursor: [(u) => { if (u.cursor.idx == null) u.setLegend({idx: u.data[0].length - 1}, false); }]},
      legend: {show: true, live: true},
      scales: {y: {range: (_u, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.12 : 1]}},
      axes: [
        {stroke: ink, grid: {show: false}, ticks: {...grid, size: 4}, size: 26, font: '11px system-ui', values: '{HH}:{mm}', space: 70},
        {stroke: ink, grid, ticks: {show: false}, size: 62, font: '11px system-ui', values: (_u, ticks) => ticks.map((v) => unit(v).replace('.00', '')), space: 34},
      ],
      series: [
        {label: 'at', value: (_u: uPlot, v: number | null) => v === null ? '–' : clock(new Date(v * 1000).toISOString())},
        ...lines.map((l) => ({
          label: l.name, stroke: colourOf(l.colour), width: 1.5, points: {show: false},
          fill: l.area ? `${colourOf(l.colour)}22` : undefined,
          value: (_u: uPlot, v: number | null) => v === null ? '–' : unit(v),
        })),
      ],
    };
    const made = plot.current = new uPlot(options, data, box.current!);
    const observer = new ResizeObserver(() => { if (box.current) made.setSize({width: box.current.clientWidth, height}); });
    observer.observe(box.current!);
    return () => { observer.disconnect(); made.destroy(); plot.current = null; };
  }, [shape]);
  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData(data);
    if (made.cursor.idx == null) made.setLegend({idx: times.length - 1}, false);
  }, [data]);
  return <div class="chart" ref={box} role="img" aria-label={label} />;
}
