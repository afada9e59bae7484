// Is all well, what does it cost, what was saved.
import { increase, quantile, rate, select, shares } from './board';
import type { Board } from './panel';

export const overview: Board = {
  uid: 'spillway-overview',
  title: 'Spillway / Overview',
  description: 'Is all well, what does it cost, and what was saved against NVIDIA only.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat', title: 'Jobs per second', unit: 'ops', wide: 4,
          description: 'Jobs that ended, and submissions that were refused, per second.',
          queries: [{ expr: `sum(${rate('spillway_jobs_total')})`, legend: 'jobs' }],
        },
        {
          kind: 'stat', title: 'Requests per second', unit: 'reqps', wide: 4,
          description: 'Requests for inference that are over, however they ended.',
          queries: [{ expr: `sum(${rate('spillway_requests_total')})`, legend: 'requests' }],
        },
        {
          kind: 'stat', title: 'Missed objectives', unit: 'percentunit', wide: 4, decimals: 2, min: 0,
          description: 'Part of the work of jobs and requests that came too late or not at all. 1 % of a month is the error budget.',
          steps: [[0.01, 'orange'], [0.144, 'red']],
          queries: [{
            expr: `(sum(${rate('spillway_objectives_total', 'outcome="missed"')}) or vector(0)) / sum(${rate('spillway_objectives_total')})`,
            legend: 'missed',
          }],
        },
        {
          kind: 'stat', title: 'Job latency, p95', unit: 's', wide: 4,
          description: 'From submission to the end of a job that succeeded, waiting included.',
          queries: [{ expr: quantile(0.95, 'spillway_job_duration_seconds'), legend: 'p95' }],
        },
        {
          kind: 'stat', title: 'Pools up', unit: 'percentunit', wide: 4, min: 0, max: 1,
          description: 'Part of the pools that have a node or an engine that is up.',
          base: 'red', steps: [[0.5, 'orange'], [1, 'green']],
          queries: [{
            expr: `(count(${select('spillway_pool_healthy')} > 0) or vector(0)) / count(${select('spillway_pool_healthy')})`,
            legend: 'up',
          }],
        },
        {
          kind: 'stat', title: 'Firing alerts', unit: 'short', wide: 4,
          description: 'Alerts of Spillway that fire now; each names a page that says what to do.',
          steps: [[1, 'red']],
          queries: [{
            expr: `count(${select('ALERTS', 'alertstate="firing", alertname=~"Spillway.+"')}) or vector(0)`,
            legend: 'alerts',
          }],
        },
      ],
    },
    {
      title: 'Money',
      panels: [
        {
          kind: 'stat', title: 'Cost per hour', unit: 'currencyUSD', wide: 6, decimals: 4,
          description: 'Allocated cost of the last hour: work, idle time and overhead. Idle time is booked as its hour ends.',
          queries: [{ expr: `sum(${select('pool:spillway_cost_usd:rate1h')}) * 3600`, legend: 'an hour' }],
        },
        {
          kind: 'stat', title: 'This hour so far', unit: 'currencyUSD', wide: 6, decimals: 4,
          description: 'What the current hour (UTC) has cost so far, idle time included, as the ledger would have it if it ended now.',
          queries: [{ expr: `sum(${select('spillway_hour_cost_usd')})`, legend: 'so far' }],
        },
        {
          kind: 'stat', title: 'Saved today against NVIDIA only', unit: 'currencyUSD', wide: 6, decimals: 4, since: 'now/d',
          description: 'What the same work would have cost on NVIDIA alone, less what it did cost. Only work that NVIDIA could have done is on either side. Negative: NVIDIA would have been cheaper.',
          base: 'red', steps: [[0, 'green']],
          queries: [{
            expr: `sum(${increase('spillway_baseline_cost_usd_total')}) - sum(${increase('spillway_compared_cost_usd_total')})`,
            legend: 'saved',
          }],
        },
        {
          kind: 'stat', title: 'Saved today, part of the NVIDIA bill', unit: 'percentunit', wide: 6, decimals: 1, since: 'now/d',
          description: 'The same saving as a part of what NVIDIA alone would have cost.',
          base: 'red', steps: [[0, 'green']],
          queries: [{
            expr: `1 - sum(${increase('spillway_compared_cost_usd_total')}) / sum(${increase('spillway_baseline_cost_usd_total')})`,
            legend: 'saved',
          }],
        },
        {
          kind: 'lines', title: 'Cost per hour by pool', unit: 'currencyUSD', wide: 12, stacked: true, min: 0,
          description: 'Allocated cost by the pool that it was spent on, as a rate per hour.',
          queries: [{ expr: `sum by (pool) (${rate('spillway_cost_usd_total')}) * 3600`, legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'Spill-over', unit: 'percentunit', wide: 12, min: 0, max: 1,
          description: 'Part of the placements that the first pool in the claim order could not take in time. It rises with load; that is what dearer pools are for.',
          queries: [
            {
              expr: `(sum(${rate('spillway_spillover_total')}) or vector(0)) / sum(${rate('spillway_placements_total', 'class="job"')})`,
              legend: 'jobs',
            },
            {
              expr: `(sum(${rate('spillway_request_spills_total')}) or vector(0)) / sum(${rate('spillway_placements_total', 'class="request"')})`,
              legend: 'requests',
            },
          ],
        },
      ],
    },
    {
      title: 'Work',
      panels: [
        shares('Jobs by pool', 'ops', 'spillway_jobs_total', 'pool',
          'Jobs that ended, by the pool that ran them last. `none`: refused, or cancelled while they waited.'),
        shares('Jobs by outcome', 'ops', 'spillway_jobs_total', 'outcome',
          'Succeeded, failed, cancelled, and refused since no pool could ever do them.'),
        {
          kind: 'lines', title: 'Queue', unit: 'short', min: 0,
          description: 'Jobs that wait for a pool, and requests that wait for room in an engine.',
          queries: [
            { expr: `sum(${select('spillway_queue_depth', 'class="job"')})`, legend: 'jobs' },
            { expr: `sum(${select('spillway_requests_waiting')})`, legend: 'requests' },
          ],
        },
        {
          kind: 'strip', title: 'Utilisation', unit: 'percentunit', wide: 16, min: 0, max: 1,
          description: 'Busy part of each pool: of its devices, or of its CPUs where a node has none. An engine holds its devices all the time.',
          queries: [{ expr: `max by (pool) (${select('spillway_pool_utilization_ratio')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'Oldest job in the queue', unit: 's', min: 0,
          description: 'How long the job that waits longest has waited. A line that only rises, while pools are free, is an alert.',
          queries: [{ expr: `max by (class) (${select('spillway_queue_oldest_age_seconds')})`, legend: '{{class}}' }],
        },
      ],
    },
  ],
};
