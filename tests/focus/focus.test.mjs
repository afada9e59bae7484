// Questions to a bill, asked in SQL.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'

const costs = JSON.parse(readFileSync(process.env.COSTS, 'utf8'))
const nanos = (text) => BigInt(text.replace('.', ''))
let db

before(async () => {
  db = await (await DuckDBInstance.create(':memory:')).connect()
  // Money as DECIMAL: a double would lose the last nano-dollar.
  await db.run(`CREATE TABLE focus AS SELECT * FROM read_csv('${process.env.CSV}', header = true, nullstr = '',
    types = {'BilledCost': 'DECIMAL(28,9)', 'EffectiveCost': 'DECIMAL(28,9)', 'ListCost': 'DECIMAL(28,9)',
             'ContractedCost': 'DECIMAL(28,9)', 'x_BaselineCost': 'DECIMAL(28,9)', 'x_ComparedCost': 'DECIMAL(28,9)',
             'ChargePeriodStart': 'TIMESTAMP', 'ChargePeriodEnd': 'TIMESTAMP',
             'BillingPeriodStart': 'TIMESTAMP', 'BillingPeriodEnd': 'TIMESTAMP', 'SubAccountId': 'VARCHAR'})`)
})
after(() => db.closeSync())

const rows = async (sql) => (await db.runAndReadAll(sql)).getRowObjects()
const one = async (sql) => Object.values((await rows(sql))[0])[0]

const mandatory = `BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart
  ChargeCategory ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost
  InvoiceIssuerName ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName`.split(/\s+/)

test('the 21 mandatory columns are there, and all but ChargeClass are never null', async () => {
  const columns = (await rows('DESCRIBE focus')).map((c) => c.column_name)
  assert.equal(mandatory.length, 21)
  for (const column of mandatory) assert.ok(columns.includes(column), column)
  for (const column of mandatory.filter((c) => c !== 'ChargeClass'))
    assert.equal(await one(`SELECT count(*) FROM focus WHERE "${column}" IS NULL`), 0n, column)
  assert.equal(await one('SELECT count(*) FROM focus WHERE ChargeClass IS NOT NULL'), 0n)
})

test('columns of our own begin with x_', async () => {
  const known = new Set([...mandatory, 'CapacityReservationId', 'CapacityReservationStatus', 'ConsumedQuantity',
    'ConsumedUnit', 'PricingCategory', 'RegionId', 'ResourceId', 'ResourceName', 'ResourceType', 'ServiceSubcategory',
    'SubAccountId', 'SubAccountName', 'Tags'])
  for (const { column_name: name } of await rows('DESCRIBE focus'))
    assert.ok(known.has(name) || name.startsWith('x_'), name)
})

test('a charge lies within its billing period, and periods end after they begin', async () => {
  assert.equal(await one(`SELECT count(*) FROM focus WHERE ChargePeriodStart < BillingPeriodStart
    OR ChargePeriodEnd > BillingPeriodEnd OR ChargePeriodEnd <= ChargePeriodStart`), 0n)
})

test('the sum of work is what the API says, to the nano-dollar', async () => {
  const work = await one(`SELECT sum(BilledCost)::VARCHAR FROM focus WHERE x_Category = 'work'`)
  assert.equal(nanos(work), nanos(costs.total.cost_usd))
  const list = await one(`SELECT count(*) FROM focus WHERE ListCost <> BilledCost OR EffectiveCost <> BilledCost
    OR ContractedCost <> BilledCost`)
  assert.equal(list, 0n)
})

test('showback: what each tenant pays, idle time apart', async () => {
  const tenants = await rows(`SELECT SubAccountName AS tenant, sum(EffectiveCost)::VARCHAR AS cost FROM focus
    WHERE x_Category <> 'idle' GROUP BY ALL ORDER BY tenant`)
  assert.deepEqual(tenants.map((t) => t.tenant), ['default'])
  assert.ok(nanos(tenants[0].cost) > 0n)
  assert.equal(await one(`SELECT count(*) FROM focus WHERE (CapacityReservationStatus = 'Unused') <> (x_Category = 'idle')`), 0n)
})

test('dollars a million tokens by model, from the file alone', async () => {
  const models = await rows(`SELECT x_Model AS model, sum(x_InputTokens + x_OutputTokens)::BIGINT AS tokens,
    sum(x_Works)::BIGINT AS works FROM focus WHERE ServiceName = 'Inference' GROUP BY ALL`)
  assert.deepEqual(models.map((m) => [m.model, m.works]), [['qwen2-0.5b', 4n]])
  assert.ok(models[0].tokens > 0n)
})

test('a saving is in no cost column', async () => {
  assert.equal(await one(`SELECT count(*) FROM focus WHERE ChargeCategory <> 'Usage' OR (x_Category = 'work' AND BilledCost < 0)`), 0n)
})
