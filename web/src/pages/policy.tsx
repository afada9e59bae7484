import {useEffect, useState} from 'preact/hooks';
import {ask, Problem, UNCACHED} from '../api';
import {useCell} from '../cell';
import {revived, useMay} from '../live';
import {readBackstop} from '../pools_order';
import {Head, Mark, Trouble} from '../ui';

interface Answer {version?: number; warnings?: {pointer?: string; detail?: string; message?: string}[]}

/** Lines that one text has and the other has not, in order: the longest common part stays. */
export function difference(before: string, after: string): [' ' | '-' | '+', string][] {
  const a = before.replace(/\n$/, '').split('\n');
  const b = after.replace(/\n$/, '').split('\n');
  if (a.length * b.length > 4e6) return [...a.map((l): ['-', string] => ['-', l]), ...b.map((l): ['+', string] => ['+', l])];
  const best = Array.from({length: a.length + 1}, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; --i) {
    for (let j = b.length - 1; j >= 0; --j)
      best[i]![j] = a[i] === b[j] ? best[i + 1]![j + 1]! + 1 : Math.max(best[i + 1]![j]!, best[i]![j + 1]!);
  }
  const lines: [' ' | '-' | '+', string][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { lines.push([' ', a[i++]!]); ++j; }
    else if (j >= b.length || (i < a.length && best[i + 1]![j]! >= best[i]![j + 1]!)) lines.push(['-', a[i++]!]);
    else lines.push(['+', b[j++]!]);
  }
  return lines;
}

function Difference({before, after}: {before: string; after: string}) {
  const lines = difference(before, after);
  if (lines.every(([sign]) => sign === ' ')) return <p class="note">Nothing is changed.</p>;
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - 2), i + 3).some(([sign]) => sign !== ' '));
  return (
    <pre class="diff" tabIndex={0} aria-label="What would change">
      {lines.map(([sign, line], i) => near[i]
        ? <span class={sign === '+' ? 'added' : sign === '-' ? 'gone' : ''}>{sign} {line}{'\n'}</span>
        : near[i - 1] ? <span class="dim">  …{'\n'}</span> : null)}
    </pre>
  );
}

export function PolicyPage() {
  const [force, setForce] = useState<{text: string; etag: string} | null>(null);
  const [text, setText] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const [said, setSaid] = useState<{words: string; warnings: Answer['warnings']} | null>(null);
  const [busy, setBusy] = useState(false);
  const may = useMay('operator');
  const read = async (keep: boolean) => {
    try {
      const {value, etag} = await ask<string>('/api/v1/policy', {accept: 'application/yaml', ...UNCACHED});
      setForce({text: value, etag});
      if (!force) setError(null);
      if (!keep) setText(value);
    } catch (e) {
      setError(e as Error);
    }
  };
  // What was written stays; what is in force is read anew after the controller was away.
  const back = useCell(revived);
  useEffect(() => void read(force !== null && text !== force.text), [back]);
  const send = async (dry: boolean) => {
    setBusy(true);
    setError(null);
    setSaid(null);
    try {
      const {value} = await ask<Answer>(`/api/v1/policy${dry ? '?dry_run=true' : ''}`, {
        method: 'PUT', body: text, headers: {'Content-Type': 'application/yaml', 'If-Match': force!.etag},
      });
      setSaid({words: dry ? 'It can be put in force.' : `In force as version ${value.version ?? '?'}; work is decided by it from now on.`, warnings: value.warnings});
      if (!dry) { await read(false); readBackstop(); }
    } catch (e) {
      setError(e instanceof Problem && e.status === 412 ? new Error('Somebody changed the policy meanwhile. What you wrote is kept below; look at the difference and apply again.') : e as Error);
      if (e instanceof Problem && e.status === 412) await read(true);
    }
    setBusy(false);
  };
  if (!force) return error ? <Trouble error={error} what="The policy could not be read." /> : <div class="loading" aria-busy="true">Reading the policy…</div>;
  const changed = text !== force.text;
  const lines = text.split('\n').length;
  return (
    <>
      <Head title="Policy" note={`Who may claim work, in which order, and when it spills. Version ${force.etag.replaceAll('"', '')} is in force.`} />
      <div class="two policy">
        <section aria-labelledby="document">
          <div class="section-head"><h2 id="document">The document</h2>{changed && <span class="note">changed, not in force</span>}</div>
          <div class="numbered">
            <pre aria-hidden="true" class="line-numbers">{Array.from({length: lines}, (_, i) => i + 1).join('\n')}</pre>
            <textarea class="mono editor" aria-label="The policy as YAML" data-search="" value={text} rows={Math.max(12, lines + 1)} readOnly={may === false} onInput={(e) => { setText(e.currentTarget.value); setSaid(null); setError(null); }} spellcheck={false} autocapitalize="off" />
          </div>
          {may === false && <p class="note">To change it takes a key of the role operator.</p>}
          {may && <div class="actions">
            <button type="button" disabled={busy} onClick={() => void send(true)}>Check</button>
            <button type="button" class="primary" disabled={busy || !changed} onClick={() => void send(false)}>Apply</button>
            {changed && <button type="button" class="plain" onClick={() => { setText(force.text); setSaid(null); setError(null); }}>Undo all</button>}
          </div>}
        </section>
        <section aria-labelledby="difference">
          <div class="section-head"><h2 id="difference">What would change</h2></div>
          <div aria-live="polite">
            {error && <Trouble error={error} what="Not in force." />}
            {said && <p class="said"><Mark tone="good" /> {said.words}</p>}
            {said?.warnings && said.warnings.length > 0 && <ul class="warnings">{said.warnings.map((w) => <li><Mark tone="warn" /> {w.pointer && <code>{w.pointer}</code>} {w.detail ?? w.message}</li>)}</ul>}
          </div>
          <Difference before={force.text} after={text} />
          <p class="note">Apply takes effect at once for work that is not bound yet; what runs stays where it is. A restart reads the configuration file again if its policy was changed there.</p>
        </section>
      </div>
    </>
  );
}
