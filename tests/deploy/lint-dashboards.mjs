// The rules of Grafana's dashboard-linter (github.com/grafana/dashboard-linter) for boards that ask Prometheus, and some
// of our own:
//   lint-dashboards.mjs FILE...      prints what is wrong; fails if anything is
//   lint-dashboards.mjs --self-test  breaks a good board in every way and looks whether that is found
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as path from 'node:path';

const grafana = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../deploy/grafana');
const require = createRequire(path.join(grafana, 'package.json'));
const { parser } = require('@prometheus-io/lezer-promql');
const units = new Set(Object.values(require('@grafana/grafana-foundation-sdk/units')));

export const panelsOf = (board) => board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
// Grafana's variables are no PromQL: as it would put them in.
export const spellOut = (expr, { interval = '5m', range = '1h', values = '.+' } = {}) =>
  expr.replaceAll('$__rate_interval', interval).replaceAll('$__interval', interval)
    .replaceAll('$__range', range).replaceAll('$job', values).replaceAll('$instance', values);

// Every node of the syntax tree of one kind, as text.
function nodes(expr, kind) {
  const found = [];
  parser.parse(expr).iterate({ enter: (node) => { if (node.name === kind) found.push({ text: expr.slice(node.from, node.to), node: node.node }); } });
  return found;
}
// Names of series that an expression reads.
export const metricsOf = (expr) => [...new Set(nodes(spellOut(expr), 'VectorSelector')
  .map(({ text }) => text.split(/[{\s]/)[0]).filter((name) => name !== ''))];

function lintQuery(expr, say) {
  const spelt = spellOut(expr);
  if (nodes(spelt, '⚠').length > 0) say(`does not parse: ${expr}`);
  for (const { text } of nodes(spelt, 'VectorSelector')) {
    if (!text.includes('job=~".+"')) say(`no matcher on job: ${text}`);
    if (!text.includes('instance=~".+"')) say(`no matcher on instance: ${text}`);
  }
  for (const { text } of nodes(expr.replaceAll('$__rate_interval', '59m').replaceAll('$__range', '58m')
    .replaceAll('$job', '.+').replaceAll('$instance', '.+'), 'FunctionCall')) {
    const call = /^(rate|irate|increase|delta|deriv)\s*\(/.exec(text);
    if (call === null) continue;
    const window = /\[(\d+[smhdwy])\]/.exec(text)?.[1];
    if (window !== '59m' && !(call[1] === 'increase' && window === '58m')) say(`a window that is not $__rate_interval: ${text}`);
  }
  // Counters, histograms too, are read by their growth alone.
  for (const { text, node } of nodes(spelt, 'VectorSelector')) {
    const name = text.split('{')[0];
    if (!/_(total|bucket|sum|count)$/.test(name)) continue;
    let around = node.parent;
    while (around !== null && around.name !== 'FunctionCall') around = around.parent;
    if (around === null || !/^(rate|irate|increase)\b/.test(spelt.slice(around.from, around.to))) say(`a counter without rate or increase: ${text}`);
  }
}

export function lint(board) {
  const found = [];
  const say = (where) => (what) => found.push(`${board.title}: ${where}: ${what}`);
  const whole = say('board');
  if (board.editable !== false) whole('is editable');
  if (!board.uid || !board.title || !board.description) whole('lacks uid, title or description');
  const variables = new Map((board.templating?.list ?? []).map((one) => [one.name, one]));
  const source = variables.get('datasource');
  if (source?.type !== 'datasource' || source.query !== 'prometheus' || source.label !== 'Data Source') whole('has no variable `datasource` labelled `Data Source`');
  if ([...variables.values()].filter((one) => one.type === 'datasource').length !== 1) whole('has more than one data source');
  for (const [name, label] of [['job', 'Job'], ['instance', 'Instance']]) {
    const one = variables.get(name);
    if (one === undefined) { whole(`has no variable ${name}`); continue; }
    if (one.type !== 'query' || one.label !== label) whole(`${name} is no query labelled ${label}`);
    if (one.multi !== true || one.allValue !== '.+' || one.includeAll !== true) whole(`${name} takes not many values, or all of them otherwise than by .+`);
    if (one.refresh !== 2) whole(`${name} is not refreshed when the time changes`);
    if (one.datasource?.uid !== '${datasource}') whole(`${name} names a data source`);
    const selector = /^label_values\((.+), \w+\)$/.exec(one.query ?? '')?.[1];
    if (selector === undefined || nodes(spellOut(selector), '⚠').length > 0) whole(`the query of ${name} is no PromQL: ${one.query}`);
  }
  const titles = new Set();
  for (const panel of panelsOf(board)) {
    if (panel.type === 'row') continue;
    const here = say(panel.title ?? 'a panel without a title');
    if (!panel.title) here('has no title');
    if (titles.has(panel.title)) here('is there twice');
    titles.add(panel.title);
    if (!panel.description || !/[.!?]$/.test(panel.description)) here('has no description, or one that is no sentence');
    if (panel.datasource?.uid !== '${datasource}') here('names a data source');
    if (!units.has(panel.fieldConfig?.defaults?.unit)) here(`has no unit that Grafana knows: ${panel.fieldConfig?.defaults?.unit}`);
    if (!(panel.targets?.length > 0)) here('asks nothing');
    for (const target of panel.targets ?? []) {
      if (target.datasource?.uid !== '${datasource}') here('a query names a data source');
      lintQuery(target.expr, here);
    }
  }
  return found;
}

const selfTest = (file) => {
  const good = () => JSON.parse(readFileSync(file, 'utf8'));
  const panel = (board) => board.panels.find((one) => one.targets?.[0].expr.includes('$__rate_interval'));
  const breaks = [
    ['is editable', (b) => { b.editable = true; }],
    ['Data Source', (b) => { b.templating.list[0].label = 'Source'; }],
    ['has no variable job', (b) => { b.templating.list.splice(1, 1); }],
    ['by .+', (b) => { b.templating.list[1].allValue = '.*'; }],
    ['when the time changes', (b) => { b.templating.list[2].refresh = 1; }],
    ['is no PromQL', (b) => { b.templating.list[1].query = 'label_values(up{job=~}, job)'; }],
    ['has no title', (b) => { panel(b).title = ''; }],
    ['no sentence', (b) => { panel(b).description = 'Rate'; }],
    ['names a data source', (b) => { panel(b).datasource.uid = 'abc'; }],
    ['unit that Grafana knows', (b) => { panel(b).fieldConfig.defaults.unit = 'dollars'; }],
    ['asks nothing', (b) => { panel(b).targets = []; }],
    ['does not parse', (b) => { panel(b).targets[0].expr += ' +'; }],
    ['no matcher on job', (b) => { panel(b).targets[0].expr = 'sum(up{instance=~"$instance"})'; }],
    ['no matcher on instance', (b) => { panel(b).targets[0].expr = 'sum(up{job=~"$job"})'; }],
    ['not $__rate_interval', (b) => { panel(b).targets[0].expr = panel(b).targets[0].expr.replace('$__rate_interval', '5m'); }],
    ['without rate', (b) => { panel(b).targets[0].expr = 'sum(spillway_jobs_total{job=~"$job", instance=~"$instance"})'; }],
    ['is there twice', (b) => { b.panels.push(structuredClone(panel(b))); }],
  ];
  if (lint(good()).length > 0) throw new Error('the good board is not good');
  for (const [words, change] of breaks) {
    const board = good();
    change(board);
    if (!lint(board).some((line) => line.includes(words))) throw new Error(`not found: ${words}`);
  }
  console.log(`${breaks.length} ways to break a board are found`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = process.argv.slice(2);
  if (files[0] === '--self-test') {
    selfTest(path.join(grafana, 'dashboards/spillway-overview.json'));
  } else {
    const found = files.flatMap((file) => lint(JSON.parse(readFileSync(file, 'utf8'))));
    for (const line of found) console.log(line);
    const panels = files.map((file) => panelsOf(JSON.parse(readFileSync(file, 'utf8'))).filter((one) => one.type !== 'row').length);
    console.log(`${files.length} boards, ${panels.reduce((a, b) => a + b, 0)} panels, ${found.length} findings`);
    process.exitCode = found.length === 0 && files.length > 0 ? 0 : 1;
  }
}
