// Figures as people read them. Money and time never without their unit.

const MINUS = '\u2212';

/** Two significant digits below a cent, cents above; "–" for what is not known. */
export function usd(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === '') return '–';
  const n = Number(value);
  if (!Number.isFinite(n)) return '–';
  const sign = n < 0 ? MINUS : '';
  const a = Math.abs(n);
  if (a === 0) return '$0';
  if (a < 5e-10) return `under ${sign}$0.000000001`;
  if (a >= 999.995e6) return `${sign}$${(a / 1e9).toFixed(2)} B`;
  if (a >= 999_999.5) return `${sign}$${(a / 1e6).toFixed(2)} M`;
  if (a >= 999.995) return `${sign}$${Math.round(a).toLocaleString('en-US')}`;
  if (a >= 1) return `${sign}$${a.toFixed(2)}`;
  if (a >= 0.01) return `${sign}$${a.toFixed(3)}`;
  const places = Math.min(9, 1 - Math.floor(Math.log10(a)));
  return `${sign}$${a.toFixed(places)}`;
}

export function usdRate(value: string | number | null | undefined): string {
  const text = usd(value);
  return text === '–' ? text : `${text}/h`;
}

export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const a = Math.abs(value);
  if (a === 0) return '0 s';
  if (a < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (a < 0.0995) return `${trim(value * 1000, 2)} ms`;
  if (a < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (a < 99.5) return `${trim(value, 3)} s`;
  if (a < 5400) return `${trim(value / 60, 2)} min`;
  if (a < 172800) return `${trim(value / 3600, 3)} h`;
  return `${trim(value / 86400, 3)} d`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (Math.abs(value) >= 1e9) return `${trim(value / 1e9, 3)} G`;
  if (Math.abs(value) >= 1e6) return `${trim(value / 1e6, 3)} M`;
  return value.toLocaleString('en-US');
}

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0/s';
  if (value < 10) return `${trim(value, 2)}/s`;
  return `${Math.round(value).toLocaleString('en-US')}/s`;
}

export function percent(ratio: number | null | undefined, digits = 0): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return '–';
  return `${(ratio * 100).toFixed(digits).replace('-', MINUS)} %`;
}

export function bytes(value: number | null | undefined): string {
  if (!value) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${trim(value / 2 ** (10 * step), 3)} ${units[step]}`;
}

export function energy(joules: number | null | undefined): string {
  if (joules === null || joules === undefined) return '–';
  if (joules >= 3.6e6) return `${trim(joules / 3.6e6, 3)} kWh`;
  if (joules >= 1000) return `${trim(joules / 3600, 3)} Wh`;
  return `${trim(joules, 3)} J`;
}

export function grams(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value >= 1000) return `${trim(value / 1000, 3)} kg CO₂e`;
  if (value >= 1) return `${trim(value, 3)} g CO₂e`;
  return `${trim(value * 1000, 3)} mg CO₂e`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** Local time of day; the date too if it is not today. */
export function clock(iso: string | null | undefined): string {
  if (!iso) return '–';
  const at = new Date(iso);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const today = new Date();
  if (at.toDateString() === today.toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** What is shown when the pointer rests on a time. */
export function utc(iso: string | null | undefined): string {
  return iso ? iso.replace('T', ' ').replace('Z', ' UTC') : '';
}

export function between(from: string | null, to: string | null): number | null {
  if (!from) return null;
  return ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
