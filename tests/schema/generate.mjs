// configs/spillway.schema.json, for editors that complete and check YAML. Its keys and words come from
// the tables of docs/configuration.md, which a test holds against the readers; the kinds of values from
// tests/formats/data/every_key.yaml, in which every key stands.
//
//   npm run generate      writes the file
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import YAML from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = root + 'configs/spillway.schema.json';

// Rows of every table, by the heading above it: {key, what, fallback}.
function sections(text) {
  const found = {};
  let heading = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) heading = line.slice(3);
    if (!line.startsWith('| `')) continue;
    const [, key, what, fallback = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    (found[heading] ??= []).push({ key: key.replaceAll('`', ''), what, fallback });
  }
  return found;
}

// As an editor shows it: without the marks of Markdown.
function plain(text) {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
}

function description({ what, fallback }) {
  const words = plain(what);
  const rest = plain(fallback);
  if (!rest || rest === 'required') return words;
  return words ? `${words} (default: ${rest})` : `default: ${rest}`;
}

// The words that a value may be, where the text ends in a list of them: "`a`, `b` or `c`", "`a b c d`".
function words(what) {
  const text = what.replace(/ \([^()]*\)/g, '').replace(/\.$/, '');
  const run = text.match(/(?:^|: |in )((?:`[\w.-]+`(?:, | or )?){2,})$/);
  if (run) return [...run[1].matchAll(/`([\w.-]+)`/g)].map((match) => match[1]);
  const packed = text.match(/`([\w.-]+(?: [\w.-]+){2,})`$/);
  return packed ? packed[1].split(' ') : null;
}

// The value of the example at "pools[].node.cpus"; of a list, the first item that has it.
function sample(value, path) {
  if (path.length === 0) return value;
  if (value === undefined || value === null) return undefined;
  const [first, ...rest] = path;
  if (first === '[]') {
    if (!Array.isArray(value)) return undefined;
    for (const item of value) {
      const found = sample(item, rest);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return typeof value === 'object' ? sample(value[first], rest) : undefined;
}

function steps(key) {
  return key.split('.').flatMap((part) => {
    const depth = (part.match(/\[\]/g) ?? []).length;
    return [part.replaceAll('[]', ''), ...Array(depth).fill('[]')];
  });
}

function scalar(value, row) {
  const choice = words(row.what);
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'number') return { type: ['number', 'string'] };
  if (choice && typeof value === 'string' && choice.includes(value)) return { enum: choice };
  // A figure in quotes or with its unit, or a word.
  return { type: ['string', 'number'] };
}

function leaf(value, row) {
  if (Array.isArray(value)) {
    const isMap = value[0] !== null && typeof value[0] === 'object';
    return { type: 'array', items: isMap ? { type: 'object', properties: {} } : scalar(value[0], row) };
  }
  if (value !== null && typeof value === 'object') return { type: 'object' };
  return scalar(value, row);
}

const selectorOf = {
  'claim.backstop': 'poolSelector',
  'claim.only': 'poolSelector',
  'rules[].claim': 'poolSelector',
  'rules[].when': 'workSelector',
  'tenants[].budget.demote_to': 'poolSelector',
};

function objectOf(rows, example) {
  const top = { type: 'object', additionalProperties: false, properties: {} };
  for (const row of rows) {
    let place = top;
    const path = steps(row.key);
    for (const step of path.slice(0, -1)) {
      if (step === '[]') {
        place.type = 'array';
        place = place.items ??= { type: 'object', properties: {} };
      } else {
        place.properties ??= {};
        place = place.properties[step] ??= { type: 'object', properties: {} };
      }
      if (place.type === 'object') place.additionalProperties = false;
    }
    const name = path.at(-1);
    place.properties ??= {};
    const made = leaf(sample(example, path), row);
    const selector = selectorOf[row.key];
    if (selector) {
      const to = { $ref: `#/$defs/${selector}` };
      Object.assign(made, row.key === 'rules[].claim' ? { type: 'array', items: to } : to);
      if (made.$ref) delete made.type;
    }
    made.description = description(row);
    if (!made.description) delete made.description;
    place.properties[name] = { ...made, ...place.properties[name] };
    if (row.fallback === 'required') (place.required ??= []).push(name);
  }
  return top;
}

// Lists whose entries have keys of their own are arrays of maps.
function tidy(node) {
  if (!node || typeof node !== 'object') return node;
  if (node.type === 'array' && node.properties) delete node.properties;
  if (node.type === 'array') delete node.additionalProperties;
  for (const value of Object.values(node)) tidy(value);
  return node;
}

function selector(rows, example) {
  const properties = {};
  for (const row of rows) {
    const one = row.key === 'labels' ? { type: 'object' } : { type: ['string', 'number', 'boolean', 'array'] };
    properties[row.key] = { ...one, description: plain(row.what) };
  }
  return { type: 'object', additionalProperties: false, properties };
}

export function schema() {
  const tables = sections(readFileSync(root + 'docs/configuration.md', 'utf8'));
  const documents = YAML.parseAllDocuments(readFileSync(root + 'tests/formats/data/every_key.yaml', 'utf8'))
    .map((document) => document.toJS());
  const kinds = ['Server', 'Fleet', 'Policy', 'Prices', 'Tenants', 'Carbon'];
  const $defs = {
    poolSelector: selector(tables['Selectors of pools']),
    workSelector: selector(tables['Selectors of work']),
  };
  for (const kind of kinds) {
    const made = tidy(objectOf(tables[kind], documents.find((document) => document.kind === kind)));
    made.properties.kind = { const: kind };
    made.required = [...new Set(['kind', ...(made.required ?? [])])];
    $defs[kind] = made;
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A document of a file for spillway serve --config',
    description: 'Server, Fleet, Policy, Prices or Tenants; one file holds several, separated by lines ---',
    type: 'object',
    required: ['kind'],
    oneOf: kinds.map((kind) => ({ $ref: `#/$defs/${kind}` })),
    $defs,
  };
}

export const text = () => JSON.stringify(schema(), null, 1) + '\n';

if (process.argv.includes('--write')) writeFileSync(target, text());
