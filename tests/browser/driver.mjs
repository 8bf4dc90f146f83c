// SPDX-License-Identifier: Apache-2.0
// A Chromium that does what it is told: one JSON object a line comes in, one goes out.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { chromium } = createRequire(join(process.argv[2], 'x.js'))('playwright-core');
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const BLOCK_COOKIES = { profile: { default_content_setting_values: { cookies: 2 }, block_third_party_cookies: true } };

// Milliseconds, for whatever a command waits for. Only a failure takes as long; two cores with other work may need it.
const PATIENCE = 60000;

let context, page, profile;

const commands = {
  // A new browser with an empty profile.
  async launch({ cookies, scripts }) {
    profile = await mkdtemp(join(tmpdir(), 'clerk-browser-'));
    if (!cookies) {
      await mkdir(join(profile, 'Default'), { recursive: true });
      await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(BLOCK_COOKIES));
    }
    context = await chromium.launchPersistentContext(profile, {
      executablePath: process.argv[3], args: ARGUMENTS, headless: true, javaScriptEnabled: scripts, timeout: PATIENCE,
    });
    context.setDefaultTimeout(PATIENCE);
    page = context.pages()[0] ?? (await context.newPage());
  },
  // Every answer on the way, the last one's included.
  async open({ url }) {
    const chain = [];
    const note = answer => answer.request().isNavigationRequest() && chain.push([answer.status(), answer.url()]);
    page.on('response', note);
    try {
      await page.goto(url);
    } finally {
      page.off('response', note);
    }
    return { url: page.url(), status: chain.at(-1)?.[0], chain, text: await page.innerText('body') };
  },
  // A link or button that leads to another page.
  async click({ selector }) {
    await Promise.all([page.waitForNavigation(), page.click(selector)]);
    return { url: page.url(), text: await page.innerText('body') };
  },
  // Go on in another tab of the same browser; a new one if there are not so many.
  async tab({ number }) {
    page = context.pages()[number] ?? (await context.newPage());
    await page.bringToFront();
  },
  // A link that opens another tab; goes on there.
  async follow({ selector }) {
    const [opened] = await Promise.all([context.waitForEvent('page'), page.click(selector)]);
    page = opened;
    await page.waitForLoadState();
  },
  press_only: async ({ selector }) => void (await page.click(selector)),
  // The answer to the next question of the page. To others the answer is no.
  reply: async ({ yes }) => void page.once('dialog', (dialog) => (yes ? dialog.accept() : dialog.dismiss())),
  back: async () => void (await page.goBack()),
  set: async ({ name, value, url }) => void (await context.addCookies([{ name, value, url }])),
  look: async ({ scheme, width, height }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height });
  },
  // The value of a JavaScript expression in the page; promises are awaited.
  evaluate: ({ expression }) => page.evaluate(expression),
  fill: async ({ selector, text }) => void (await page.fill(selector, text)),
  press: async ({ selector, key }) => void (await page.press(selector, key)),
  arrive: async ({ path }) => void (await page.waitForURL((url) => url.pathname === path)),
  see: async ({ text }) => void (await page.getByText(text).first().waitFor()),
  where: async () => ({ url: page.url(), text: await page.innerText('body') }),
  wait: async ({ expression }) => void (await page.waitForFunction(expression)),
  cookies: () => context.cookies(),
  clear: async ({ name }) => void (await context.clearCookies({ name })),
  screenshot: async ({ path }) => void (await page.screenshot({ path, fullPage: true })),
  async close() {
    await context?.close();
    context = undefined;
    await rm(profile, { recursive: true, force: true });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[command](options)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await context?.close();
