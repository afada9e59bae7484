// Are requests answered in time, by whom, and what comes back.
import { quantile, rate, select, shares, times } from './board';
import type { Board } from './panel';

const kept = rate('spillway_objectives_total', 'class="request", outcome="kept"');

export const inference: Board = {
  uid: 'spillway-inference',
  title: 'Spillway / Inference objectives',
  description: 'Are requests answered in time, by which engines, and what becomes of the rest. Names and buckets are those of the OpenTelemetry conventions for generative AI.',
  from: 'now-3h',
  rows: [
    {
      title: 'Objectives',
      panels: [
        {
          kind: 'stat', title: 'Requests per second', unit: 'reqps', wide: 6,
          description: 'Requests that are over, however they ended.',
          queries: [{ expr: `sum(${rate('spillway_requests_total')})`, legend: 'requests' }],
        },
        {
          kind: 'stat', title: 'Goodput', unit: 'reqps', wide: 6,
          description: 'Requests per second whose first token and whose other tokens came in time.',
          queries: [{ expr: `sum(${kept})`, legend: 'in time' }],
        },
        {
          kind: 'stat', title: 'In time', unit: 'percentunit', wide: 6, decimals: 2, min: 0, max: 1,
          description: 'Part of the requests that kept their objective. Mistakes of clients and answers that a client left are not judged.',
          base: 'red', steps: [[0.856, 'orange'], [0.99, 'green']],
          queries: [{ expr: `sum(${kept}) / sum(${rate('spillway_objectives_total', 'class="request"')})`, legend: 'in time' }],
        },
        {
          kind: 'stat', title: 'Error budget, times its rate', unit: 'short', wide: 6, decimals: 1, min: 0,
          description: 'How many times faster than allowed the error budget of 1 % is being spent, over the last hour. 14.4 pages somebody.',
          steps: [[1, 'orange'], [14.4, 'red']],
          queries: [{ expr: `max(${select('class:spillway_objectives_missed:ratio_rate1h', 'class="request"')}) / 0.01`, legend: 'burn' }],
        },
        times('Time to first token', 'gen_ai_server_time_to_first_token_seconds',
          'From a request\'s arrival to its first token, of streams.'),
        times('Time per output token', 'gen_ai_server_time_per_output_token_seconds',
          'Between two tokens of a stream, mean of each request.'),
        times('Duration', 'gen_ai_server_request_duration_seconds',
          'From a request\'s arrival to the end of its answer.'),
        {
          kind: 'lines', title: 'Time to first token by pool, p95', unit: 's', min: 0,
          description: 'Cheap pools are slower; the policy uses them as long as the objective allows.',
          queries: [{ expr: quantile(0.95, 'gen_ai_server_time_to_first_token_seconds', ['pool']), legend: '{{pool}}' }],
        },
        {
          kind: 'lines', title: 'Wait for room, p95', unit: 's', min: 0,
          description: 'How long requests waited here since every able engine was full; at most 3 s, then 503.',
          queries: [{ expr: quantile(0.95, 'spillway_request_wait_seconds'), legend: 'p95' }],
        },
        {
          kind: 'lines', title: 'Estimate against observed', unit: 'percentunit', min: 0,
          description: 'Time to the first token, observed over estimated. Far from 100 %: the router decides by wrong figures.',
          queries: [{ expr: quantile(0.5, 'spillway_request_ttft_ratio', ['pool']), legend: '{{pool}}' }],
        },
      ],
    },
    {
      title: 'Traffic',
      panels: [
        shares('Requests by pool', 'reqps', 'spillway_requests_total', 'pool',
          'By the pool that answered. `none`: nobody did.'),
        shares('Requests by end', 'reqps', 'spillway_requests_total', 'end',
          'Answered; broken off by the engine; left by the client; refused; failed on every engine that was tried.'),
        {
          kind: 'lines', title: 'Answers that are errors', unit: 'reqps', min: 0,
          description: 'By HTTP status. 429: a quota; 503: no room; other 4xx: the client.',
          queries: [{
            expr: `sum by (code, operation) (${rate('spillway_http_requests_total', 'code=~"[45].."')})`,
            legend: '{{code}} {{operation}}',
          }],
        },
        {
          kind: 'lines', title: 'Tokens per second', unit: 'short', min: 0,
          description: 'As engines counted them.',
          queries: [{
            expr: `sum by (gen_ai_token_type) (${rate('gen_ai_client_token_usage_sum')})`,
            legend: '{{gen_ai_token_type}}',
          }],
        },
        {
          kind: 'heat', title: 'Length of prompts', unit: 'short',
          description: 'Requests by tokens of input.',
          queries: [{
            expr: `sum by (le) (${rate('gen_ai_client_token_usage_bucket', 'gen_ai_token_type="input"')})`,
            legend: '{{le}}',
          }],
        },
        {
          kind: 'heat', title: 'Length of answers', unit: 'short',
          description: 'Requests by tokens of output.',
          queries: [{
            expr: `sum by (le) (${rate('gen_ai_client_token_usage_bucket', 'gen_ai_token_type="output"')})`,
            legend: '{{le}}',
          }],
        },
        {
          kind: 'lines', title: 'Model named and model that answered', unit: 'reqps', stacked: true, min: 0,
          description: 'Aliases and cascades answer with another model than the client named.',
          queries: [{
            expr: `sum by (requested, served) (${rate('spillway_request_models_total')})`,
            legend: '{{requested}} -> {{served}}',
          }],
        },
        {
          kind: 'lines', title: 'Spill-over of requests', unit: 'reqps', min: 0,
          description: 'Requests that the first pool in the claim order did not take, where they went, and why.',
          queries: [{
            expr: `sum by (from, to, code) (${rate('spillway_request_spills_total')})`,
            legend: '{{from}} -> {{to}} ({{code}})',
          }],
        },
        {
          kind: 'lines', title: 'Prompt tokens from caches', unit: 'percentunit', min: 0, max: 1,
          description: 'Part of the prompts that engines had in their prefix caches, as they say; absent where they do not.',
          queries: [{
            expr: `sum by (pool) (${rate('spillway_request_cached_tokens_total')}) / (sum by (pool) (${rate('gen_ai_client_token_usage_sum', 'gen_ai_token_type="input"')}) > 0)`,
            legend: '{{pool}}',
          }],
        },
      ],
    },
    {
      title: 'Engines',
      panels: [
        {
          kind: 'lines', title: 'In flight by engine', unit: 'short', min: 0,
          description: 'Sequences that an engine works for or has waiting, by our own count.',
          queries: [{ expr: `sum by (endpoint) (${select('spillway_endpoint_in_flight')})`, legend: '{{endpoint}}' }],
        },
        {
          kind: 'lines', title: 'Fullness of engines', unit: 'percentunit', min: 0,
          description: 'Sequences in flight over those that the engine takes at once.',
          queries: [{
            expr: `sum by (endpoint) (${select('spillway_endpoint_in_flight')}) / (sum by (endpoint) (${select('spillway_endpoint_capacity')}) > 0)`,
            legend: '{{endpoint}}',
          }],
        },
        {
          kind: 'strip', title: 'Engines up', unit: 'bool_yes_no', min: 0, max: 1,
          description: 'Whether the engine answered when it was last asked.',
          queries: [{ expr: `min by (endpoint) (${select('spillway_endpoint_up')})`, legend: '{{endpoint}}' }],
        },
        {
          kind: 'lines', title: 'Retries', unit: 'reqps', min: 0,
          description: 'Requests sent on to the next engine before the client saw anything, and retries that the budget (a fifth of all requests) did not allow.',
          queries: [
            { expr: `sum(${rate('spillway_request_retries_total')})`, legend: 'sent on' },
            { expr: `sum(${rate('spillway_request_retries_refused_total')})`, legend: 'not allowed' },
          ],
        },
        {
          kind: 'lines', title: 'Attempts that failed', unit: 'reqps', min: 0,
          description: 'By pool and by what went wrong. Clients saw none of these, unless all engines failed.',
          queries: [{
            expr: `sum by (pool, fault) (${rate('spillway_request_attempt_faults_total')})`,
            legend: '{{pool}}: {{fault}}',
          }],
        },
        {
          kind: 'lines', title: 'Engines left out', unit: 'short', min: 0,
          description: 'Engines that are left out for a while after failures, by pool.',
          queries: [{ expr: `sum by (pool) (${select('spillway_endpoint_ejected')})`, legend: '{{pool}}' }],
        },
      ],
    },
  ],
};
