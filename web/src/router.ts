// Where the reader is: "#/jobs?state=running". All that a page shows can be sent to a colleague.
import {Cell, changed} from './cell';

export interface Place {page: string; id: string; query: Record<string, string>}

function read(): Place {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page, ...rest] = path.split('/');
  return {
    page: page || 'overview',
    id: rest.map(safeDecode).join('/'),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}
function safeDecode(text: string): string {
  try { return decodeURIComponent(text); } catch { return text; }
}

export const place = new Cell<Place>(read());
addEventListener('hashchange', () => changed(place, read()));

export function href(page: string, id = '', query: Record<string, string | undefined> = {}): string {
  const kept = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(kept).toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}${text ? `?${text}` : ''}`;
}
export const go = (page: string, id = '', query: Record<string, string | undefined> = {}) => {
  location.hash = href(page, id, query);
};
/** Changes what the page is narrowed to, without a step in the history. */
export function setQuery(change: Record<string, string | undefined>) {
  const at = place.value;
  const query: Record<string, string | undefined> = {...at.query, ...change};
  history.replaceState(null, '', href(at.page, at.id, query));
  changed(place, read());
}
