import { expect, it } from 'vitest';
import { relyingPartyOf } from '../../src/credentials/index.ts';
import { browserLoginOf } from '../../src/login/index.ts';
import { Authenticator } from '../credentials/authenticator.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { PUBLIC_URL } from '../kit/service.ts';
import { Browser, person } from './browser.ts';

const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64url')).buffer;
const text = (buffer: ArrayBufferLike): string => Buffer.from(buffer).toString('base64url');

/** What a browser's WebAuthn takes and gives: bytes, where the wire has texts. */
function credentials(key: Authenticator) {
  const credential = (answer: { id: string; type: string; response: object }) => ({
    id: answer.id,
    rawId: bytes(answer.id),
    type: answer.type,
    response: {
      ...Object.fromEntries(
        Object.entries(answer.response).map(([name, value]) => [
          name,
          typeof value === 'string' ? bytes(value) : value,
        ]),
      ),
      getTransports: () => ['internal'],
    },
  });
  type Options = { publicKey: { challenge: Uint8Array; user: { id: Uint8Array } } };
  return {
    create: async ({ publicKey: { challenge, user } }: Options) =>
      credential(
        key.register({
          challenge: text(challenge.buffer as ArrayBuffer),
          user: { id: text(user.id.buffer as ArrayBuffer) },
        }),
      ),
    get: async ({ publicKey: { challenge } }: Options) =>
      credential(key.assert({ challenge: text(challenge.buffer as ArrayBuffer) })),
  };
}

/** Runs the page's script on the page, presses its button, and says where it went. */
async function press(browser: Browser, page: string, key: Authenticator): Promise<string> {
  const { body } = await browser.get(page);
  const { body: script } = await browser.get('/login/passkey.js');
  const tag = /<form class="passkey" hidden ([^>]*)>/.exec(body)?.[1] ?? '';
  const dataset = Object.fromEntries(
    [...tag.matchAll(/data-(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const name = dataset.kind === 'create' ? { value: 'my key' } : null;
  const status = { textContent: '' };
  return await new Promise((went, failed) => {
    let submit = (_event: object): void => {};
    const form = {
      hidden: true,
      dataset,
      elements: { namedItem: () => name },
      querySelector: () => status,
      addEventListener: (_: string, listener: typeof submit) => {
        submit = listener;
      },
    };
    const fetch = async (url: string, { body: sent }: { body: string }) => {
      const answer = await browser.call(url, JSON.parse(sent));
      return { ok: answer.statusCode < 300, json: async () => answer.json() };
    };
    const window = { PublicKeyCredential: {}, location: { assign: went } };
    new Function('window', 'document', 'navigator', 'fetch', script)(
      window,
      { querySelectorAll: () => [form] },
      { credentials: credentials(key) },
      fetch,
    );
    expect(form.hidden).toBe(false);
    submit({ preventDefault: () => {} });
    setTimeout(() => failed(new Error(status.textContent || 'it went nowhere')), 10_000).unref();
  });
}

onBoth('the script of passkeys', (kit) => {
  const demo = withDemo(kit);

  it('adds a passkey on the account page, and logs in with it', async () => {
    const who = await person(demo);
    const key = new Authenticator(relyingPartyOf(PUBLIC_URL)!);
    const browser = new Browser(demo);
    await browser.login(who.login);
    expect(await press(browser, '/account', key)).toBe('/account');
    expect((await browser.get('/account')).body).toContain('Remove my key');
    const other = new Browser(demo);
    expect(await press(other, '/login?next=/decide/abc', key)).toBe('/decide/abc');
    const { cookie } = other;
    expect(await kit.transact((tx) => browserLoginOf(tx, cookie))).toMatchObject({
      user_id: who.id,
      mfa: 'phr',
    });
  });
});
