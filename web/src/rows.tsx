// A list of any length: only the rows in sight are in the page. Arrow keys, j and k walk, Enter opens.
import type {ComponentChildren} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';

export interface Column<T> {name: string; title: ComponentChildren; cell: (row: T) => ComponentChildren; class?: string}

export function Rows<T>({label, columns, rows, keyOf, hrefOf, onEnd, height = 30, total}: {
  label: string; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string;
  hrefOf?: (row: T) => string; onEnd?: () => void; height?: number; total?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [seen, setSeen] = useState(800);
  const [at, setAt] = useState(-1);

  useLayoutEffect(() => {
    const measure = () => setSeen(box.current?.clientHeight ?? 800);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / height) - 8);
  const last = Math.min(rows.length, Math.ceil((top + seen) / height) + 8);
  const near = last >= rows.length - 30;
  useEffect(() => { if (near) onEnd?.(); }, [near, rows.length]);

  const walk = (step: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at + step));
    setAt(next);
    const element = box.current!;
    if (next * height < element.scrollTop) element.scrollTop = next * height;
    else if ((next + 1) * height > element.scrollTop + element.clientHeight - height)
      element.scrollTop = (next + 2) * height - element.clientHeight;
  };
  useEffect(() => {
    if (at >= 0) box.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({preventScroll: true});
  }, [at, first]);
  const onKey = (event: KeyboardEvent) => {
    const step = ({ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20} as Record<string, number>)[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    walk(step);
  };

  return (
    <div class="rows" role="table" aria-label={label} aria-rowcount={total ?? rows.length} ref={box} tabIndex={0}
      onScroll={() => setTop(box.current!.scrollTop)} onKeyDown={onKey} data-rows="">
      <div role="rowgroup" class="rows-head">
        <div role="row">{columns.map((c) => <span role="columnheader" class={c.class ?? ''} key={c.name}>{c.title}</span>)}</div>
      </div>
      <div role="rowgroup" class="rows-body" ref={(e) => { if (e) e.style.height = `${rows.length * height}px`; }}>
        {rows.slice(first, last).map((row, i) => {
          const index = first + i;
          const place = (e: HTMLElement | null) => { if (e) e.style.transform = `translateY(${index * height}px)`; };
          const cells = columns.map((c) => <span role="cell" class={c.class ?? ''} key={c.name}>{c.cell(row)}</span>);
          const open = hrefOf && (() => { location.hash = hrefOf(row); });
          return (
            <div role="row" key={keyOf(row)} ref={place} aria-rowindex={index + 2} data-row={index} tabIndex={-1}
              class={open ? 'open' : ''} onFocus={() => setAt(index)}
              onClick={(e) => { if (open && !(e.target as Element).closest('a,button')) open(); }}
              onKeyDown={(e) => { if (open && e.key === 'Enter' && e.target === e.currentTarget) open(); }}>
              {cells}
            </div>
          );
        })}
      </div>
    </div>
  );
}
