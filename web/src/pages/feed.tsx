import {clock, utc} from '../format';
import {href} from '../router';
import type {Tale} from '../types';
import {Copied, Empty, Mark, Saved, Usd} from '../ui';
import {codeWords} from '../words';

function Why({tale}: {tale: Tale}) {
  if (tale.outcome === 'refused' && tale.kind === 'request') return <>{codeWords(tale.code)}</>;
  const other = tale.why_not;
  if (!other) return tale.code === 'pinned' ? <>asked for by name</> : <>{tale.kind === 'job' ? 'no other pool could' : 'the cheapest engine that answers in time'}</>;
  return <><b>{other.pool}</b> {other.why ?? codeWords(other.code)}</>;
}

interface Group {tale: Tale; times: number; cost: number; baseline: number; compared: boolean}

/** Requests that went the same way one after the other are told once. */
export function together(tales: Tale[]): Group[] {
  const groups: Group[] = [];
  const way = (t: Tale) => [t.kind, t.model, t.pool, t.outcome, t.code, t.tenant, t.spilled, t.why_not?.pool].join('\u0000');
  const open = new Map<string, Group>();
  for (const tale of tales) {
    const known = tale.kind === 'request' ? open.get(way(tale)) : undefined;
    if (known && Date.parse(known.tale.at) - Date.parse(tale.at) < 10_000) {
      ++known.times;
      known.cost += Number(tale.cost_usd ?? 0);
      known.baseline += Number(tale.baseline_usd ?? 0);
      known.compared &&= tale.cost_usd !== null && tale.baseline_usd !== null;
      continue;
    }
    const group = {tale, times: 1, cost: Number(tale.cost_usd ?? 0), baseline: Number(tale.baseline_usd ?? 0), compared: tale.cost_usd !== null && tale.baseline_usd !== null};
    groups.push(group);
    if (tale.kind === 'request') open.set(way(tale), group);
  }
  return groups;
}

const TONES = {placed: 'good', waiting: 'warn', refused: 'bad'} as const;

export function Feed({tales, dropped}: {tales: Tale[]; dropped: number}) {
  if (tales.length === 0) {
    return (
      <Empty title="Nothing was decided since the controller began">
        <p>Submit a job, or send a chat request; each decision falls here with what it cost and why no other pool took it. What was decided earlier is kept under <a href={href('decisions')}>Decisions</a>.</p>
        <Copied text={'spillway submit --wait --cpus 0.5 -- sha256sum /etc/hostname'} />
        <Copied text={`curl -s ${location.origin}/v1/chat/completions -d '{"model": "MODEL", "messages": [{"role": "user", "content": "Hello"}]}'`} />
      </Empty>
    );
  }
  return (
    <ol class="feed" aria-live="off">
      {together(tales).slice(0, 60).map(({tale, times, cost, baseline, compared}) => (
        <li key={tale.id}>
          <a href={href('decisions', tale.id)}>
            <time dateTime={tale.at} title={utc(tale.at)}>{clock(tale.at).slice(-8)}</time>
            <span class="feed-what"><Mark tone={TONES[tale.outcome]} /> <span class="clip">{tale.kind === 'job' ? tale.name || tale.work || 'job' : tale.model}</span>{times > 1 && <span class="times">× {times}</span>}</span>
            <span class="feed-to">{tale.pool ? <>→ {tale.pool}</> : tale.outcome}{tale.spilled && <em class="spill"> spilled</em>}</span>
            <span class="feed-cost"><Usd of={tale.cost_usd === null ? null : cost.toFixed(9)} /></span>
            <span class="feed-saved"><Saved cost={compared ? cost.toFixed(9) : null} baseline={compared ? baseline.toFixed(9) : null} /></span>
            <span class="feed-why"><Why tale={tale} /></span>
          </a>
        </li>
      ))}
      {dropped > 0 && <li class="note">{dropped.toLocaleString('en-US')} more fell too fast to be shown; all of them are in the books.</li>}
    </ol>
  );
}
