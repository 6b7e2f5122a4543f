// What an on-call engineer does in the web app, in a real browser against a running belfry: opens an incident, takes it by
// key, runs a step, writes a silence after seeing what it hides, reads the review, resolves. One story, in order.
//
//   BASE_URL=http://127.0.0.1:9765 [CHROMIUM=/usr/bin/chromium] node e2e/acts.mjs
//
// It changes things and may page people: only for a belfry that was started for it, as `make e2e` does.
import { ask, BASE, check, inBrowser, launch, must, report } from './browser.mjs';

const PERSON = 'Browser check';
const TITLE = 'An incident that the browser check opened';
const NOTE = 'a note with <b>no</b> markup & "quotes"';
const REASON = 'the browser check needs no page';

async function main() {
  const browser = await launch();
  try {
    await inBrowser(browser, { width: 1440, height: 900 }, 'dark', desk);
    await inBrowser(browser, { width: 375, height: 812 }, 'light', phone);
  } finally {
    await browser.close();
  }
}

async function desk(page, problems) {
  const dialog = page.locator('dialog[open]');
  const status = page.locator('section[aria-label="State of the incident"]');
  const timeline = page.locator('section[aria-label="Timeline"]');
  const gone = () => dialog.waitFor({ state: 'detached' });
  const sign = async () => { if (!(await dialog.getByLabel('Your name').inputValue())) await dialog.getByLabel('Your name').fill(PERSON); };
  const [rule] = (await ask('/api/belfry/v1/alerts')).filter((own) => own.procedure);
  must(rule, 'no rule of the plan names a procedure');

  await check('o opens an incident by hand, with a procedure', async () => {
    await page.goto(new URL('/incidents', BASE).href);
    await page.getByRole('heading', { name: 'Incidents' }).waitFor();
    await page.keyboard.press('o');
    await dialog.getByLabel('Title').fill(TITLE);
    await dialog.getByRole('button', { name: 'warning' }).click();
    await dialog.getByLabel('Procedure').selectOption(rule.procedure);
    await sign();
    await dialog.getByRole('button', { name: 'Open it' }).click();
    await page.waitForURL(/incidents\/\d+$/);
    await page.getByRole('heading', { level: 1, name: TITLE }).waitFor();
  });
  await check('a and Enter acknowledge: the name is remembered', async () => {
    await status.getByText('nobody yet').waitFor();
    await page.keyboard.press('a');
    await dialog.waitFor();
    await page.keyboard.press('Enter');
    await gone();
    await status.getByText(PERSON).waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).waitFor({ state: 'detached' });
  });
  await check('a note is text, whatever stands in it', async () => {
    await page.keyboard.press('n');
    await dialog.getByLabel('Note').fill(NOTE);
    await dialog.getByRole('button', { name: 'Add' }).click();
    await gone();
    await timeline.getByText(NOTE).waitFor();
  });
  await check('a step runs at a click and shows what it found', async () => {
    const step = page.locator('.step').filter({ has: page.getByRole('button', { name: /^Run( again)?$/ }) }).first();
    const runs = async () => (await ask(new URL(page.url()).pathname.replace('/incidents', '/api/belfry/v1/incidents'))).procedure.steps.flatMap((own) => own.runs).filter((run) => run.by === PERSON);
    must((await runs()).length === 0, 'somebody ran a step before');
    await step.getByRole('button', { name: /^Run( again)?$/ }).click();
    await step.getByText(`by ${PERSON}`).waitFor();
    await step.locator('.badge').filter({ hasText: /Done|Failed/ }).first().waitFor();
    must((await runs()).length === 1, 'it ran more than once');
  });
  await check('a step that changes something asks first, names what it calls, and Cancel runs nothing', async () => {
    const step = page.locator('.step').filter({ hasText: 'changes something' }).filter({ has: page.getByRole('button', { name: 'Run…' }) }).first();
    if ((await step.count()) === 0) return;
    const called = await step.locator('code').first().textContent();
    await step.getByRole('button', { name: 'Run…' }).click();
    await dialog.getByText(called).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await gone();
    must((await step.locator('.run').count()) === 0, 'it ran all the same');
  });
  await check('a step that a person does is ticked', async () => {
    const step = page.locator('.step').filter({ has: page.getByRole('button', { name: 'Tick' }) }).first();
    await step.getByRole('button', { name: 'Tick' }).click();
    await page.locator('.step').filter({ hasText: 'Ticked' }).first().waitFor();
  });
  await check('the review is there to read', async () => {
    await page.getByRole('button', { name: 'Review' }).click();
    await dialog.locator('pre').filter({ hasText: TITLE }).waitFor();
    await page.keyboard.press('Escape');
    await gone();
  });
  await check('r resolves, and says that a condition that holds fires anew', async () => {
    await page.keyboard.press('r');
    await dialog.getByText('fires anew').waitFor();
    await dialog.getByLabel('What was it').fill('nothing, it was a check');
    await dialog.getByRole('button', { name: 'Resolve' }).click();
    await gone();
    await status.getByText('Resolved').first().waitFor();
  });
  await check('a silence shows what it hides before it can be saved, then stands in the list, and ends', async () => {
    await page.goto(new URL('/alerts', BASE).href);
    await page.locator('article[aria-label]').first().waitFor();
    const card = page.locator(`article[aria-label=${JSON.stringify(rule.name)}]`);
    if ((await card.getByRole('button', { name: 'Silence…' }).count()) === 0) await card.locator('.head').click();
    await card.getByRole('button', { name: 'Silence…' }).click();
    must((await dialog.getByLabel('Matchers').inputValue()) === `alertname="${rule.name}"`, 'it is not filled in from the alert');
    await dialog.getByLabel('Reason').fill(REASON);
    await dialog.getByText(`Rules hidden whole: ${rule.name}`).waitFor();
    await dialog.getByLabel('Matchers').fill('this is no matcher');
    must(await dialog.getByRole('button', { name: 'Silence', exact: true }).isDisabled(), 'it can be saved without a preview');
    await dialog.getByText('is not a matcher').waitFor();
    problems.length = 0; // The refusal is an answer of 400, which the browser notes in the console.
    await dialog.getByLabel('Matchers').fill(`alertname="${rule.name}"`);
    await dialog.getByText(`Rules hidden whole: ${rule.name}`).waitFor();
    await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
    await gone();
    await page.keyboard.press('5');
    await page.waitForURL('**/silences');
    const row = page.locator('article[aria-label]').filter({ hasText: REASON }).filter({ hasText: 'Active' });
    await row.waitFor();
    await row.getByRole('button', { name: 'End now…' }).click();
    await dialog.getByRole('button', { name: 'End now' }).click();
    await gone();
    await page.locator('article[aria-label]').filter({ hasText: REASON }).filter({ hasText: 'Ended' }).first().waitFor();
  });
  await check('each channel of a person can be tested', async () => {
    await page.keyboard.press('6');
    await page.waitForURL('**/on-call');
    const tests = page.getByRole('button', { name: /^Test .* of / });
    await page.locator('section[aria-label="Contacts"] :is(li, .empty)').first().waitFor();
    if ((await tests.count()) === 0) return;
    await tests.first().click();
    await page.locator('.result .badge').first().waitFor();
  });
  await check('nothing in the console on these ways', async () => must(problems.length === 0, problems.join('\n')));
}

async function phone(page, problems) {
  await check('the longest dialog fits a phone, and Escape leaves it', async () => {
    await page.goto(new URL('/silences', BASE).href);
    await page.getByRole('button', { name: 'New silence…' }).click();
    await page.locator('dialog[open]').getByRole('button', { name: 'other…' }).click();
    const over = await page.evaluate(() => {
      const dialog = document.querySelector('dialog[open]');
      return Math.max(dialog.scrollWidth - dialog.clientWidth, document.documentElement.scrollWidth - innerWidth);
    });
    must(over <= 0, `it is ${over} px too wide`);
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    must(problems.length === 0, problems.join('\n'));
  });
}

await report(main);
