// A browser and a page that tells what went wrong in it.
import {chromium} from 'playwright-core';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
export const URL_OPEN = process.env.DASHBOARD_URL;
export const URL_KEYS = process.env.DASHBOARD_KEYS_URL;
export const KEY = process.env.DASHBOARD_KEY;
export const READER_KEY = process.env.DASHBOARD_READER_KEY;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = () => chromium.launch({executablePath: CHROMIUM, args: ARGUMENTS});

/** A page whose console errors, uncaught errors and requests to elsewhere are gathered. */
export async function open(browser, {url = URL_OPEN, theme = 'light', width = 1440, height = 900, hash = ''} = {}) {
  const context = await browser.newContext({viewport: {width, height}, colorScheme: theme, reducedMotion: 'reduce'});
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('request', (request) => { if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(url)) wrong.push(`outside: ${request.url()}`); });
  await page.goto(`${url}/${hash}`);
  return {page, context, wrong, close: () => context.close()};
}

/** Violations of WCAG and of axe's own good practice, one line each. The script goes through the debugger: the page's
 *  policy would refuse it. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  return found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
}

export const api = async (path, body, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${URL_OPEN}${path}`, {method, headers: {'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});
  return response.json();
};
export async function until(check, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
