// The small parts that every page is made of.
import type {ComponentChildren} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';
import {Problem} from './api';
import {useCell} from './cell';
import {clock, usd, utc} from './format';
import {revived} from './live';

/** A word with a shape, so that colour is never alone. */
const SHAPES: Record<string, string> = {
  good: 'M6 1a5 5 0 1 0 .01 0Z', warn: 'M6 1 11.5 11H.5Z', bad: 'M1.5 1.5h9v9h-9Z',
  busy: 'M6 1a5 5 0 0 1 0 10Zm0 0a5 5 0 0 0 0 10', dim: 'M6 2.2a3.8 3.8 0 1 0 .01 0Z',
};
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'dim';
export function Mark({tone}: {tone: Tone}) {
  const hollow = tone === 'dim' || tone === 'busy';
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 12 12" width="9" height="9" aria-hidden="true">
      {tone === 'busy' && <path d="M6 1a5 5 0 0 1 0 10Z" fill="currentColor" />}
      <path d={tone === 'busy' ? 'M6 1.6a4.4 4.4 0 1 0 .01 0Z' : SHAPES[tone]}
        fill={hollow ? 'none' : 'currentColor'} stroke={hollow ? 'currentColor' : 'none'} stroke-width="1.4" />
    </svg>
  );
}
const TONES: Record<string, Tone> = {
  ok: 'good', active: 'good', up: 'good', succeeded: 'good', placed: 'good', chosen: 'good', live: 'good', answered: 'good',
  warning: 'warn', cordoned: 'warn', draining: 'warn', waiting: 'warn', awaited: 'warn', client_gone: 'warn', cancelled: 'dim',
  critical: 'bad', down: 'bad', failed: 'bad', refused: 'bad', broken_off: 'bad',
  running: 'busy', starting: 'busy', connecting: 'busy', queued: 'dim', outranked: 'dim', paused: 'dim',
};
export function State({of, says}: {of: string; says?: string}) {
  return <span class="state"><Mark tone={TONES[of] ?? 'dim'} />{says ?? of.replaceAll('_', ' ')}</span>;
}

export function Time({at}: {at: string | null | undefined}) {
  return at ? <time dateTime={at} title={utc(at)}>{clock(at)}</time> : <span class="dim">–</span>;
}
export function Usd({of, per}: {of: string | null | undefined; per?: string}) {
  return <span class="num" title={of ? `${of} USD${per ?? ''}` : undefined}>{usd(of)}{of ? per : ''}</span>;
}
/** Saved against NVIDIA only: the sign is a word, not a colour. */
export function Saved({cost, baseline}: {cost: string | null; baseline: string | null}) {
  if (cost === null || baseline === null || Number(baseline) === 0) return <span class="dim">–</span>;
  const ratio = 1 - Number(cost) / Number(baseline);
  const text = Math.abs(ratio) < 0.005 ? 'same' : ratio < -2 ? `${Math.round(1 - ratio)} × as much` : `${Math.abs(Math.round(ratio * 100))} % ${ratio > 0 ? 'less' : 'more'}`;
  return <span class={ratio < -0.005 ? 'more' : ratio > 0.005 ? 'less' : 'dim'} title={`NVIDIA only: ${baseline} USD`}>{text}</span>;
}

export function Bar({ratio, tone = '', label}: {ratio: number; tone?: string; label: string}) {
  const width = Math.max(0, Math.min(1, ratio)) * 100;
  return (
    <span class="bar" role="img" aria-label={label}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-rest" width="100" height="6" /><rect class={`bar-full ${tone}`} width={width} height="6" />
      </svg>
    </span>
  );
}

