// What people do with it: submit, watch, cancel, change a policy, hold a pool back, walk by keyboard.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {api, launch, open, until} from './rig.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('a job is submitted and watched to its end', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/jobs/new'});
  await page.getByLabel('Command').fill(`sh -c 'echo it begins; sleep 1; echo "it is over"'`);
  await page.getByLabel('Name').fill('watched');
  await page.getByLabel('CPUs').fill('0.2');
  await page.getByRole('button', {name: 'Where would it go?'}).click();
  await page.locator('.answer .v-chosen').waitFor();
  assert.match(await page.locator('.answer .verdict').innerText(), /placed on local/);
  assert.equal(await page.locator('.answer tbody tr').count(), 5, 'every pool is a candidate');
  await page.getByRole('button', {name: 'Submit', exact: true}).click();
  await page.getByRole('heading', {name: 'watched'}).waitFor();
  await page.locator('.page-head').getByText('succeeded').waitFor({timeout: 30_000});
  assert.equal((await page.locator('.log').innerText()).trim(), 'it begins\nit is over');
  await page.getByText('complete').waitFor();
  assert.match(await page.locator('.facts').first().innerText(), /Cost\n\$0\.0/);
  assert.deepEqual(wrong, []);
  await close();
});

test('a job is cancelled', async () => {
  const {id} = await api('/api/v1/jobs', {name: 'long', run: {command: ['sleep', '600']}, needs: {cpus: 0.1, memory: '32MiB'}});
  const {page, wrong, close} = await open(browser, {hash: `#/jobs/${id}`});
  await page.getByRole('button', {name: 'Cancel'}).click();
  await page.locator('.page-head').getByText('cancelled').waitFor({timeout: 30_000});
  assert.deepEqual(wrong, []);
  await close();
});

test('work that nobody can do is refused with every reason', async () => {
  const {page, close} = await open(browser, {hash: '#/jobs/new'});
  await page.getByLabel('Memory').fill('900TiB');
  await page.getByRole('button', {name: 'Submit', exact: true}).click();
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /no configured pool could ever do this work/);
  assert.equal(await page.locator('.candidates .v-refused').count(), 5);
  await page.getByLabel('Memory').fill('12 parsecs');
  await page.getByRole('button', {name: 'Submit', exact: true}).click();
  await page.locator('.trouble code', {hasText: '/needs/memory'}).waitFor();
  await close();
});

test('the list of jobs keeps up', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/jobs'});
  await page.locator('.rows').waitFor();
  const {id} = await api('/api/v1/jobs', {name: 'late-comer', run: {command: ['true']}, needs: {cpus: 0.1, memory: '32MiB'}});
  await page.locator('.rows').getByText(id).waitFor();
  await page.locator('[role=row]', {hasText: id}).getByText('succeeded').waitFor({timeout: 30_000});
  await page.getByRole('button', {name: 'Failed'}).click();
  await page.getByText('No such job').waitFor();
  assert.match(page.url(), /#\/jobs\?state=failed$/, 'what is shown stands in the address');
  assert.deepEqual(wrong, []);
  await close();
});

