import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import YAML from 'yaml';
import { schema, text } from './generate.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const validate = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema());

function documentsOf(path) {
  return YAML.parseAllDocuments(readFileSync(path, 'utf8'), { version: '1.2' }).map((document) => document.toJS());
}
function faults(document) {
  if (validate(document)) return [];
  // Of the kinds that it might be, only the one that it says it is.
  return validate.errors
    .filter((error) => error.schemaPath.startsWith(`#/$defs/${document.kind}/`) || error.schemaPath.includes('Selector'))
    .map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

test('the committed schema is what the documentation says (npm run generate)', () => {
  assert.equal(readFileSync(root + 'configs/spillway.schema.json', 'utf8'), text());
});

for (const folder of ['configs/fleets', 'configs/policies', 'deploy', 'tests/formats/data']) {
  for (const file of readdirSync(root + folder)) {
    const shipped = folder !== 'tests/formats/data' || file === 'every_key.yaml';
    if (!file.endsWith('.yaml') || !shipped || file === 'compose.yaml') continue;
    test(`${folder}/${file} satisfies it`, () => {
      for (const document of documentsOf(`${root}${folder}/${file}`)) assert.deepEqual(faults(document), []);
    });
  }
}

const fleet = { kind: 'Fleet', pools: [{ name: 'a', adapter: { type: 'process' }, billing: 'committed' }] };
test('an editor hears of an unknown key, a wrong word, a wrong kind of value and a missing key', () => {
  assert.ok(validate(fleet));
  const broken = {
    'unknown key': { ...fleet, poools: [] },
    'unknown key below': { ...fleet, pools: [{ ...fleet.pools[0], prise: {} }] },
    'wrong word': { ...fleet, pools: [{ ...fleet.pools[0], arch: 'x86' }] },
    'wrong kind': { ...fleet, pools: [{ ...fleet.pools[0], nodes: [2] }] },
    'missing key': { ...fleet, pools: [{ name: 'a', billing: 'committed' }] },
    'no kind': { pools: [] },
  };
  for (const [what, document] of Object.entries(broken)) assert.ok(!validate(document), what);
});

test('every key has words for an editor to show', () => {
  const silent = [];
  const walk = (node, path) => {
    for (const [key, value] of Object.entries(node?.properties ?? {})) {
      if (!value.description && !value.properties && !value.const) silent.push(`${path}.${key}`);
      walk(value, `${path}.${key}`);
      walk(value.items, `${path}.${key}[]`);
    }
  };
  for (const [name, definition] of Object.entries(schema().$defs)) walk(definition, name);
  assert.deepEqual(silent, []);
});
