// A value that components watch.
import {useEffect, useState} from 'preact/hooks';

export class Cell<T> {
  watchers = new Set<() => void>();
  constructor(public value: T) {}
}

export function changed<T>(cell: Cell<T>, value: T) {
  if (Object.is(cell.value, value)) return;
  cell.value = value;
  for (const watcher of [...cell.watchers]) watcher();
}

export function useCell<T>(cell: Cell<T>): T {
  const [, redraw] = useState({});
  useEffect(() => {
    const watcher = () => redraw({});
    cell.watchers.add(watcher);
    watcher();
    return () => { cell.watchers.delete(watcher); };
  }, [cell]);
  return cell.value;
}
