import { Authenticator } from './authenticator.ts';
import { Browser } from './browser.ts';
import { type Person, personAt } from './people.ts';
import type { Ran } from './run.ts';
import type { Service } from './service.ts';
import type { World } from './world.ts';

/** What somebody logs in with in a browser. */
export interface Account {
  readonly login: string;
  readonly password: string;
  readonly browser: Browser;
  readonly app: Authenticator;
}

/** The link of an invitation that nobody stands behind: what comes of it is the person's own. */
export async function invited(
  { service, directory }: Pick<World, 'service' | 'directory'>,
  login: string,
): Promise<string> {
  const bootstrap = personAt(service, directory, 'bootstrap', service.bootstrapToken);
  const { code, stdout, stderr } = await bootstrap.admin('users', 'invite', login);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Follows an invitation, sets a password, logs in with it, and adds an authenticator app. */
export async function openAccount(
  service: Service,
  login: string,
  invitation: string,
): Promise<Account> {
  const browser = new Browser(service.url);
  const password = `${login} walks past 12 quiet gates`;
  await browser.open(invitation);
  await browser.submit({ password, again: password });
  if (browser.url.pathname !== '/account') {
    await browser.open('/login?next=/account');
    await browser.submit({ login, password }, '/login');
  }
  await browser.submit({}, '/account/totp');
  const secret = /<dt>Secret<\/dt><dd><code>([^<]*)<\/code>/.exec(browser.html)?.[1];
  if (secret === undefined) throw new Error(`the page shows no secret: ${browser.text}`);
  const app = new Authenticator(secret);
  await browser.submit({ code: await app.code() }, '/account/totp/confirm');
  if (!browser.text.includes('You have one.')) throw new Error(browser.text);
  return { login, password, browser, app };
}

/** `sft login --no-browser`, with its code allowed in the browser of that account. */
export async function logInByCode(person: Person, account: Account): Promise<Ran> {
  let printed = '';
  const running = person.start('sft', ['login', '--no-browser'], {
    input: '',
    onOutput: (text) => {
      printed += text;
    },
  });
  await running.until('or open ');
  const link = /or open (\S+)/.exec(printed)?.[1];
  if (link === undefined) throw new Error(`no link: ${printed}`);
  await allow(account, link);
  return running.ended;
}

/** Opens the link of a device code, logs in if asked, and allows it. */
export async function allow(
  { login, password, browser, app }: Account,
  link: string,
): Promise<void> {
  await browser.open(link);
  if (browser.url.pathname === '/login') {
    await browser.submit({ login, password }, '/login');
    if (browser.url.pathname.startsWith('/login'))
      await browser.submit({ code: await app.code() }, '/login/factor');
  }
  await browser.submit({ answer: 'allow' });
}
