// Keys, a controller that is not there, and what an auditor says.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import lighthouse from 'lighthouse';
import {chromium} from 'playwright-core';
import {ARGUMENTS, CHROMIUM, KEY, launch, open, READER_KEY, until, URL_KEYS, URL_OPEN, violations} from './rig.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('a controller with keys is asked for with one', async () => {
  const {page, wrong, close} = await open(browser, {url: URL_KEYS});
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel('Key').fill('not-the-key');
  await page.keyboard.press('Enter');
  await page.getByText('The key of this tab was not taken').waitFor();
  await dialog.getByLabel('Key').fill(KEY);
  await page.keyboard.press('Enter');
  await page.locator('.link', {hasText: 'live'}).waitFor();
  await page.locator('.strip').first().waitFor();
  const kept = await page.evaluate(() => ({tab: Object.values(sessionStorage), forever: JSON.stringify(localStorage), address: location.href, cookies: document.cookie}));
  assert.deepEqual(kept.tab, [KEY]);
  assert.ok(!kept.forever.includes(KEY) && !kept.address.includes(KEY) && kept.cookies === '');
  await page.evaluate(() => { location.hash = '#/jobs'; });
  await page.getByText('No job was submitted yet').waitFor();
  assert.deepEqual(wrong.filter((line) => !line.includes('401')), []);
  await close();
});

