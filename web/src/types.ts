// What the API sends; controller/northbound/openapi.yaml describes it.

export type Money = string;

export type Role = 'reader' | 'submitter' | 'operator';

export interface Overview {
  at: string;
  role: Role;
  health: {state: 'ok' | 'warning' | 'critical'; reasons: {code: string; text: string; pool: string | null}[]; count: number};
  usd_per_hour: Money | null;
  today: {
    since: string; cost_usd: Money; work_usd: Money; compared_usd: Money; baseline_usd: Money | null;
    saved_usd: Money | null; idle_usd: Money; overhead_usd: Money;
    jobs: number; requests: number; without_baseline: number;
  };
  work_per_second: {jobs: number; requests: number};
  p95_s: {jobs: number | null; requests: number | null; ttft: number | null};
  queue: {jobs: number; requests: number; oldest_s: number | null};
  running: {jobs: number; requests: number};
  pools: {total: number; up: number; down: number; cordoned: number; draining: number};
}

export interface PoolLoad {
  name: string; state: 'active' | 'cordoned' | 'draining' | 'down'; nodes_up: number; nodes: number;
  busy: {cpus: number; devices: number; ratio: number}; queue: number; running: number;
  in_flight: number; room: number; engines: number; engines_up: number; usd_per_hour: Money | null;
}

export interface Pool {
  name: string; adapter: {type: string; speedup?: number}; modelled: boolean; state: string; removed: boolean;
  kind: string; vendor: string | null; device: string | null; billing: string;
  price: {node_hour_usd: Money | null; input_usd_per_mtoken: Money | null; output_usd_per_mtoken: Money | null; as_of: string; source: string};
  site: {name: string; kind: string; round_trip_s: number; egress_usd_per_gib: Money; carbon_grams_per_kwh: number | null};
  node: {cpus: number; memory: number; devices: number}; device_memory: number; nodes: number; nodes_up: number;
  total: {cpus: number; memory: number; devices: number}; free: {cpus: number; memory: number; devices: number};
  running: number; awaited_by: number; arch: string; runtimes: Record<string, string>; precisions: string[];
  power: {idle_watts: number; busy_watts: number; pue: number; tariff_usd_per_kwh: Money | null} | null;
  features: string[]; confidential: string[]; models: string[] | null; tenants: string[]; labels: Record<string, string>;
  tier: number | null; placement: string; limits: string[];
}

export interface Tale {
  id: string; at: string; kind: 'job' | 'request'; work: string | null; name: string; model: string | null;
  tenant: string; outcome: 'placed' | 'waiting' | 'refused'; pool: string | null; code: string;
  cost_usd: Money | null; baseline_usd: Money | null; spilled: boolean;
  why_not: {pool: string; code: string; why: string | null} | null;
}

export interface Attempt {
  number: number; pool: string; state: string; decision: string; launched_at: string; started_at: string | null;
  finished_at: string | null; fault: string | null; exit_code: number | null; signal: number | null;
  message: string | null; cost_usd: Money; marginal_cost_usd: Money; energy_joules: number; carbon_grams: number;
}

export interface Job {
  id: string; name?: string; state: string; pool: string | null; modelled: boolean; tenant: string; created_at: string;
  started_at: string | null; finished_at: string | null; cancelling: boolean; exit_code: number | null;
  signal: number | null; message: string | null; cost_usd: Money; marginal_cost_usd: Money; overhead_cost_usd: Money;
  baseline_cost_usd: Money | null; energy_joules: number; carbon_grams: number; decision: string; attempts: Attempt[];
  run?: {command: string[]}; needs?: Record<string, unknown>; demand?: Record<string, unknown>;
  objective?: Record<string, unknown>; labels?: Record<string, string>; priority: number;
}

export interface Spread {p50: number; p90: number}
export interface Candidate {
  pool: string; verdict: 'chosen' | 'awaited' | 'refused' | 'outranked'; code: string; codes: string[]; why: string;
  modelled?: boolean; alternative?: number;
  estimate?: {
    wait_s: Spread; duration_s: Spread; ttft_s: Spread | number | null; tpot_s: Spread | number | null;
    cost_usd: Money | null; marginal_cost_usd: Money | null; energy_joules: number; carbon_grams: number; basis: string;
  };
}
export interface Outcome {
  model: string; answered_by: string; endpoint: string | null; end: string; status: number; stream: boolean;
  arrived_at: string; ended_at: string; queued_s: number; ttft_s: number | null; tpot_s: number | null;
  prompt_tokens: number | null; output_tokens: number | null; cost_usd: Money | null; marginal_cost_usd: Money | null;
  baseline_cost_usd: Money | null; energy_joules: number; carbon_grams: number;
}
export interface Decision {
  id: string; work: string | null; name?: string; at: string; tenant: string; outcome: 'placed' | 'waiting' | 'refused';
  chosen: string | null; policy: string; policy_version: number; rule?: string; inputs_hash: string; spill_at?: string | null;
  baseline: {pool: string | null; cost_usd: Money | null; code?: string}; candidates: Candidate[]; request?: Outcome;
}

export interface Series {
  start: string; step_s: number; dropped_pools: number;
  series: {name: string; pool: string | null; unit: string; values: (number | null)[]}[];
}

export interface CostRow {
  key: string; cost_usd: Money; marginal_cost_usd: Money; baseline_usd: Money | null; saved_usd: Money | null;
  idle_usd: Money; overhead_usd: Money; requests: number; jobs: number; prompt_tokens: number; output_tokens: number;
  energy_joules: number; carbon_grams: number; compared_cost_usd: Money; bill_usd: Money; without_baseline: number;
}
export interface Costs {from: string; to: string; by: string; rows: CostRow[]; total: CostRow}

export interface Simulation {
  id: string; state: string; progress: {done: number; total: number; what: string | null} | null; created_at: string;
  started_at: string | null; finished_at: string | null; command: string; error: string | null;
  verdict: string | null; results: string | null; report: string | null; kind: string; name: string | null;
}
export interface List<T> {data: T[]; first_id: string | null; last_id: string | null; has_more: boolean}
