// Where the money goes, and what the same work would have cost elsewhere.
import { increase, rate, select, shares } from './board';
import type { Board } from './panel';

const MILLION = 1e6;
// Tokens by pool and model, under the label names that costs have.
const tokens = (more = '') =>
  `sum by (pool, model) (label_replace(${rate('gen_ai_client_token_usage_sum', more)}, "model", "$1", "gen_ai_response_model", "(.*)"))`;

export const costs: Board = {
  uid: 'spillway-costs',
  title: 'Spillway / Cost and savings',
  description: 'Where the money goes, what the same work would have cost on NVIDIA alone, and what is idle. Counters are projections of the ledger, which has every amount exactly.',
  from: 'now-24h',
  rows: [
    {
      title: 'Bill',
      panels: [
        {
          kind: 'stat', title: 'Cost', unit: 'currencyUSD', wide: 6, decimals: 4,
          description: 'Allocated cost of the chosen time: work, idle time and overhead.',
          queries: [{ expr: `sum(${increase('spillway_cost_usd_total')})`, legend: 'cost' }],
        },
        {
          kind: 'stat', title: 'NVIDIA only', unit: 'currencyUSD', wide: 6, decimals: 4,
          description: 'What the work of the chosen time would have cost on the cheapest able NVIDIA pool, where there is one.',
          queries: [{ expr: `sum(${increase('spillway_baseline_cost_usd_total')})`, legend: 'NVIDIA only' }],
        },
        {
          kind: 'stat', title: 'Saved', unit: 'currencyUSD', wide: 6, decimals: 4, base: 'red', steps: [[0, 'green']],
          description: 'NVIDIA only, less the cost of the same work. Negative: NVIDIA would have been cheaper.',
          queries: [{
            expr: `sum(${increase('spillway_baseline_cost_usd_total')}) - sum(${increase('spillway_compared_cost_usd_total')})`,
            legend: 'saved',
          }],
        },
        {
          kind: 'stat', title: 'A month at this rate', unit: 'currencyUSD', wide: 6, decimals: 2,
          description: 'The cost of the last hour, times the hours of this month.',
          queries: [{
            expr: `sum(${select('pool:spillway_cost_usd:rate1h')}) * 86400 * scalar(days_in_month())`,
            legend: 'a month',
          }],
        },
        {
          kind: 'bars', title: 'Cost by pool and category', unit: 'currencyUSD', wide: 12, high: 10, decimals: 4,
          description: 'From the bill to its parts: work of tenants, idle time of what is paid for anyway, and overhead of attempts that were lost to infrastructure. Overhead and idle time show once they were booked.',
          queries: [{
            expr: `sort_desc(sum by (pool, category) (${increase('spillway_cost_usd_total')}) > 0)`,
            legend: '{{pool}}: {{category}}', instant: true,
          }],
        },
        {
          kind: 'lines', title: 'Actual against NVIDIA only', unit: 'currencyUSD', wide: 12, high: 10, min: 0,
          description: 'Cost per hour of work that has a baseline, and of that baseline. The distance is the saving.',
          queries: [
            { expr: `sum(${rate('spillway_compared_cost_usd_total')}) * 3600`, legend: 'actual' },
            { expr: `sum(${rate('spillway_baseline_cost_usd_total')}) * 3600`, legend: 'NVIDIA only' },
          ],
        },
      ],
    },
    {
      title: 'Budgets',
      panels: [
        {
          kind: 'bars', title: 'Budgets, spent', unit: 'percentunit', wide: 12, min: 0, steps: [[0.5, 'yellow'], [0.8, 'orange'], [1, 'red']],
          description: 'Part of each budget that was spent since its day or month (UTC) began.',
          queries: [{
            expr: `max by (tenant, period) (${select('spillway_budget_spent_usd')} / ${select('spillway_budget_limit_usd')})`,
            legend: '{{tenant}}, {{period}}', instant: true,
          }],
        },
        {
          kind: 'bars', title: 'Budgets, at the end of the day or month', unit: 'percentunit', wide: 12, min: 0, steps: [[0.8, 'orange'], [1, 'red']],
          description: 'Part of each budget that will have been spent at this pace. At the beginning of a day or month: what was spent so far.',
          queries: [{
            expr: `max by (tenant, period) (${select('spillway_budget_burn_ratio')}) or max by (tenant, period) (${select('spillway_budget_spent_usd')} / ${select('spillway_budget_limit_usd')})`,
            legend: '{{tenant}}, {{period}}', instant: true,
          }],
        },
      ],
    },
    {
      title: 'Who and what',
      panels: [
        {
          kind: 'bars', title: 'Tenants', unit: 'currencyUSD', decimals: 4,
          description: 'The ten tenants that spent most in the chosen time, idle time left aside.',
          queries: [{
            expr: `topk(10, sum by (tenant) (${increase('spillway_cost_usd_total', 'category!="idle"')}))`,
            legend: '{{tenant}}', instant: true,
          }],
        },
        {
          kind: 'bars', title: 'Saved by pool', unit: 'currencyUSD', decimals: 4,
          description: 'By the pool that did the work. Negative bars cost more than NVIDIA would have.',
          queries: [{
            expr: `sum by (pool) (${increase('spillway_baseline_cost_usd_total')}) - sum by (pool) (${increase('spillway_compared_cost_usd_total')})`,
            legend: '{{pool}}', instant: true,
          }],
        },
        {
          kind: 'bars', title: 'This hour, idle by pool', unit: 'currencyUSD', decimals: 4,
          description: 'Cost of this hour (UTC) so far that nobody used. Owned pools have it whenever they are not full.',
          queries: [{
            expr: `sum by (pool) (${select('spillway_hour_cost_usd', 'category="idle"')})`,
            legend: '{{pool}}', instant: true,
          }],
        },
        {
          kind: 'lines', title: 'Dollars per million tokens', unit: 'currencyUSD', min: 0,
          description: 'Allocated cost of requests over their tokens, input and output together, by the pool and the model that answered.',
          queries: [{
            expr: `sum by (pool, model) (${rate('spillway_request_cost_usd_total')}) / (${tokens()} > 0) * ${MILLION}`,
            legend: '{{model}} on {{pool}}',
          }],
        },
        {
          kind: 'lines', title: 'Dollars per million output tokens', unit: 'currencyUSD', min: 0,
          description: 'The same cost over output tokens alone: what most price lists quote.',
          queries: [{
            expr: `sum by (pool, model) (${rate('spillway_request_cost_usd_total')}) / (${tokens('gen_ai_token_type="output"')} > 0) * ${MILLION}`,
            legend: '{{model}} on {{pool}}',
          }],
        },
        {
          kind: 'lines', title: 'Dollars per job', unit: 'currencyUSD', min: 0,
          description: 'Mean cost of a job by its class of work, all attempts and overhead included.',
          queries: [{
            expr: `sum by (work_class) (${rate('spillway_job_cost_usd_sum')}) / (sum by (work_class) (${rate('spillway_job_cost_usd_count')}) > 0)`,
            legend: '{{work_class}}',
          }],
        },
        {
          kind: 'lines', title: 'Requests: actual against NVIDIA only', unit: 'currencyUSD', wide: 12, min: 0,
          description: 'The part of the bill that is requests, per hour, beside what NVIDIA alone would have cost.',
          queries: [
            { expr: `sum(${rate('spillway_request_compared_cost_usd_total')}) * 3600`, legend: 'actual' },
            { expr: `sum(${rate('spillway_request_baseline_cost_usd_total')}) * 3600`, legend: 'NVIDIA only' },
          ],
        },
        {
          kind: 'lines', title: 'Cost per hour by tenant', unit: 'currencyUSD', wide: 12, stacked: true, min: 0,
          description: 'A mean over the last hour. Tenants beyond the cap of the program are one: `other`.',
          queries: [{ expr: `sum by (tenant) (${select('tenant:spillway_cost_usd:rate1h')}) * 3600`, legend: '{{tenant}}' }],
        },
      ],
    },
    {
      title: 'Prices and books',
      panels: [
        {
          kind: 'lines', title: 'Price of a node', unit: 'currencyUSD', min: 0,
          description: 'Dollars per hour of one node, as in force. Changes are marked on all charts.',
          queries: [{ expr: `max by (pool) (${select('spillway_pool_node_price_usd_per_hour')})`, legend: '{{pool}}' }],
        },
        {
          kind: 'bars', title: 'Age of prices', unit: 's', steps: [[7776000, 'orange'], [15552000, 'red']],
          description: 'Time since the day for which the price in force was stated. An alert after 180 days.',
          queries: [{ expr: `max by (pool) (${select('spillway_pool_price_age_seconds')})`, legend: '{{pool}}', instant: true }],
        },
        {
          kind: 'stat', title: 'Ledger agrees with counters', unit: 'bool_yes_no', base: 'red', steps: [[1, 'green']], high: 8,
          description: 'Every few seconds the ledger on disk is compared with the counters, row by row.',
          queries: [{ expr: `min(${select('spillway_ledger_reconciled')})`, legend: 'agrees' }],
        },
        shares('Power', 'watt', 'spillway_pool_energy_joules_total', 'pool',
          'Energy that was booked per second, at the nodes. Modelled or estimated where a pool does not meter.'),
        {
          kind: 'lines', title: 'Carbon', unit: 'massg', stacked: true, min: 0,
          description: 'Grams of CO2 equivalent per hour, scope 2, by the grid of the pool\'s site.',
          queries: [{ expr: `sum by (pool) (${rate('spillway_pool_carbon_grams_total')}) * 3600`, legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'Energy of a request', unit: 'joule', min: 0,
          description: 'Mean energy of a request by the model that answered and the pool.',
          queries: [{
            expr: `sum by (model, pool) (${rate('spillway_request_energy_joules_total')}) / (sum by (model, pool) (${rate('spillway_requests_total', 'end="answered"')}) > 0)`,
            legend: '{{model}} on {{pool}}',
          }],
        },
      ],
    },
  ],
};