test('what a key may not do is not offered', async () => {
  const {page, wrong, close} = await open(browser, {url: URL_KEYS});
  const enter = async (key) => {
    await page.getByRole('dialog').getByLabel('Key').fill(key);
    await page.keyboard.press('Enter');
    await page.locator('.link', {hasText: 'live'}).waitFor();
  };
  const go = async (hash, words) => {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.getByText(words).first().waitFor();
  };
  const buttons = (name) => page.getByRole('button', {name});
  await enter(READER_KEY);
  await page.locator('.strip').first().waitFor();
  assert.equal(await buttons(/^(Cordon|Drain|Resume)/).count(), 0);
  await go('#/pools/a10', 'Node price');
  assert.equal(await buttons(/^(Cordon|Drain|Change)/).count(), 0);
  await go('#/jobs', 'With a key of the role submitter');
  assert.equal(await page.getByRole('link', {name: 'Submit a job'}).count(), 0);
  await go('#/jobs/new', 'Decided as if it were submitted now');
  assert.equal(await buttons('Submit').count(), 0);
  await buttons('Where would it go?').click();
  await page.locator('.answer').waitFor();
  await go('#/policy', 'To change it takes a key of the role operator');
  assert.equal(await buttons(/^(Check|Apply)$/).count(), 0);
  assert.equal(await page.getByLabel('The policy as YAML').isEditable(), false);
  await go('#/whatif', 'To run one takes a key of the role operator');
  assert.equal(await buttons('Run it').count(), 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(wrong.filter((line) => !line.includes('401')), [], 'nothing was tried that is forbidden');

  // The same page with another key offers it.
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await enter(KEY);
  await buttons('Run it').waitFor();
  await go('#/overview', 'Decisions as they fall');
  await buttons(/^Cordon a10/).waitFor();
  await close();
});

// What a browser costs a controller that refuses it: waits grow to half a minute.
test('a stream that fails is asked for less and less often', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.clock.install();
  let asked = 0;
  await page.route('**/api/v1/stream', (route) => {
    ++asked;
    return route.fulfill({status: 503, json: {status: 503, code: 'too_many_streams', detail: 'too many dashboards are open'}});
  });
  await page.goto(`${URL_OPEN}/`);
  await until(() => asked >= 1, 'the first try');
  await page.locator('.link', {hasText: 'again in'}).waitFor();
  for (let minute = 0; minute < 10; ++minute) {
    for (let i = 0; i < 6; ++i) {
      await page.clock.runFor(10_000);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
  assert.ok(asked >= 10 && asked <= 60, `${asked} tries in ten minutes`);
  await page.unroute('**/api/v1/stream');
  await page.getByRole('button', {name: /The link to the controller/}).click();
  await page.locator('.link', {hasText: 'live'}).waitFor();
  await context.close();
});

// Its page, too: one stream at a time, however often the link is asked for anew.
test('a page that connects again and again has one stream', async () => {
  const {page, wrong, close} = await open(browser);
  await page.locator('.link', {hasText: 'live'}).waitFor();
  let streams = 1;
  let most = 0;
  const ours = (request) => request.url().endsWith('/api/v1/stream');
  page.on('request', (request) => { if (ours(request)) most = Math.max(most, ++streams); });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => { if (ours(request)) --streams; });
  for (let i = 0; i < 100; ++i) await page.evaluate(() => { for (let n = 0; n < 10; ++n) document.querySelector('.link').click(); });
  await page.locator('.link', {hasText: 'live'}).waitFor({timeout: 30_000});
  await until(() => streams === 1, 'all but one stream to end');
  assert.ok(most > 1);
  assert.deepEqual(wrong, []);
  await close();
});

test('pages that were open come back with their controller', async () => {
  const state = mkdtempSync(join(tmpdir(), 'spillway-back.'));
  const config = new URL('../../configs/fleets/demo.yaml', import.meta.url).pathname;
  let child;
  const serve = async (listen) => {
    child = spawn(process.env.SPILLWAY, ['serve', '--config', config, '--state', join(state, 'state'), '--listen', listen], {stdio: 'ignore'});
    return until(() => { try { return readFileSync(join(state, 'state', 'address'), 'utf8').trim(); } catch { return ''; } }, 'the controller');
  };
  const stop = async () => {
    const over = once(child, 'exit');
    child.kill('SIGTERM');
    await over;
  };
  try {
    const url = await serve('127.0.0.1:0');
    const pages = ['#/decisions', '#/jobs', '#/costs', '#/policy', '#/whatif', '#/overview'];
    const opened = await Promise.all(pages.map(async (hash) => {
      const it = await open(browser, {url, hash: '#/overview'});
      await it.page.locator('.link', {hasText: 'live'}).waitFor();
      return it;
    }));
    await stop();
    for (const {page} of opened) await page.locator('.link', {hasText: 'again in'}).waitFor();
    // Each goes to its page while nobody answers.
    await Promise.all(opened.map(({page}, i) => page.evaluate((to) => { location.hash = to; }, pages[i])));
    await opened[0].page.getByText('could not be read').waitFor();
    await serve(new URL(url).host);
    for (const {page} of opened) {
      await page.getByRole('button', {name: /The link to the controller/}).click();
      await page.locator('.link', {hasText: 'live'}).waitFor();
      await until(async () => await page.locator('.trouble').count() === 0, `${page.url()} without trouble`);
      await page.waitForFunction(() => !document.querySelector('[aria-busy]'));
    }
    await opened[0].page.getByText('No decision is kept').waitFor();
    await opened[2].page.getByText('The bill').first().waitFor();
    await opened[3].page.getByLabel('The policy as YAML').waitFor();
    for (const {close} of opened) await close();
  } finally {
    await stop();
    rmSync(state, {recursive: true, force: true});
  }
});

test('a thousand reconnects leave a controller that answers', async () => {
  for (let i = 0; i < 1000; i += 20) {
    await Promise.all(Array.from({length: 20}, async () => {
      const aborter = new AbortController();
      await fetch(`${URL_OPEN}/api/v1/stream`, {signal: aborter.signal}).then((response) => { assert.ok([200, 503].includes(response.status)); }, () => {});
      aborter.abort();
    }));
  }
  const {page, close} = await open(browser);
  await page.locator('.link', {hasText: 'live'}).waitFor({timeout: 30_000});
  await close();
});

test('Lighthouse finds nothing that keeps anybody out', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'spillway-lighthouse.'));
  const chrome = await chromium.launchPersistentContext(profile, {executablePath: CHROMIUM, args: [...ARGUMENTS, '--remote-debugging-port=0']});
  try {
    const port = Number(await until(() => {
      try { return readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n')[0]; } catch { return ''; }
    }, 'the port of the debugger'));
    const {lhr} = await lighthouse(`${URL_OPEN}/`, {port, onlyCategories: ['accessibility'], output: 'json', logLevel: 'error', maxWaitForLoad: 20_000, formFactor: 'desktop', screenEmulation: {disabled: true}, throttlingMethod: 'provided'});
    const failed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 1 && lhr.categories.accessibility.auditRefs.some((ref) => ref.id === audit.id && ref.weight > 0));
    assert.deepEqual(failed.map((audit) => audit.id), []);
    assert.equal(lhr.categories.accessibility.score, 1);
  } finally {
    await chrome.close();
    rmSync(profile, {recursive: true, force: true});
  }
});
