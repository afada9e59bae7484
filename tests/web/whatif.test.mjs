// What-if, as somebody who pays uses it: what happened here under another policy and other prices, a scenario, both beside each other.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {api, launch, open, until, violations} from './rig.mjs';

const CONFIGS = new URL('../../configs/', import.meta.url);
const LEAST_COST = readFileSync(new URL('policies/least-cost.yaml', CONFIGS), 'utf8');
const PRICES = 'kind: Prices\nprices:\n  - {pool: a10, from: 2026-07-20T00:00:00Z, node_hour: 2.00 USD}';

let browser;
before(async () => {
  browser = await launch();
  const {id} = await api('/api/v1/jobs', {name: 'past', run: {command: ['true']}, needs: {cpus: 0.1, memory: '32MiB'}});
  await until(async () => (await api(`/api/v1/jobs/${id}`)).state === 'succeeded', 'the job');
  const body = {model: 'gpt-4o-mini', max_tokens: 16, messages: [{role: 'user', content: 'Where does the water go?'}]};
  await Promise.all(Array.from({length: 6}, () => api('/v1/chat/completions', body)));
});
after(() => browser?.close());

const settled = (page, id) => until(async () => {
  const run = await api(`/api/v1/simulations/${id}`);
  return ['succeeded', 'failed', 'cancelled'].includes(run.state) && run;
}, id, 60);

/** Presses the button, and gives the run that was started for it once it is over. */
async function run(page) {
  const answer = page.waitForResponse((r) => r.url().endsWith('/api/v1/simulations') && r.request().method() === 'POST');
  await page.getByRole('button', {name: 'Run it'}).click();
  const response = await answer;
  assert.equal(response.status(), 201, await response.text());
  return settled(page, (await response.json()).id);
}
const cellsOf = async (table) => {
  const titles = (await table.locator('thead th').allInnerTexts()).map((t) => t.trim());
  const rows = await table.locator('tbody tr').all();
  return Promise.all(rows.map(async (row) => {
    const cells = await row.locator('th, td').allInnerTexts();
    return Object.fromEntries(titles.map((title, i) => [title, cells[i].trim()]));
  }));
};
const results = (page) => page.getByRole('region', {name: 'Cells'}).locator('table');

test('what happened here, run again as it was, is a table beside what was recorded', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/whatif?what=replay'});
  const done = await run(page);
  assert.equal(done.state, 'succeeded', done.error);
  await results(page).waitFor();
  const [recorded, again] = await cellsOf(results(page));
  assert.match(recorded.Fleet, /as it was recorded/);
  assert.match(again.Fleet, /run again/);
  const found = (await api(`/api/v1/simulations/${done.id}/results`)).back_test;
  assert.match(recorded['Whole bill'], /^\$/);
  // Small sums are shown with three decimals: half of the last one is more than 1 % of them.
  const off = Math.abs(Number(recorded['Whole bill'].slice(1)) - found.cost_usd.recorded);
  assert.ok(off < Math.max(0.01 * found.cost_usd.recorded, 0.000501), recorded['Whole bill']);
  assert.equal(recorded['Against recorded'], '–');
  assert.notEqual(again['Against recorded'], '');
  // Answers that were not streamed have no first token: nobody knows whether it was in time.
  assert.equal(recorded['In time'], '–');
  assert.match(again['In time'], /%/);
  assert.match(again['On NVIDIA'], /%/);
  await page.getByText(/decisions made again from what was recorded: all came out equal/).waitFor();
  await page.getByText(/were not streamed/).waitFor();
  assert.equal(await page.getByRole('region', {name: 'Where the work ended'}).locator('tbody tr').count(), found.pool_shares.length);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(wrong, []);
  await close();
});

