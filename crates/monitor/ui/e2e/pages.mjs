// Visits every page of the web app in a real browser, in both themes, at phone and desk width, against a running belfry, and
// checks what must hold everywhere: nothing in the console, no request off the host, no sideways scrolling, the page's
// landmarks and words, no part that failed to load. Then a few ways of a person through the app.
//
//   BASE_URL=http://127.0.0.1:9765 [SCREENSHOTS=dir] [CHROMIUM=/usr/bin/chromium] node e2e/pages.mjs
//
// Only reads: it acknowledges nothing, so it may run against a service that people watch. What people do is in acts.mjs.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ask, BASE, check, inBrowser, launch, must, report } from './browser.mjs';

const SCREENSHOTS = process.env.SCREENSHOTS ?? '';
const THEMES = ['light', 'dark'];
const SIZES = [{ name: '1440', width: 1440, height: 900 }, { name: '375', width: 375, height: 812 }, { name: '320', width: 320, height: 640 }];
/** `sees`: selectors that must become visible; several in one text (comma) mean: one of them. */
const PAGES = [
  { name: 'now', path: '/', sees: ['section[aria-label="State"]', 'section[aria-label="Open incidents"]', 'section[aria-label="Objectives"]', 'section[aria-label="Probes"]', 'section[aria-label="Targets"]'] },
  { name: 'alerts', path: '/alerts', title: 'Alerts', sees: ['article[aria-label]'] },
  { name: 'incidents', path: '/incidents?state=all', title: 'Incidents', sees: ['a[href^="/incidents/"], .empty'] },
  { name: 'silences', path: '/silences', title: 'Silences', sees: ['section[aria-label="Maintenance windows"]', 'article[aria-label], .empty'] },
  { name: 'on-call', path: '/on-call', title: 'On-call', sees: ['section[aria-label="On call now"]', 'section[aria-label="Contacts"]', 'section[aria-label="Heartbeats"]', 'section[aria-label="Deliveries"]'] },
  { name: 'logs', path: '/logs?range=1h', title: 'Logs', sees: ['section[aria-label="Lines over time"]', 'section[aria-label="Lines"]', 'section[aria-label="Retention"]', 'input[type=search]'] },
  { name: 'health', path: '/health', title: 'Health', sees: ['main section.panel dl'] },
  { name: 'plan', path: '/plan', title: 'Plan', sees: ['#L1', '[aria-label="Text of the plan"]'] },
  { name: 'missing', path: '/no/such/page', sees: ['.empty'] },
];

async function main() {
  if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
  const pages = [...PAGES, ...(await dashboardPages()), ...(await incidentPage())];
  const browser = await launch();
  try {
    for (const size of SIZES) for (const theme of THEMES) await inBrowser(browser, size, theme, async (page, problems) => {
      for (const target of pages) await check(`${target.name} ${theme} ${size.name}`, () => visit(page, problems, target, theme, size));
    });
    await inBrowser(browser, SIZES[0], 'light', ways);
  } finally {
    await browser.close();
  }
}

/** The dashboards come from the plan, so the pages to visit are asked for. */
async function dashboardPages() {
  const dashboards = await ask('/api/belfry/v1/dashboards');
  must(dashboards.length > 0, 'the plan has no dashboards');
  return dashboards.map((dashboard) => ({
    name: `dashboard-${dashboard.id}`, path: `/dashboards/${encodeURIComponent(dashboard.id)}?range=15m`, title: 'Dashboards',
    sees: dashboard.panels.map((panel) => `section[aria-label=${JSON.stringify(panel.title)}] :is(.chart canvas, ul, .stat, .empty)`),
  }));
}

async function incidentPage() {
  const [incident] = await ask('/api/belfry/v1/incidents?state=all&limit=1');
  return incident ? [{ name: 'incident', path: `/incidents/${incident.id}`, sees: ['section[aria-label="Escalation"]', 'section[aria-label="Timeline"]', 'section[aria-label="Deliveries"]', 'section[aria-label="State of the incident"]', 'section[aria-label="Procedure"]'] }] : [];
}

