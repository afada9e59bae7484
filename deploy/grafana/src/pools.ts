// What the fleet has, what of it is in use, and how the controller itself fares.
import { quantile, rate, select, shares, times } from './board';
import type { Board } from './panel';

export const pools: Board = {
  uid: 'spillway-pools',
  title: 'Spillway / Pools and devices',
  description: 'What the fleet has, what of it is in use, why pools were refused, and how the controller itself fares. Temperatures and memory errors of devices are for the vendor\'s own exporter: Spillway does not see them.',
  rows: [
    {
      title: 'Pools',
      panels: [
        {
          kind: 'strip', title: 'Utilisation', unit: 'percentunit', wide: 16, min: 0, max: 1,
          description: 'Busy part of the devices, or of the CPUs where a node has none.',
          queries: [{ expr: `max by (pool) (${select('spillway_pool_utilization_ratio')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'bars', title: 'Health', unit: 'percentunit', min: 0, max: 1, base: 'red', steps: [[0.01, 'orange'], [1, 'green']],
          description: 'Part of the nodes that are up, or of the engines where others run them.',
          queries: [{ expr: `min by (pool) (${select('spillway_pool_healthy')})`, legend: '{{pool}}', instant: true }],
        },
        {
          kind: 'lines', title: 'Devices in use', unit: 'short', min: 0,
          description: 'Devices that running work holds; engines hold theirs all the time.',
          queries: [{ expr: `sum by (pool) (${select('spillway_pool_busy', 'resource="devices"')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'CPUs in use', unit: 'short', min: 0,
          description: 'CPUs that running work holds.',
          queries: [{ expr: `sum by (pool) (${select('spillway_pool_busy', 'resource="cpus"')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'Memory in use', unit: 'bytes', min: 0,
          description: 'Memory of nodes that running work holds.',
          queries: [{ expr: `sum by (pool) (${select('spillway_pool_busy', 'resource="memory"')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'bars', title: 'Free by resource', unit: 'percentunit', wide: 12, high: 10, min: 0, max: 1, base: 'red', steps: [[0.1, 'orange'], [0.3, 'green']],
          description: 'What is left of each resource of nodes that are up.',
          queries: [{
            expr: `1 - sum by (pool, resource) (${select('spillway_pool_busy')}) / (sum by (pool, resource) (${select('spillway_pool_capacity')}) > 0)`,
            legend: '{{pool}}: {{resource}}', instant: true,
          }],
        },
        {
          kind: 'lines', title: 'Jobs running and awaiting', unit: 'short', wide: 12, high: 10, min: 0,
          description: 'Attempts that run or start, and queued jobs that count on the pool.',
          queries: [
            { expr: `sum by (pool) (${select('spillway_pool_running_jobs')})`, legend: '{{pool}} runs' },
            { expr: `sum by (pool) (${select('spillway_pool_awaited_by_jobs')})`, legend: '{{pool}} awaited' },
          ],
        },
        {
          kind: 'strip', title: 'Held back by operators', unit: 'bool_yes_no', wide: 12, min: 0, max: 1,
          description: 'Pools that are cordoned or being drained.',
          queries: [{
            expr: `max by (pool) (${select('spillway_pool_state', 'state!="active"')})`,
            legend: '{{pool}}',
          }],
        },
        {
          kind: 'lines', title: 'Power by pool', unit: 'watt', wide: 12, min: 0,
          description: 'Energy that was booked per second; steps where an attempt ends.',
          queries: [{ expr: `sum by (pool) (${rate('spillway_pool_energy_joules_total')})`, legend: '{{pool}}' }],
        },
      ],
    },
    {
      title: 'Placement',
      panels: [
        {
          kind: 'lines', title: 'Placements by vendor', unit: 'ops', stacked: true, min: 0,
          description: 'Jobs and requests by who made the hardware that they were put on.',
          queries: [{ expr: `sum by (vendor, kind) (${rate('spillway_placements_total')})`, legend: '{{vendor}} {{kind}}' }],
        },
        {
          kind: 'lines', title: 'On NVIDIA, though others are able', unit: 'ops', min: 0,
          description: 'Placements on NVIDIA that a pool of another vendor is able to do, whatever its load, state or rank. With full cheap pools this is the spillway at work; with idle ones it is an alert.',
          queries: [{
            expr: `sum by (class, pool) (${rate('spillway_avoidable_nvidia_placements_total')})`,
            legend: '{{class}} on {{pool}}',
          }],
        },
        {
          kind: 'lines', title: 'Spill-over of jobs', unit: 'ops', min: 0,
          description: 'Jobs that a pool before in the claim order could not take in time, and where they went.',
          queries: [{ expr: `sum by (from, to) (${rate('spillway_spillover_total')})`, legend: '{{from}} -> {{to}}' }],
        },
        shares('Refusals by reason', 'ops', 'spillway_refusals_total', 'code',
          'Pools that decisions refused, by the first code. docs/metrics.md lists the codes.'),
        shares('Decisions by outcome', 'ops', 'spillway_decisions_total', 'code',
          'By the code that the answer rests on: chosen, pinned, busy (it waits), or why nobody could.'),
        {
          kind: 'lines', title: 'Wait of jobs, p95', unit: 's', min: 0,
          description: 'From a job\'s submission to its first start, by class of work.',
          queries: [{ expr: quantile(0.95, 'spillway_job_wait_seconds', ['work_class']), legend: '{{work_class}}' }],
        },
      ],
    },
    {
      title: 'Controller',
      panels: [
        times('Decision', 'spillway_decision_duration_seconds',
          'Time to fold and decide one submission.'),
        times('Commit', 'spillway_store_commit_duration_seconds',
          'Time to make one batch durable. Answers to submissions wait for it.'),
        times('Lag of the control thread', 'spillway_event_loop_lag_seconds',
          'How long the oldest input of a batch had waited.'),
        {
          kind: 'lines', title: 'HTTP by operation, p99', unit: 's', min: 0,
          description: 'From a request\'s arrival to its answer, or to the head of its stream.',
          queries: [{ expr: quantile(0.99, 'spillway_http_request_duration_seconds', ['operation']), legend: '{{operation}}' }],
        },
        {
          kind: 'lines', title: 'Calls to adapters', unit: 'ops', min: 0,
          description: 'By adapter and call; `signals` asks engines how they are.',
          queries: [{ expr: `sum by (adapter, rpc, code) (${rate('spillway_adapter_calls_total')})`, legend: '{{adapter}} {{rpc}} {{code}}' }],
        },
        {
          kind: 'lines', title: 'Duration of calls to adapters, p99', unit: 's', min: 0,
          description: 'Until the call returned; of `signals` until the engine answered.',
          queries: [{ expr: quantile(0.99, 'spillway_adapter_call_duration_seconds', ['adapter', 'rpc']), legend: '{{adapter}} {{rpc}}' }],
        },
        {
          kind: 'bars', title: 'Fullness of buffers', unit: 'percentunit', min: 0, max: 1, steps: [[0.7, 'orange'], [0.9, 'red']],
          description: 'How full each queue, buffer and cache of the controller is. At its bound, new entries are refused or old ones make room.',
          queries: [{
            expr: `max by (buffer) (${select('spillway_buffer_used')} / ${select('spillway_buffer_bound')})`,
            legend: '{{buffer}}', instant: true,
          }],
        },
        {
          kind: 'lines', title: 'Connections', unit: 'short', min: 0,
          description: 'Open connections of clients.',
          queries: [{ expr: `sum by (instance) (${select('spillway_http_connections')})`, legend: '{{instance}}' }],
        },
        {
          kind: 'lines', title: 'Labels over their caps', unit: 'ops', min: 0,
          description: 'Values counted under `other` since their label had as many values as it may have.',
          queries: [{ expr: `sum by (label) (${rate('spillway_series_dropped_total')})`, legend: '{{label}}' }],
        },
        {
          kind: 'stat', title: 'Configuration in force is the last one asked for', unit: 'bool_yes_no', base: 'red', steps: [[1, 'green']],
          description: 'No: a reload was refused; the log says why.',
          queries: [{ expr: `min(${select('spillway_config_last_reload_successful')})`, legend: 'in force' }],
        },
        {
          kind: 'stat', title: 'Claims that came to nothing', unit: 'ops',
          description: 'An engine that said it was overloaded, or a launch that could not start, where our view had shown room. Others use the same hardware.',
          queries: [{ expr: `sum(${rate('spillway_claim_conflicts_total')}) or vector(0)`, legend: 'conflicts' }],
        },
        {
          kind: 'stat', title: 'Versions', unit: 'short',
          description: 'Programs by version and revision.',
          queries: [{ expr: `count by (version, revision) (${select('spillway_build_info')})`, legend: '{{version}} {{revision}}' }],
        },
      ],
    },
  ],
};
