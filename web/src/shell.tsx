// What stands around every page: where one can go, how the link is, keys, theme, shortcuts.
import {useEffect, useState} from 'preact/hooks';
import {key, keyWanted, setKey} from './api';
import {Cell, changed, useCell} from './cell';
import {connect, link, overview, refresh} from './live';
import {readBackstop} from './pools_order';
import {go, href, place} from './router';
import {Dialog, Field, Mark, State, type Tone} from './ui';

export const PAGES: [string, string, string][] = [
  ['overview', 'Overview', 'o'], ['jobs', 'Jobs', 'j'], ['decisions', 'Decisions', 'd'], ['pools', 'Pools', 'p'],
  ['costs', 'Costs', 'c'], ['whatif', 'What-if', 'w'], ['policy', 'Policy', 'y'],
];

const dark = matchMedia('(prefers-color-scheme: dark)');
const themeNow = () => document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light');
export const theme = new Cell(themeNow());
dark.addEventListener('change', () => changed(theme, themeNow()));
export function turnTheme() {
  const next = themeNow() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  localStorage.setItem('spillway-theme', next);
  changed(theme, next);
}

export const helpOpen = new Cell(false);

function LinkState() {
  const at = useCell(link);
  const [, tick] = useState(0);
  useEffect(() => {
    if (at.state !== 'waiting') return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [at]);
  const left = at.until ? Math.max(0, Math.ceil((at.until - Date.now()) / 1000)) : 0;
  const words = {live: 'live', connecting: 'connecting', paused: 'paused', waiting: `again in ${left} s`}[at.state];
  return (
    <button type="button" class="link plain" title={at.why ?? 'Figures come once a second'} onClick={() => { if (at.state !== 'connecting') connect(); refresh(); }}
      aria-label={`The link to the controller: ${words}. Connect again`}>
      <State of={at.state === 'waiting' ? 'warning' : at.state} says={words} />
    </button>
  );
}

export function Top() {
  const at = useCell(place);
  const now = useCell(overview);
  const name = useCell(theme);
  const tone: Tone = now ? {ok: 'good', warning: 'warn', critical: 'bad'}[now.health.state] as Tone : 'dim';
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the page</a>
      <a class="brand" href={href('overview')} aria-label="Spillway, overview">
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true"><path d="M1 3.5h5v4h4.5v5H15" fill="none" stroke="currentColor" stroke-width="2.2" /></svg>
        <span>Spillway</span>
      </a>
      <nav aria-label="Pages">
        {PAGES.map(([page, words]) => (
          <a key={page} href={href(page)} aria-current={at.page === page ? 'page' : undefined}>
            {words}{page === 'overview' && tone !== 'good' && tone !== 'dim' && <Mark tone={tone} />}
          </a>
        ))}
      </nav>
      <div class="top-right">
        <LinkState />
        <button type="button" class="plain" onClick={turnTheme} aria-label={`Turn to the ${name === 'dark' ? 'light' : 'dark'} theme`} title="Theme (t)">
          <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 2a6 6 0 0 1 0 12Z" fill="currentColor" /></svg>
        </button>
        <button type="button" class="plain" onClick={() => changed(helpOpen, true)} aria-label="Keyboard shortcuts" title="Shortcuts (?)">?</button>
      </div>
    </header>
  );
}

export function KeyDialog() {
  const wanted = useCell(keyWanted);
  const [text, setText] = useState('');
  if (!wanted) return null;
  const enter = (event: Event) => {
    event.preventDefault();
    setKey(text.trim());
    setText('');
    connect();
    refresh();
    readBackstop();
    dispatchEvent(new HashChangeEvent('hashchange'));
  };
  return (
    <Dialog title="This controller wants a key" onClose={() => changed(keyWanted, false)}>
      <form onSubmit={enter}>
        <p>{key() ? 'The key of this tab was not taken.' : 'Its configuration names keys; every figure needs one.'} It is kept by this tab only and forgotten when the tab is closed.</p>
        <Field label="Key"><input type="password" autocomplete="current-password" value={text} onInput={(e) => setText(e.currentTarget.value)} required /></Field>
        <div class="actions"><button class="primary">Use it</button></div>
      </form>
    </Dialog>
  );
}

const SHORTCUTS: [string, string][] = [
  ...PAGES.map(([, words, letter]): [string, string] => [`g ${letter}`, words]),
  ['n', 'Submit a job'], ['/', 'Search in the list'], ['j k ↑ ↓', 'Walk in a list'], ['Enter', 'Open'],
  ['Esc', 'Close; leave a field'], ['t', 'Light or dark'], ['?', 'This list'],
];

export function Help() {
  if (!useCell(helpOpen)) return null;
  return (
    <Dialog title="Keyboard" onClose={() => changed(helpOpen, false)}>
      <dl class="shortcuts">{SHORTCUTS.map(([keys, words]) => <div key={keys}><dt>{keys.split(' ').map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{words}</dd></div>)}</dl>
    </Dialog>
  );
}

export function listenToKeys() {
  let before = '';
  addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    if (event.key === 'Escape' && typing && !target.closest('dialog')) target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const last = before;
    before = event.key;
    setTimeout(() => { before = ''; }, 1200);
    const page = last === 'g' && PAGES.find(([, , letter]) => letter === event.key);
    if (page) go(page[0]);
    else if (event.key === '?') changed(helpOpen, true);
    else if (event.key === 't') turnTheme();
    else if (event.key === 'n') go('jobs', 'new');
    else if (event.key === '/') document.querySelector<HTMLElement>('[data-search]')?.focus();
    else if ((event.key === 'j' || event.key === 'k') && !target.closest('[data-rows]')) document.querySelector<HTMLElement>('[data-rows]')?.focus();
    else return;
    event.preventDefault();
  });
}