// A server of ten thousand jobs, in pages of a hundred.
test('ten thousand jobs scroll with a few rows in the page', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/overview'});
  const made = (n) => ({id: `job-${String(n).padStart(6, '0')}`, name: `made-${n}`, state: 'succeeded', pool: 'local', tenant: 'default', created_at: '2026-01-01T00:00:00.000Z', started_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:00:01.000Z', cost_usd: '0.000001000', baseline_cost_usd: null, cancelling: false, attempts: [], priority: 0});
  await page.route('**/api/v1/jobs?*', (route) => {
    const after = new URL(route.request().url()).searchParams.get('after');
    const first = after ? Number(after.slice(4)) - 1 : 10_000;
    const data = Array.from({length: Math.min(100, first)}, (_, i) => made(first - i));
    return route.fulfill({json: {object: 'list', data, first_id: data[0].id, last_id: data.at(-1).id, has_more: first > 100, resource_version: 1}});
  });
  await page.evaluate(() => { location.hash = '#/jobs'; });
  const rows = page.locator('.rows');
  await rows.waitFor();
  await until(async () => {
    await rows.evaluate((e) => { e.scrollTop = e.scrollHeight; });
    return rows.getByText('made-1', {exact: true}).isVisible();
  }, 'the last of ten thousand', 150);
  assert.ok(await rows.locator('[role=row]').count() < 100);
  assert.equal(await rows.getAttribute('aria-rowcount'), '10000');
  // Each frame of a scroll through all of it paints rows, and none takes long.
  const slow = await rows.evaluate(async (e) => {
    let long = 0;
    new PerformanceObserver((list) => { long += list.getEntries().filter((entry) => entry.duration > 250).length; }).observe({type: 'longtask'});
    for (let i = 0; i <= 100; ++i) {
      e.scrollTop = i * e.scrollHeight / 100;
      await new Promise(requestAnimationFrame);
    }
    return long;
  });
  assert.ok(slow <= 3, `${slow} of 100 frames were blocked`);
  assert.deepEqual(wrong, []);
  await close();
});

// Pages are asked for one after the other, nothing stands twice, and another filter is another list.
test('decisions come in pages, under the names of their jobs', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/overview'});
  const made = (n, outcome) => ({id: `dec-${String(n).padStart(6, '0')}`, work: outcome === 'refused' ? null : `job-${String(n).padStart(6, '0')}`, name: n % 2 ? `made-${n}` : undefined, at: '2026-01-01T00:00:00.000Z',
    tenant: 'default', outcome, chosen: outcome === 'refused' ? null : 'local', policy: 'p', policy_version: 1, inputs_hash: '0', baseline: {pool: null, cost_usd: null}, candidates: []});
  const asked = [];
  let newest = 250;
  await page.route('**/api/v1/decisions?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query.get('after') ?? 'first');
    const last = query.get('outcome') === 'refused' ? 3 : newest;
    const first = query.has('after') ? Number(query.get('after').slice(4)) - 1 : last;
    const data = Array.from({length: Math.min(100, first)}, (_, i) => made(first - i, query.get('outcome') ?? 'placed'));
    return route.fulfill({json: {object: 'list', data, first_id: data[0].id, last_id: data.at(-1).id, has_more: first > 100}});
  });
  await page.evaluate(() => { location.hash = '#/decisions'; });
  const rows = page.locator('.rows');
  await rows.getByText('made-249', {exact: true}).waitFor();
  await rows.getByText('no name').first().waitFor();
  await until(async () => {
    await rows.evaluate((e) => { e.scrollTop = e.scrollHeight; });
    return rows.getByText('made-1', {exact: true}).isVisible();
  }, 'the oldest');
  assert.deepEqual(asked.filter((after) => after !== 'first'), ['dec-000151', 'dec-000051']);
  assert.equal(await rows.getAttribute('aria-rowcount'), '250');
  // What falls meanwhile stands on top, once, and what was scrolled to stays.
  newest = 251;
  await api('/api/v1/jobs', {run: {command: ['true']}, needs: {cpus: 0.1, memory: '32MiB'}});
  await until(async () => await rows.getAttribute('aria-rowcount') === '251', 'the new one');
  await rows.evaluate((e) => { e.scrollTop = 0; });
  await rows.getByText('made-251', {exact: true}).waitFor();
  await page.getByRole('button', {name: 'Refused'}).click();
  await until(async () => await rows.getAttribute('aria-rowcount') === '3', 'another list');
  assert.deepEqual(wrong, []);
  await close();
});