async function visit(page, problems, target, theme, size) {
  problems.length = 0;
  await page.goto(new URL(target.path, BASE).href, { waitUntil: 'load' });
  for (const selector of target.sees) await page.locator(`main :is(${selector})`).first().waitFor({ state: 'visible' });
  await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
  if (SCREENSHOTS && size.name !== '320') await page.screenshot({ path: join(SCREENSHOTS, `${target.name}-${theme}-${size.name}.png`), fullPage: true });

  const seen = await page.evaluate(() => ({
    theme: document.documentElement.dataset.theme,
    headings: [...document.querySelectorAll('h1')].map((heading) => heading.textContent.trim()),
    navigation: document.querySelectorAll('nav[aria-label="Pages"] a[href]').length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    widest: [...document.querySelectorAll('main *')].find((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('.scroll-x, .segments, .text'))?.outerHTML.slice(0, 120) ?? '',
    failed: [...document.querySelectorAll('.empty.error')].map((part) => part.textContent.trim()),
  }));
  must(seen.theme === theme, `the theme is ${seen.theme}, not ${theme}`);
  if (target.name !== 'missing') must(seen.headings.length === 1 && seen.headings[0], `one h1 expected, found ${JSON.stringify(seen.headings)}`);
  if (target.title) must(seen.headings[0] === target.title, `the heading is “${seen.headings[0]}”, not “${target.title}”`);
  must(seen.navigation >= 9, `the navigation has ${seen.navigation} links`);
  must(seen.overflow <= 0, `scrolls sideways by ${seen.overflow} px: ${seen.widest}`);
  must(seen.failed.length === 0, `a part failed to load: ${seen.failed.join(' | ')}`);
  must(problems.length === 0, problems.join('\n'));
}

/** Ways of a person: by keyboard, by link, back and forth. */
async function ways(page, problems) {
  await check('keys: ? opens the key map, Escape closes it, 2 goes to Dashboards', async () => {
    await page.goto(BASE.href);
    await page.locator('section[aria-label="State"]').waitFor();
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    await page.keyboard.press('2');
    await page.waitForURL('**/dashboards');
  });
  await check('the time range stands in the address and Back undoes it', async () => {
    await page.goto(new URL('/dashboards?range=1h', BASE).href);
    await page.getByRole('button', { name: '6 h', exact: true }).click();
    await page.waitForURL(/range=6h/);
    await page.goBack();
    await page.waitForURL(/range=1h/);
  });
  await check('dragging zooms every chart, a double click goes back', async () => {
    await page.goto(new URL('/dashboards?range=1h', BASE).href);
    const chart = page.locator('.chart:not(.spark) .u-over').first();
    await chart.waitFor();
    const box = await chart.boundingBox();
    must(box, 'the chart has no place on the page');
    // The right edge is the present, where a young server has its only samples.
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + box.height / 2, { steps: 8 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    await page.locator('.chart:not(.spark) .u-over').first().dblclick();
    await page.waitForURL((address) => !address.search.includes('from='));
  });
  await check('a log search narrows the lines and is a link', async () => {
    await page.goto(new URL('/logs?range=1h', BASE).href);
    await page.locator('section[aria-label="Lines"]').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('no-line-holds-this-word-7f3a');
    await page.waitForURL(/q=no-line-holds/);
    await page.getByText('No line matches').waitFor();
  });
  await check('the server gone: a bar says so, and the page recovers by itself', async () => {
    await page.goto(BASE.href);
    await page.locator('section[aria-label="State"]').waitFor();
    await page.route('**/api/**', (route) => route.abort('connectionrefused'));
    await page.getByText('Belfry does not answer').waitFor();
    await page.unroute('**/api/**');
    await page.getByText('Belfry does not answer').waitFor({ state: 'detached' });
    problems.length = 0;
  });
  await check('the theme switch is remembered', async () => {
    await page.goto(BASE.href);
    await page.locator('section[aria-label="State"]').waitFor();
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await page.reload();
    await page.locator('section[aria-label="State"]').waitFor();
    must((await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark', 'dark was chosen, the page is light');
  });
  await check('nothing in the console on these ways', async () => must(problems.length === 0, problems.join('\n')));
}

await report(main);
