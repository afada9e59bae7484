// Every page, in both themes and on a telephone: nothing is wrong with it, and nothing comes from elsewhere.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {api, launch, open, until, violations} from './rig.mjs';

let browser;
let job;
let decision;
let request;
before(async () => {
  browser = await launch();
  job = (await api('/api/v1/jobs', {name: 'seen', run: {command: ['sh', '-c', 'echo one; echo two >&2']}, needs: {cpus: 0.1, memory: '32MiB'}})).id;
  decision = (await until(async () => {
    const found = await api(`/api/v1/jobs/${job}`);
    return found.state === 'succeeded' && found;
  }, 'the job')).decision;
  await api('/v1/chat/completions', {model: 'gpt-4o-mini', max_tokens: 8, messages: [{role: 'user', content: 'Hello'}]});
  request = await until(async () => (await api('/api/v1/requests?limit=1')).data[0]?.id, 'the request');
});
after(() => browser?.close());

const PAGES = {
  overview: ['#/overview', 'Decisions as they fall'], jobs: ['#/jobs', 'Submit a job'], job: [() => `#/jobs/${job}`, 'Why there'],
  submit: ['#/jobs/new', 'Where would it go?'], decisions: ['#/decisions', 'Decisions'], requests: ['#/decisions?of=requests', 'Engine'],
  decision: [() => `#/decisions/${decision}`, 'Inputs'], request: [() => `#/decisions/${request}`, 'First token'],
  pools: ['#/pools', 'Claim order'], pool: ['#/pools/edge-npu', 'Node price'], costs: ['#/costs', 'The bill'], days: ['#/costs?by=day&span=7d', 'The bill'],
  whatif: ['#/whatif', 'What-if'], policy: ['#/policy', 'What would change'],
};

for (const look of [{theme: 'light', width: 1280}, {theme: 'dark'}, {theme: 'light', width: 375, height: 812}]) {
  const words = look.width ? `${look.theme} at ${look.width} px` : look.theme;
  test(`pages, ${words}`, async (t) => {
    const {page, wrong, close} = await open(browser, look);
    for (const [name, [hash, shows]] of Object.entries(PAGES)) {
      await t.test(name, async () => {
        await page.evaluate((to) => { location.hash = to; }, typeof hash === 'function' ? hash() : hash);
        await page.getByText(shows, {exact: false}).first().waitFor();
        await page.waitForFunction(() => !document.querySelector('[aria-busy]'));
        if (name === 'overview') await page.locator('.strips .strip').first().waitFor();
        assert.deepEqual(await violations(page), []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'it scrolls sideways');
        // A table may be walked sideways where there is much of it, but no figure hides at the usual widths.
        for (const box of await page.locator('.scroll').all()) assert.ok(await box.evaluate((e) => e.scrollWidth <= e.clientWidth + 1), `${await box.getAttribute('aria-label')} is cut off`);
      });
    }
    assert.deepEqual(wrong, []);
    await close();
  });
}

test('the overview says how it is', async () => {
  const {page, wrong, close} = await open(browser, {width: 1280});
  const sentence = page.getByRole('status');
  await sentence.waitFor();
  assert.match(await sentence.innerText(), /All is well\. All 5 pools are up; .*Today’s work cost \$/);
  await page.locator('.link', {hasText: 'live'}).waitFor();
  assert.equal(await page.locator('.strip').count(), 5);
  // The last resort stands last.
  assert.equal(await page.locator('tbody.last th[scope=row]').innerText().then((text) => text.startsWith('a10')), true);
  const told = await page.locator('.feed li').allInnerTexts();
  assert.ok(told.some((text) => text.includes('seen')), told.join('\n'));
  // Money never without its unit.
  for (const text of await page.locator('.tile-value').allInnerTexts().then((all) => all.slice(0, 2))) assert.match(text, /^[−]?\$/);
  // What stood idle is said beside what was saved, and no name is cut to a letter.
  assert.match(await sentence.innerText(), /Another \$[\d.]+ stood idle\.$/);
  for (const name of await page.locator('.feed-what .clip').all()) assert.ok(await name.evaluate((e) => e.scrollWidth <= e.clientWidth + 1), await name.innerText());
  assert.deepEqual(wrong, []);
  await close();
});