test('a policy is checked, refused, applied, and not written over somebody else’s', async () => {
  const {page, wrong, close} = await open(browser, {hash: '#/policy'});
  const text = page.getByLabel('The policy as YAML');
  await text.waitFor();
  const before = await text.inputValue();
  assert.match(before, /name: backstop/);
  await text.fill(before.replace('choice: least-cost', 'choice: the-best'));
  await page.getByRole('button', {name: 'Check'}).click();
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /\/choice/);
  await text.fill(before.replace('name: backstop', 'name: changed-here'));
  assert.match(await page.locator('.diff').innerText(), /- name: backstop\s+\+ name: changed-here/);
  await page.getByRole('button', {name: 'Check'}).click();
  await page.getByText('It can be put in force.').waitFor();
  await page.getByRole('button', {name: 'Apply'}).click();
  await page.getByText(/In force as version/).waitFor();
  assert.equal((await api('/api/v1/policy')).name, 'changed-here');
  const complaints = wrong.splice(0).filter((line) => !/422|400/.test(line));
  assert.deepEqual(complaints, []);

  const current = await fetch(`${process.env.DASHBOARD_URL}/api/v1/policy`);
  await text.fill(before.replace('name: backstop', 'name: mine'));
  const theirs = {...await current.json(), name: 'theirs'};
  await fetch(`${process.env.DASHBOARD_URL}/api/v1/policy`, {method: 'PUT', body: JSON.stringify(theirs), headers: {'Content-Type': 'application/json', 'If-Match': current.headers.get('etag')}});
  await page.getByRole('button', {name: 'Apply'}).click();
  await page.getByText('Somebody changed the policy meanwhile').waitFor();
  assert.match(await text.inputValue(), /name: mine/);
  assert.equal((await api('/api/v1/policy')).name, 'theirs');
  await page.getByRole('button', {name: 'Apply'}).click();
  await page.getByText(/In force as version/).waitFor();
  assert.equal((await api('/api/v1/policy')).name, 'mine');
  await text.fill(before);
  await page.getByRole('button', {name: 'Apply'}).click();
  await until(async () => (await api('/api/v1/policy')).name === 'backstop', 'the first policy again');
  await close();
});

test('a pool is held back and takes work again', async () => {
  const {page, wrong, close} = await open(browser);
  await page.getByRole('button', {name: /^Cordon gaudi2/}).click();
  await page.locator('.strip.cordoned', {hasText: 'gaudi2'}).waitFor();
  assert.equal((await api('/api/v1/pools/gaudi2')).state, 'cordoned');
  await page.getByRole('button', {name: /^Resume gaudi2/}).click();
  await page.locator('.strip.active', {hasText: 'gaudi2'}).waitFor();
  assert.deepEqual(wrong, []);
  await close();
});

test('everything can be reached by keyboard', async () => {
  const {page, wrong, close} = await open(browser);
  await page.locator('.strip').first().waitFor();
  for (const [keys, path] of [['gj', '#/jobs'], ['gd', '#/decisions'], ['gp', '#/pools'], ['gc', '#/costs'], ['gw', '#/whatif'], ['gy', '#/policy'], ['go', '#/overview']]) {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForFunction((to) => location.hash === to, path);
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', {name: 'Keyboard'}).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({state: 'detached'});
  const theme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  const first = await theme();
  await page.keyboard.press('t');
  assert.notEqual(await theme(), first);
  await page.reload();
  assert.notEqual(await theme(), first, 'a theme that was chosen stays');
  await page.keyboard.press('t');
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.locator('.rows .open').first().waitFor();
  // Jobs end meanwhile, and a row that goes takes the focus along: which one is opened is not the point.
  const opened = () => page.evaluate(() => location.hash.startsWith('#/jobs/job-'));
  for (let tries = 0; tries < 50 && !(await opened()); ++tries) {
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
  }
  assert.ok(await opened());
  await page.keyboard.press('n');
  await page.getByLabel('Command').waitFor();
  assert.deepEqual(wrong, []);
  await close();
});
