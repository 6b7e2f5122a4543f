// What the browser checks share: the browser, a page that notes everything that goes wrong in it, checks that are counted.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const BASE = new URL(process.env.BASE_URL ?? 'http://127.0.0.1:9765');
const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].filter(Boolean);
/** How long a page may take to be there with its data, on a machine that is busy with other tests. */
const PATIENCE_MS = 20_000;
/** Without them Chromium talks to its maker, which the checks would rightly complain about. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

let passed = 0;
const failures = [];

export async function check(name, body) {
  try {
    await body();
    passed += 1;
  } catch (cause) {
    failures.push(name);
    console.error(`FAIL ${name}\n     ${String(cause?.message ?? cause).split('\n').slice(0, 6).join('\n     ')}`);
  }
}

export function must(condition, words) {
  if (!condition) throw new Error(words);
}

export async function launch() {
  const executablePath = BROWSERS.find((path) => existsSync(path));
  must(executablePath, `no Chromium found; install it: apt-get install --no-install-recommends chromium (looked at ${BROWSERS.join(', ')})`);
  return chromium.launch({ executablePath, args: FLAGS });
}

export async function ask(path) {
  const response = await fetch(new URL(path, BASE)).catch((cause) => { throw new Error(`belfry does not answer at ${BASE.origin}: ${cause.cause?.message ?? cause.message}`); });
  must(response.ok, `${path} answered ${response.status}`);
  return response.json();
}

export async function inBrowser(browser, size, theme, body) {
  const context = await browser.newContext({ viewport: { width: size.width, height: size.height }, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems = [];
  page.on('console', (message) => { if (message.type() === 'error') problems.push(`console: ${message.text()} (${message.location().url})`); });
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => { problems.push(`a dialog opened: ${dialog.message()}`); void dialog.dismiss(); });
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (address.protocol !== 'data:' && address.host !== BASE.host) problems.push(`request off the host: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await body(page, problems);
  await context.close();
}

/** Runs everything and ends with the line that `cargo xtask e2e` reads. */
export async function report(main) {
  try {
    await main();
  } catch (cause) {
    failures.push('the run itself');
    console.error(`FAIL the run itself\n     ${cause?.message ?? cause}`);
  }
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
