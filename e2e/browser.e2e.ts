import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../scripts/describe-with.ts';
import { find } from '../scripts/needs.ts';
import { HOST } from './world/grant.ts';
import { invited } from './world/logins.ts';
import { newcomerAt, type Person } from './world/people.ts';
import { asksAtEachConnection } from './world/second-factor.ts';
import { Terminal } from './world/terminal.ts';
import { openWorld, type World } from './world/world.ts';

const PASSWORD = 'ana walks past 12 quiet gates';
const PATIENCE = { timeout: 30_000 };

describeWith(['chromium'], 'in a browser', () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let origin: string;

  beforeAll(async () => {
    // Passkeys belong to a name: an address has none.
    world = await openWorld({ sshd: false, publicHost: 'localhost' });
    origin = `http://localhost:${new URL(world.service.url).port}`;
    await asksAtEachConnection(world, 'phr');
    browser = await chromium.launch({
      executablePath: find('chromium') ?? '',
      args: ['--no-sandbox'],
    });
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    await addAuthenticator(page);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await world?.end();
  }, 60_000);

  const at = (path: string): Promise<void> =>
    page.waitForURL((url) => url.pathname === path, PATIENCE);

  it('an invited person sets a password and adds a passkey', async () => {
    await page.goto(await invited(world, 'ana'));
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('The same once more').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.waitForURL((url) => ['/account', '/login'].includes(url.pathname), PATIENCE);
    if (new URL(page.url()).pathname === '/login') await withPassword(page, '/account');
    await at('/account');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Remove Passkey' }).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Log out here' }).click();
    await at('/login');
  }, 120_000);

  it('a program logs in by its code, and the person by her passkey', async () => {
    const ana = newcomerAt({ ...world.service, url: origin }, world.directory, 'ana');
    let printed = '';
    const running = ana.start('sft', ['login', '--no-browser'], {
      input: '',
      onOutput: (text) => {
        printed += text;
      },
    });
    await running.until('or open ');
    await page.goto(/or open (\S+)/.exec(printed)?.[1] ?? '');
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await at('/oauth/device');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('You may close this window').waitFor(PATIENCE);
    const ran = await running.ended;
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('as Ana Silva (ana)')]);
    expect((await ana.sft('whoami')).code).toBe(0);
  }, 120_000);

  it('a program opens the browser itself, and the code comes back to it', async () => {
    const { person, opened } = withOpener(world, origin, 'loopback');
    const terminal = new Terminal(person, 'sft', ['login']);
    await page.goto(await opened());
    await page.getByText('Answers on this computer at').waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Allow' }).click();
    expect(await terminal.exit, terminal.shown).toBe(0);
    expect(terminal.shown).toContain('as Ana Silva (ana)');
    expect((await person.sft('whoami')).code).toBe(0);
  }, 120_000);

  it('each connection asks for the passkey, and opens by itself when it was given', async () => {
    const ana = newcomerAt({ ...world.service, url: origin }, world.directory, 'ana');
    const ssh = ['ssh', HOST, '--account', 'pamadmin2', '--', 'echo inside'];
    for (const _ of [1, 2]) {
      const terminal = new Terminal(ana, 'sft', ssh);
      await terminal.see(/\/mfa\/\S+\r?\n/);
      await page.goto(/http:\S+\/mfa\/\S+/.exec(terminal.shown)?.[0] ?? '');
      await page.getByText(HOST).first().waitFor(PATIENCE);
      await page.getByRole('button', { name: /passkey/i }).click();
      expect(await terminal.exit, terminal.shown).toBe(0);
      expect(terminal.shown).toContain('inside');
    }
  }, 180_000);

  it('no page is shown in a frame, or runs a script that is not ours', async () => {
    for (const path of ['/login', '/account', '/oauth/device']) {
      await page.goto(`${origin}${path}`);
      expect(await page.evaluate(FRAMED)).not.toContain('Password');
      await page.evaluate(OWNING);
      expect(await page.title()).not.toBe('OWNED');
    }
  }, 120_000);
});

/** What a frame with the login page shows, as code for the page. */
const FRAMED = `new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.src = '/login';
  const read = () => {
    try { done(frame.contentDocument.body.innerText); } catch { done('blocked'); }
  };
  frame.onload = read;
  setTimeout(read, 3000);
  document.body.append(frame);
})`;

/** What a text that was taken for markup could do. */
const OWNING = `try {
  const script = document.createElement('script');
  script.textContent = 'document.title = "OWNED"';
  document.body.append(script);
} catch {}`;

async function withPassword(page: Page, next: string): Promise<void> {
  await page.goto(new URL(`/login?next=${next}`, page.url()).href);
  await page.getByLabel('Login').fill('ana');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}

/** A passkey's authenticator that says yes (WebAuthn, 11: virtual authenticators). */
async function addAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** Somebody whose machine opens addresses by writing them down. */
function withOpener(
  world: World,
  url: string,
  name: string,
): { person: Person; opened: () => Promise<string> } {
  const bin = join(world.directory, `${name}-bin`);
  const file = join(bin, 'opened');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'xdg-open'),
    `#!/bin/sh\nprintf '%s' "$1" > '${file}.new'\nmv '${file}.new' '${file}'\n`,
  );
  chmodSync(join(bin, 'xdg-open'), 0o755);
  const place = { ...world.service, url };
  const { env } = newcomerAt(place, world.directory, name);
  const person = newcomerAt(place, world.directory, name, {
    PATH: `${bin}:${env.PATH}`,
    DISPLAY: ':0',
  });
  const opened = async (): Promise<string> => {
    for (const end = Date.now() + PATIENCE.timeout; Date.now() < end; await sleep(100))
      if (existsSync(file)) return readFileSync(file, 'utf8');
    throw new Error('no browser was opened');
  };
  return { person, opened };
}
