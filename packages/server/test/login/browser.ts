import type { LightMyRequestResponse } from 'fastify';
import { TOTP } from 'otpauth';
import type { Demo } from '../kit/flow.ts';
import { makeUser } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';

export const PASSWORD = 'korrekt pferd heft klammer';
const FORM = 'application/x-www-form-urlencoded';

/** What a browser does: it keeps cookies, says where a request comes from, and fills in forms. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #demo: Demo;
  address = '192.0.2.1';
  /** What it says of the page that a form or script is in. */
  site: Record<string, string> = { origin: 'null', 'sec-fetch-site': 'same-origin' };

  constructor(demo: Demo, address?: string) {
    this.#demo = demo;
    if (address !== undefined) this.address = address;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async #send(options: {
    method: 'GET' | 'POST';
    url: string;
    headers?: Record<string, string>;
    payload?: string;
  }): Promise<LightMyRequestResponse> {
    const response = await this.#demo.service.app.inject({
      ...options,
      remoteAddress: this.address,
      headers: {
        'user-agent': 'Test/1.0',
        ...(this.cookies.size === 0 ? {} : { cookie: this.cookie }),
        ...options.headers,
      },
    });
    for (const set of [response.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (/; Max-Age=0(;|$)/.test(set)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  get = (url: string): Promise<LightMyRequestResponse> => this.#send({ method: 'GET', url });

  post = (
    url: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> =>
    this.#send({
      method: 'POST',
      url,
      payload: new URLSearchParams(fields).toString(),
      headers: { 'content-type': FORM, ...this.site, ...headers },
    });

  /** As the script of passkeys does. */
  call = (url: string, body: unknown): Promise<LightMyRequestResponse> =>
    this.#send({
      method: 'POST',
      url,
      payload: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        origin: PUBLIC_URL,
        'sec-fetch-site': 'same-origin',
      },
    });

  /** Opens the page and sends its form to `action`. */
  async submit(
    page: string,
    action: string,
    fields: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> {
    return this.post(action, { csrf: csrfIn(await this.get(page)), ...fields });
  }

  /** With a password, and nothing more. */
  login = (login: string, password = PASSWORD, next?: string): Promise<LightMyRequestResponse> =>
    this.submit('/login', '/login', { login, password, ...(next === undefined ? {} : { next }) });

  async account(action: string, fields: Record<string, string> = {}) {
    return this.submit('/account', action, fields);
  }
}

export const csrfIn = ({ body }: LightMyRequestResponse): string =>
  /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? /data-csrf="([^"]+)"/.exec(body)?.[1] ?? '';

export const alertIn = ({ body }: LightMyRequestResponse): string =>
  /<div role="alert">\s*<p>([^<]*)/.exec(body)?.[1] ?? '';

export interface Person {
  readonly login: string;
  readonly id: string;
}

let made = 0;

/** Somebody new with a password, set with an invitation by this token. */
export async function person(
  demo: Demo,
  by = demo.service.bootstrap,
  document: Record<string, unknown> = {},
): Promise<Person> {
  const login = `person${made++}`;
  const id = await makeUser(demo, login, document);
  await setPassword(demo, id, by);
  return { login, id };
}

export async function setPassword(
  demo: Demo,
  id: string,
  by = demo.service.bootstrap,
  password = PASSWORD,
): Promise<LightMyRequestResponse> {
  const url = await invitation(demo, id, by);
  return new Browser(demo, '198.51.100.9').submit(url, url, { password, again: password });
}

export async function invitation(demo: Demo, id: string, by = demo.service.bootstrap) {
  const said = must(await demo.service.call(by, 'POST', `/users/${id}/invitation`));
  return `/invite/${said.code}`;
}

/** Adds an authenticator app on the account page. @returns what it shows, moved by seconds. */
export async function addApp(kit: Kit, browser: Browser) {
  await browser.account('/account/totp');
  const { body } = await browser.get('/account');
  const secret = /<dt>Secret<\/dt><dd><code>([A-Z2-7]+)</.exec(body)?.[1];
  if (secret === undefined) throw new Error('the page shows no secret');
  const otp = new TOTP({ secret });
  const code = (seconds = 0) => otp.generate({ timestamp: kit.clock.now() + seconds * 1000 });
  const confirmed = await browser.account('/account/totp/confirm', { code: code() });
  // The step of that code is used.
  kit.clock.advance(60);
  return { secret, code, confirmed };
}
