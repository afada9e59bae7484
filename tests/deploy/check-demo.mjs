// check-demo.mjs PROMETHEUS METRICS: every query of the committed dashboards against a live Prometheus, and
// docs/metrics.md against what the program shows.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as path from 'node:path';

const [prometheus, metricsFile] = process.argv.slice(2);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const found = [];

const spellOut = (expr) => expr.replaceAll('$__rate_interval', '30s').replaceAll('$__range', '60s')
  .replaceAll('$job', '.+').replaceAll('$instance', '.+');

async function ask(what, parameters) {
  const answer = await fetch(`${prometheus}/api/v1/${what}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== 'success') throw new Error(`${body.error}`);
  return body.data;
}

// At least one sample in the last half minute that is a number.
async function checkQuery(where, expr) {
  const end = Date.now() / 1000;
  try {
    const data = await ask('query_range', { query: spellOut(expr), start: end - 30, end, step: 1 });
    const numbers = data.result.flatMap((series) => series.values).filter(([, value]) => !Number.isNaN(Number(value)) && value !== 'NaN');
    if (numbers.length === 0) found.push(`${where}: no sample: ${expr}`);
  } catch (error) {
    found.push(`${where}: ${error.message}: ${expr}`);
  }
}

let queries = 0;
for (const file of readdirSync(path.join(root, 'deploy/grafana/dashboards'))) {
  const board = JSON.parse(readFileSync(path.join(root, 'deploy/grafana/dashboards', file), 'utf8'));
  for (const panel of board.panels) {
    for (const target of panel.targets ?? []) {
      ++queries;
      await checkQuery(`${file}: ${panel.title}`, target.expr);
    }
  }
  for (const one of board.templating.list.filter((variable) => variable.type === 'query')) {
    ++queries;
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(one.query);
    const values = await ask(`label/${label}/values`, { 'match[]': spellOut(selector) });
    if (values.length === 0) found.push(`${file}: variable ${one.name} has no values`);
  }
  // What they mark may not have happened; they must be understood.
  for (const one of board.annotations.list) {
    ++queries;
    await ask('query', { query: spellOut(one.expr) }).catch((error) => found.push(`${file}: ${one.name}: ${error.message}`));
  }
}

// --- Names: documented and shown, both ways, with type and labels.
const shown = new Map();
for (const line of readFileSync(metricsFile, 'utf8').split('\n')) {
  const type = /^# TYPE (\S+) (\S+)$/.exec(line);
  if (type !== null) shown.set(type[1], { type: type[2], labels: new Set(), samples: 0 });
  const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line);
  if (sample === null) continue;
  const family = shown.get(sample[1]) ?? shown.get(sample[1].replace(/_(bucket|sum|count)$/, ''));
  ++family.samples;
  for (const [, label] of (sample[2] ?? '').matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) if (label !== 'le') family.labels.add(label);
}
const documented = new Map();
for (const line of readFileSync(path.join(root, 'docs/metrics.md'), 'utf8').split('\n')) {
  const row = /^\| `((?:spillway|gen_ai)_\w+)` \| (counter|gauge|histogram) \|([^|]*)\| [^|]{10,} \|$/.exec(line);
  if (row === null) continue;
  if (documented.has(row[1])) found.push(`docs/metrics.md names ${row[1]} twice`);
  documented.set(row[1], { type: row[2], labels: new Set([...row[3].matchAll(/`(\w+)`/g)].map(([, label]) => label)) });
}
for (const [name, { type, labels, samples }] of shown) {
  const said = documented.get(name);
  if (said === undefined) { found.push(`docs/metrics.md does not name ${name}`); continue; }
  if (said.type !== type) found.push(`${name} is a ${type}, not a ${said.type}`);
  // A family that has nothing to say in this demo shows no labels.
  if (samples > 0 && [...labels].sort().join() !== [...said.labels].sort().join()) found.push(`${name} has the labels ${[...labels].sort()}, not ${[...said.labels].sort()}`);
}
for (const name of documented.keys()) if (!shown.has(name)) found.push(`docs/metrics.md names ${name}, which the demo does not show`);

for (const line of found) console.log(line);
console.log(`${queries} queries, ${shown.size} metrics, ${found.length} findings`);
process.exitCode = found.length === 0 && queries > 80 && shown.size > 50 ? 0 : 1;
