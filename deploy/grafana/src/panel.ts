// How a board is written down: only what differs from panel to panel.

export interface Query {
  expr: string;
  legend: string;
  instant?: boolean;
}

export interface Panel {
  kind: 'lines' | 'stat' | 'bars' | 'strip' | 'heat';
  title: string;
  description: string; // what the number means, and when to worry
  unit: string; // of Grafana's list
  queries: Query[];
  wide?: number; // of 24 columns; 8
  high?: number;
  stacked?: boolean;
  decimals?: number;
  min?: number;
  max?: number;
  base?: string; // colour below the first step
  steps?: [number, string][]; // from this value on, that colour
  since?: string; // a time of its own, as `now/d`
}

export interface Board {
  uid: string;
  title: string;
  description: string;
  from?: string;
  rows: { title: string; panels: Panel[] }[];
}