export function Sparkline({values: all, most, label, area = true}: {values: (number | null)[]; most?: number; label: string; area?: boolean}) {
  // What was before the controller began is left out; ten minutes are drawn at least.
  const begin = all.findIndex((v) => v !== null);
  const values = all.slice(Math.max(0, Math.min(begin < 0 ? 0 : begin, all.length - 60)));
  const known = values.filter((v): v is number => v !== null);
  const top = Math.max(most ?? 0, ...known, 1e-12);
  const low = Math.min(0, ...known);
  const y = (v: number) => 19 - 18 * (v - low) / (top - low);
  const step = 100 / Math.max(1, values.length - 1);
  let line = '';
  let pen = false;
  let first = 0;
  let last = 0;
  values.forEach((v, i) => {
    if (v === null) { pen = false; return; }
    if (!line) first = i * step;
    line += `${pen ? 'L' : 'M'}${(i * step).toFixed(2)} ${y(v).toFixed(2)}`;
    pen = true;
    last = i * step;
  });
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      {line && area && known.length === values.length - values.indexOf(known[0]!) &&
        <path class="spark-area" d={`${line}L${last.toFixed(2)} ${y(0).toFixed(2)}L${first.toFixed(2)} ${y(0).toFixed(2)}Z`} />}
      {line ? <path class="spark-line" d={line} /> : <path class="spark-none" d="M0 19.5H100" />}
    </svg>
  );
}

export function Empty({title, children, command}: {title: string; children?: ComponentChildren; command?: string}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div>{children}</div>}
      {command && <Copied text={command} />}
    </div>
  );
}

/** A command that can be taken along. */
export function Copied({text}: {text: string}) {
  const [done, setDone] = useState(false);
  const copy = () => void navigator.clipboard?.writeText(text).then(() => {
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  });
  return (
    <div class="copied"><code tabIndex={0}>{text}</code><button type="button" onClick={copy}>{done ? 'Copied' : 'Copy'}</button></div>
  );
}

export function Trouble({error, what}: {error: Error; what: string}) {
  const problem = error instanceof Problem ? error.body : null;
  return (
    <div class="trouble" role="alert">
      <p><Mark tone="bad" /> <strong>{what}</strong> {error.message}{/[.!?]$/.test(error.message) ? '' : '.'}</p>
      {problem?.errors && <ul>{problem.errors.map((e) => <li><code>{e.pointer || '/'}</code> {e.detail}</li>)}</ul>}
    </div>
  );
}

export function Head({title, note, children}: {title: string; note?: ComponentChildren; children?: ComponentChildren}) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {note && <p class="note">{note}</p>}
      {children && <div class="actions">{children}</div>}
    </header>
  );
}

export function Facts({rows}: {rows: [string, ComponentChildren][]}) {
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** One of a few; the choice is announced as what it is. */
export function Choice({label, options, value, onChange}: {
  label: string; options: [string, string][]; value: string; onChange: (value: string) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([name, words]) => (
        <button type="button" key={name} aria-pressed={name === value} onClick={() => onChange(name)}>{words}</button>
      ))}
    </div>
  );
}

export function Field({label, hint, children}: {label: string; hint?: string; children: ComponentChildren}) {
  return <label class="field"><span>{label}</span>{children}{hint && <small>{hint}</small>}</label>;
}

/** A dialog of the browser's own: it keeps the focus and closes on Escape. */
export function Dialog({title, onClose, children, wide}: {
  title: string; onClose: () => void; children: ComponentChildren; wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement as HTMLElement | null;
    if (!dialog.open) dialog.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={element} class={wide ? 'wide' : ''} aria-label={title} onClose={onClose}
      onClick={(e) => { if (e.target === element.current) element.current?.close(); }}>
      <div class="dialog-body">
        <header><h2>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={() => element.current?.close()}>×</button></header>
        {children}
      </div>
    </dialog>
  );
}

/** Saves text as a file, without asking anybody. */
export function save(name: string, type: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], {type}));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Cells that a spreadsheet might take for a formula are kept from being one. */
export function csv(rows: (string | number | null)[][]): string {
  const cell = (value: string | number | null) => {
    let text = value === null ? '' : String(value);
    if (typeof value === 'string' && /^[=+@\t\r-]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** What a page asked for: value, error, or neither yet. Asks again when `on` changes, `again` is called, or the controller
 *  is back after it was away. */
export function useAsked<T>(make: (signal: AbortSignal) => Promise<T>, on: unknown[]) {
  const [state, setState] = useState<{value?: T; error?: Error}>({});
  const [round, setRound] = useState(0);
  const back = useCell(revived);
  useEffect(() => {
    const aborter = new AbortController();
    make(aborter.signal).then(
      (value) => setState({value}),
      (error: Error) => { if (error.name !== 'AbortError') setState((old) => ({...old, error})); },
    );
    return () => aborter.abort();
  }, [...on, round, back]);
  return {...state, again: () => setRound((n) => n + 1)};
}