const nano = (money) => BigInt(money.split(' ')[0].replace('.', ''));
test('figures can be traced to the ledger', async () => {
  const {page, close} = await open(browser);
  const asked = [];
  page.on('response', (r) => { if (r.url().includes('/api/v1/costs?')) asked.push(r.json()); });
  for (const by of ['pool', 'tenant', 'model', 'day', 'kind']) {
    await page.evaluate((to) => { location.hash = `#/costs?by=${to}`; }, by);
    await page.getByRole('region', {name: `Costs by ${by}`}).waitFor();
    // Each of these figures is exact under the pointer; they add up, and are what the API told.
    const {rows, total} = (await Promise.all(asked)).findLast((report) => report.by === by);
    const titles = async (of) => (await page.locator(of).evaluateAll((all) => all.map((e) => e.title)));
    const sum = (all) => all.reduce((a, b) => a + nano(b), 0n);
    assert.equal(sum(await titles('tr.bill td:nth-of-type(1) .num')), nano(total.bill_usd));
    assert.equal(sum(await titles('.costs tbody tr td:nth-of-type(1) .num')), nano(total.cost_usd), by);
    assert.equal(nano(total.cost_usd) + nano(total.idle_usd) + nano(total.overhead_usd), nano(total.bill_usd));
    if (by === 'pool') assert.equal(sum(await titles('.costs tbody tr td[data-name=Idle] .num')), nano(total.idle_usd));
    assert.equal(await page.locator('.costs tbody tr').count(), rows.filter((r) => r.key !== '(idle)').length);
  }
  const bill = page.locator('tr.bill td .num').first();
  const shown = Number((await bill.getAttribute('title')).split(' ')[0]);
  const ledger = await api(`/api/v1/ledger?group_by=category&from=${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  const now = Number(ledger.totals.cost_usd);
  assert.ok(shown > 0 && shown <= now && now - shown < 0.5 * now, `${shown} shown, ${now} booked a moment later`);
  await close();
});

// Whatever the books hold: large, small, and less than nothing.
test('money is legible at every size', async () => {
  const {page, wrong, close} = await open(browser, {width: 1280});
  const money = {'0.000000001': '$0.000000001', '12.500000000': '$12.50', '999.996000000': '$1,000', '1234567.000000000': '$1.23 M', '9223372036.854775807': '$9.22 B', '-0.004000000': '−$0.0040'};
  const row = (key, usd) => ({key, cost_usd: usd, marginal_cost_usd: usd, baseline_usd: null, compared_cost_usd: '0.000000000', saved_usd: null, idle_usd: '0.000000000', overhead_usd: '0.000000000', bill_usd: usd, requests: 0, jobs: 1,
    without_baseline: 1, prompt_tokens: 0, output_tokens: 0, energy_joules: 1, carbon_grams: 0.1});
  const long = 'n'.repeat(63);
  await page.route('**/api/v1/costs?*', (route) => route.fulfill({json: {by: 'tenant', from: '', to: '', rows: [...Object.keys(money).map((usd, i) => row(`t${i}`, usd)), row(long, '1.000000000')], total: row('', '9223372036.854775807')}}));
  await page.evaluate(() => { location.hash = '#/costs?by=tenant'; });
  await page.getByRole('region', {name: 'Costs by tenant'}).waitFor();
  for (const [i, [exact, shown]] of Object.entries(money).entries()) {
    const cell = page.locator('.costs tbody tr', {hasText: `t${i}`}).locator('[data-name=Work] .num');
    assert.equal(await cell.innerText(), shown);
    assert.equal(await cell.getAttribute('title'), `${exact} USD`);
  }
  // A long name is cut, not the figures beside it; the pointer finds all of it.
  await page.locator(`[title="${long}"]`).waitFor();
  for (const box of await page.locator('.scroll').all()) assert.ok(await box.evaluate((e) => e.scrollWidth <= e.clientWidth + 1), 'figures are cut off');
  assert.deepEqual(wrong, []);
  await close();
});

test('names with markup in them are names', async () => {
  const name = '<img src=x onerror="window.got=1"><b>bold</b>';
  const {id} = await api('/api/v1/jobs', {name, run: {command: ['true']}, needs: {cpus: 0.1, memory: '32MiB'}, labels: {shows: '<script>window.got=1</script>'}});
  const {page, wrong, close} = await open(browser);
  await page.locator('.feed').getByText(name).first().waitFor();
  for (const hash of ['#/jobs', `#/jobs/${id}`]) {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.getByText(name).first().waitFor();
  }
  assert.equal(await page.evaluate(() => window.got), undefined);
  assert.equal(await page.locator('main img').count(), 0);
  assert.deepEqual(wrong, []);
  await close();
});

test('a page that is not there says so', async () => {
  const {page, close} = await open(browser, {hash: '#/nowhere'});
  await page.getByText('There is no such page').waitFor();
  await page.evaluate(() => { location.hash = '#/jobs/job-999999'; });
  await page.getByText('There is no job job-999999').waitFor();
  await close();
});