test('another policy, then other prices as well: what was typed stays, and the runs stand beside each other', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/whatif?what=replay'});
  const policy = page.getByLabel('Under this policy');
  await policy.fill(LEAST_COST);
  const first = await run(page);
  assert.equal(first.state, 'succeeded', first.error);
  await page.getByRole('heading', {name: 'what happened here, other policy', exact: true}).waitFor();
  assert.equal(await policy.inputValue(), LEAST_COST, 'the form forgot the policy');
  await results(page).waitFor();
  const rows = await cellsOf(results(page));
  assert.deepEqual(rows.map((r) => r.Policy), ['backstop', 'least-cost']);
  for (const title of ['Whole bill', 'Against recorded', 'Own paid for', 'In time', 'On NVIDIA']) assert.ok(rows[1][title], title);

  await page.getByLabel('At these prices').fill(PRICES);
  const second = await run(page);
  assert.equal(second.state, 'succeeded', second.error);
  assert.match(second.command, /--policy .*--prices /, 'both count');
  await page.getByRole('heading', {name: 'what happened here, other policy and prices', exact: true}).waitFor();
  await results(page).waitFor();
  const dearer = (await cellsOf(results(page)))[1];
  assert.match(dearer['Against recorded'], /^\+\$.* more$/s);

  await page.getByRole('button', {name: `Compare with ${first.id}`}).click();
  const both = page.getByRole('region', {name: 'Both runs'}).locator('table');
  await both.waitFor();
  assert.deepEqual((await cellsOf(both)).map((r) => r.Run), [second.id, second.id, first.id, first.id]);
  assert.match(page.url(), new RegExp(`with=${first.id}`), 'what is compared stands in the address');
  assert.deepEqual(await violations(page), []);

  const opened = page.context().waitForEvent('page');
  await page.getByRole('button', {name: 'Full report'}).click();
  const report = await opened;
  await report.waitForLoadState();
  assert.match(report.url(), new RegExp(`${second.id}/report$`));
  assert.match(await report.locator('body').innerText(), /least-cost/);
  assert.deepEqual(wrong, []);
  await close();
});

test('what cannot be run says why', async () => {
  const {page, close} = await open(browser, {hash: '#/whatif?what=replay'});
  await page.getByLabel('Since').fill('2026-99-99T99');
  await page.getByRole('button', {name: 'Run it'}).click();
  await page.getByText('Since: `2026-99-99T99` is no hour, like 2026-08-01T13').waitFor();
  await page.getByLabel('Since').fill('');
  await page.getByLabel('At these prices').fill(PRICES.replace('a10', 'a11').replace('2.00 USD', '2.00 EUR'));
  const done = await run(page);
  assert.equal(done.state, 'failed');
  await page.locator('.run .log').waitFor();
  assert.match(await page.locator('.run .log').innerText(), /no pool `a11` \(did you mean `a10`\?\)\s+.*unknown unit `EUR`/);
  await page.getByRole('button', {name: 'Begin with the policy in force'}).click();
  await page.waitForFunction(() => /^name: backstop$/m.test(document.querySelector('.replay textarea').value));
  await page.evaluate(() => { location.hash = '#/whatif/sim-999999'; });
  await page.waitForTimeout(100);
  assert.equal(await page.locator('.run').count(), 0);
  await close();
});

test('a shipped scenario is run, with a baseline and what each cell costs against it', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/whatif?what=scenario', width: 375, height: 812});
  await page.getByRole('radio', {name: /^confidential/}).check();
  const done = await run(page);
  assert.equal(done.state, 'succeeded', done.error);
  await results(page).waitFor();
  const found = await api(`/api/v1/simulations/${done.id}/results`);
  assert.equal(await results(page).locator('tbody tr').count(), found.rows.length);
  assert.equal(await results(page).locator('.tag', {hasText: 'baseline'}).count(), found.rows.filter((r) => r.is_baseline).length);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'it scrolls sideways');
  for (const box of await page.locator('.scroll').all()) assert.ok(await box.evaluate((e) => e.scrollWidth <= e.clientWidth + 1), 'a table is cut off');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(wrong, []);
  await close();
});

// While fleets are sized nobody knows how many runs there will be; what is done is known.
test('a run that sizes a fleet says so, in the words of the command line', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/whatif'});
  let progress = {done: 0, total: 0, what: 'sizing the fleet a10g for chat'};
  await page.route('**/api/v1/simulations', (route) => route.fulfill({json: {object: 'list', data: [{
    id: 'sim-000999', kind: 'scenario', name: 'ranking', state: 'running', progress, created_at: '2026-07-20T00:00:00Z',
    started_at: '2026-07-20T00:00:01Z', finished_at: null, command: 'spillway simulate ranking.yaml', error: null, verdict: null,
    results: null, report: null}]}}));
  await page.reload();
  const shown = page.locator('section.run');
  await shown.getByText('sizing the fleet a10g for chat …').waitFor();
  assert.deepEqual(await violations(page), []);
  progress = {done: 3, total: 12, what: 'runs'};
  await shown.getByText('25 %').waitFor();
  assert.equal(await shown.getByText('sizing').count(), 0);
  assert.deepEqual(wrong, []);
  await close();
});
