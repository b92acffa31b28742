import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, expect, it } from 'vitest';
import { browserLoginOf } from '../../src/login/index.ts';
import type { OidcSettings } from '../../src/upstream/index.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { Browser } from '../login/browser.ts';

const CALLBACK = 'https://postern.example.test/login/oidc/callback';
const SECRET = 'another-secret/with+signs=00112233';

/** A certified provider, with a form in which anybody logs in under any name. */
async function startProvider(): Promise<{ issuer: string; server: Server }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'postern', client_secret: SECRET, redirect_uris: [CALLBACK] }],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email'],
    },
    pkce: { required: () => true },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({
        sub,
        name: `Real ${sub}`,
        preferred_username: sub,
        email: `${sub}@example.test`,
      }),
    }),
    cookies: { keys: ['a key of a test'] },
  });
  server.on('request', provider.callback());
  return { issuer, server };
}

/** A browser at the provider: it follows, keeps cookies and fills in the forms. */
class Visitor {
  readonly #cookies = new Map<string, string>();

  async #ask(url: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }

  /** @returns where the provider sends the browser in the end: back to us. */
  async logIn(start: string, login: string): Promise<URL> {
    let url = start;
    for (let step = 0; step < 12; step += 1) {
      let response = await this.#ask(url);
      if (response.status === 200) {
        const body = await response.text();
        const action = /<form[^>]* action="([^"]+)"/.exec(body)?.[1] ?? '';
        const prompt = /name="prompt" value="([^"]+)"/.exec(body)?.[1] ?? '';
        const form = { prompt, ...(prompt === 'login' ? { login, password: 'any' } : {}) };
        response = await this.#ask(new URL(action, url).href, form);
      }
      const next = new URL(response.headers.get('location') ?? '', url);
      if (next.href.startsWith(CALLBACK)) return next;
      url = next.href;
    }
    throw new Error('the provider does not come to an end');
  }
}

onBoth('a certified provider', (kit) => {
  let server: Server;
  const demo = withDemo(kit, undefined, async (): Promise<OidcSettings> => {
    const started = await startProvider();
    server = started.server;
    return {
      name: 'Real',
      issuer: started.issuer,
      client_id: 'postern',
      client_secret: SECRET,
      scopes: ['openid', 'profile', 'email'],
      claims: {
        login: 'preferred_username',
        name: 'name',
        email: 'email',
        attributes: {},
        groups: undefined,
      },
      acr: { phr: [], any: [] },
      amr: { phr: [], any: [] },
      jit: true,
      private_hosts: ['127.0.0.1'],
    };
  });
  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('somebody logs in, is made a user from userinfo, and is the same the next time', async () => {
    const [browser, visitor] = [new Browser(demo), new Visitor()];
    const logIn = async (query: string) => {
      const begun = await browser.get(`/login/oidc${query}`);
      const back = await visitor.logIn(String(begun.headers.location), 'nova');
      return browser.get(back.pathname + back.search);
    };
    const said = await logIn('?next=/account');
    expect([said.statusCode, said.headers.location]).toEqual([303, '/account']);
    const first = await kit.transact((tx) => browserLoginOf(tx, browser.cookie));
    const found = must(await demo.service.call(demo.tokens.pat, 'GET', '/users?login=nova'));
    expect((found.list as unknown[])[0]).toMatchObject({
      id: first?.user_id,
      name: 'Real nova',
      email: 'nova@example.test',
    });
    expect((await logIn('?prompt=login')).statusCode).toBe(303);
    const second = await kit.transact((tx) => browserLoginOf(tx, browser.cookie));
    expect(second).toMatchObject({ user_id: first?.user_id, mfa: 'none' });
    expect(second?.session_id).not.toBe(first?.session_id);
  });
});
