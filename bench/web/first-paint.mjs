import {createRequire} from 'node:module';

const require = createRequire(new URL('../../tests/web/rig.mjs', import.meta.url));
const {chromium} = require('playwright-core');
const url = process.argv[2];
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
const looks = [];
for (let i = 0; i < 11; ++i) {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}});
  const page = await context.newPage();
  await page.goto(`${url}/`);
  await page.locator('.tile').first().waitFor();
  looks.push(await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    figures: performance.now(),
    bytes: performance.getEntriesByType('resource').filter((r) => r.name.includes('/assets/')).reduce((sum, r) => sum + r.transferSize, performance.getEntriesByType('navigation')[0].transferSize),
  })));
  await context.close();
}
await browser.close();
looks.shift();  // the browser itself was cold
const of = (name) => looks.map((look) => look[name]).sort((a, b) => a - b);
for (const [name, words, unit] of [['paint', 'first contentful paint', 'ms'], ['figures', 'first figures', 'ms'], ['bytes', 'transferred', 'B']]) {
  const all = of(name);
  console.log(`${words}: median ${Math.round(all[5])} ${unit}, worst ${Math.round(all.at(-1))} ${unit}`);
}
