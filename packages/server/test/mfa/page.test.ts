import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  bodyFor,
  browserOf,
  challenged,
  hiddenToken,
  loginAs,
  stateOf,
  type TestLogin,
} from '../kit/mfa.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';
import { methodsFor, mfa, open, ruled } from './scene.ts';

const GONE = 'This page is not valid any more';

onBoth('the page of a challenge', (kit) => {
  const demo = withDemo(kit);
  let ellis: TestLogin;
  let id: string;
  let page: ReturnType<typeof browserOf>;
  beforeAll(() => ruled(demo, { R: [mfa(900)] }));
  const ask = async (acr: 'any' | 'phr' = 'any') => {
    const made = await challenged(demo, ellis, bodyFor((await methodsFor(demo, ellis))[0]!, acr));
    id = made.mfa_id;
    page = browserOf(demo, made);
  };
  beforeEach(async () => {
    kit.clock.advance(3_601);
    ellis = await loginAs(kit, demo, 'ellis');
    const { apps, passkeys } = demo.service.factors;
    apps.add(ellis.user_id);
    passkeys.add(ellis.user_id);
    await ask();
  });
  const code = () => demo.service.factors.code(ellis.user_id);
  const sendCode = async (text: string, headers: Record<string, string> = {}) =>
    page.send({ form_token: await page.token(), answer: 'code', code: text }, headers);

  it('says who wants what from where, and to go on only if that is you', async () => {
    const { statusCode, body } = await page.open();
    expect(statusCode).toBe(200);
    expect(body).toContain(
      'Ellis Kim wants to connect to opa-demo-linux as pamadmin1 from 127.0.0.1.',
    );
    expect(body).toContain('Only go on if that is you');
  });

  it('a scanner that follows it, as often as it likes, changes nothing', async () => {
    const before = await kit.db.sql.selectFrom('mfa_challenges').selectAll().execute();
    for (const method of ['GET', 'HEAD', 'GET'] as const)
      expect((await page.open(method)).statusCode).toBe(200);
    const { app } = demo.service;
    const token = await page.token();
    const query = new URLSearchParams({ form_token: token, answer: 'code', code: code() });
    expect((await app.inject({ method: 'GET', url: `${page.url}?${query}` })).statusCode).toBe(200);
    expect(await kit.db.sql.selectFrom('mfa_challenges').selectAll().execute()).toEqual(before);
    expect(await stateOf(demo, ellis, id)).toBe('pending');
  });

  it('the right code: approved, the terminal goes on, and the page is over', async () => {
    const text = code();
    const response = await sendCode(`${text.slice(0, 3)} ${text.slice(3)}`);
    expect([response.statusCode, response.body]).toEqual([
      200,
      expect.stringContaining('That was you'),
    ]);
    expect(await stateOf(demo, ellis, id)).toBe('approved');
    expect((await open(demo, ellis)).code).toBe('201');
    expect((await page.open()).body).toContain(GONE);
  });

  it('a wrong code: said so, counted, not given back; the fifth ends it', async () => {
    for (const left of [4, 3, 2, 1]) {
      const response = await sendCode('987654');
      expect(response.statusCode).toBe(403);
      expect(response.body).toContain(`${left} more times`);
      expect(response.body).not.toContain('987654');
    }
    expect((await sendCode('987654')).body).toContain('Too many wrong codes');
    expect((await page.open()).body).toContain(GONE);
    expect(await stateOf(demo, ellis, id)).toBe('failed');
  });

  it('what is no code is not counted', async () => {
    expect((await sendCode('12')).statusCode).toBe(400);
    expect((await sendCode('000000')).body).toContain('4 more times');
  });

  describe('a passkey', () => {
    const question = async () => {
      const asked = await page.send({ form_token: await page.token(), answer: 'passkey' });
      const options = /data-options="([^"]*)"/.exec(asked.body)?.[1] ?? '';
      const text = options.replaceAll('&quot;', '"');
      return { asked, challenge: (JSON.parse(text) as { challenge: string }).challenge };
    };
    const answer = async (passkey: object) =>
      page.send({
        form_token: await page.token(),
        answer: 'passkey',
        passkey: JSON.stringify(passkey),
      });

    it('proves it phishing-resistant, for what asks for that and for what asks for any', async () => {
      const { asked, challenge } = await question();
      expect(asked.headers['content-security-policy']).toContain("script-src 'self'");
      expect(asked.body).toContain('<script src="/mfa/passkey.js" defer></script>');
      const done = await answer(demo.service.factors.signed(ellis.user_id, challenge));
      expect(done.body).toContain('That was you');
      const proof = await kit.db.sql
        .selectFrom('mfa_proofs')
        .select('acr')
        .where('challenge_id', '=', id)
        .executeTakeFirst();
      expect(proof).toEqual({ acr: 'phr' });
    });

    it('of another person answers nothing', async () => {
      const dana = await loginAs(kit, demo, 'dana');
      demo.service.factors.passkeys.add(dana.user_id);
      const { challenge } = await question();
      const response = await answer(demo.service.factors.signed(dana.user_id, challenge));
      expect([response.statusCode, await stateOf(demo, ellis, id)]).toEqual([403, 'pending']);
    });

    it('signed for another challenge, or twice, answers nothing', async () => {
      const { challenge } = await question();
      await ask();
      const { challenge: own } = await question();
      const forOther = demo.service.factors.signed(ellis.user_id, challenge);
      expect((await answer(forOther)).statusCode).toBe(403);
      const late = demo.service.factors.signed(ellis.user_id, own);
      expect((await answer(late)).statusCode).toBe(403);
      expect(await stateOf(demo, ellis, id)).toBe('pending');
    });

    it('is the only thing that does where it is asked for: no code is', async () => {
      await ask('phr');
      expect((await page.open()).body).not.toContain('One-time code');
      const kept = code();
      const response = await sendCode(kept);
      expect([response.statusCode, response.body]).toEqual([
        403,
        expect.stringContaining('A code is not enough'),
      ]);
      expect(await stateOf(demo, ellis, id)).toBe('pending');
    });

    it('what no browser sends is refused', async () => {
      const nul = '{"id":"\\u0000","response":{"clientDataJSON":"a"}}';
      for (const passkey of ['x', '[]', '{}', '{"id":1}', '{"id":"a","response":{}}', nul]) {
        const form_token = await page.token();
        const response = await page.send({ form_token, answer: 'passkey', passkey });
        expect([passkey, response.statusCode]).toEqual([passkey, 400]);
      }
    });
  });

  describe('a form that our page did not send', () => {
    it.each([
      ['from another site', { 'sec-fetch-site': 'cross-site' }],
      ['from a site beside ours', { 'sec-fetch-site': 'same-site' }],
      ['typed by hand', { 'sec-fetch-site': 'none' }],
    ])('%s: refused, and the code stays good', async (_, headers) => {
      const kept = code();
      expect((await sendCode(kept, headers)).statusCode).toBe(403);
      expect(await stateOf(demo, ellis, id)).toBe('pending');
      expect((await sendCode(kept)).statusCode).toBe(200);
    });

    it('of a browser that names only its origin: ours does, others and none do not', async () => {
      const send = async (headers: Record<string, string>) =>
        demo.service.app.inject({
          method: 'POST',
          url: page.url,
          payload: new URLSearchParams({
            form_token: await page.token(),
            answer: 'code',
            code: '000000',
          }).toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        });
      expect((await send({ origin: PUBLIC_URL })).body).toContain('4 more times');
      for (const origin of ['https://evil.example', 'null', `${PUBLIC_URL}.evil.example`])
        expect((await send({ origin })).body).toContain('not sent by our page');
      expect((await send({})).body).toContain('not sent by our page');
    });

    it('without its token, with another page’s, with JSON: refused', async () => {
      const first = await page.token();
      await ask();
      for (const form_token of ['', first, 'x'.repeat(64)]) {
        const response = await page.send({ form_token, answer: 'code', code: code() });
        expect(response.statusCode).toBe(403);
      }
      const json = await demo.service.app.inject({
        method: 'POST',
        url: page.url,
        payload: { code: code() },
        headers: { 'sec-fetch-site': 'same-origin' },
      });
      expect(json.statusCode).toBe(415);
      expect(await stateOf(demo, ellis, id)).toBe('pending');
    });
  });

  it('used, expired, unknown, logged out, disabled: one and the same page', async () => {
    const invalid = async () => {
      const { statusCode, body } = await page.open();
      return [statusCode, body];
    };
    const form_token = await page.token();
    kit.clock.advance(300);
    const expired = await invalid();
    expect(expired).toEqual([404, expect.stringContaining(GONE)]);
    const late = await page.send({ form_token, answer: 'code', code: code() });
    expect([late.statusCode, late.body]).toEqual(expired);
    const unknown = await demo.service.app.inject({ method: 'GET', url: '/mfa/unknown' });
    expect([unknown.statusCode, unknown.body]).toEqual(expired);
    await ask();
    const token = await page.token();
    must(await demo.service.call(ellis.token, 'DELETE', `/tokens/${ellis.id}`));
    expect(await invalid()).toEqual(expired);
    const sent = await page.send({ form_token: token, answer: 'code', code: code() });
    expect([sent.statusCode, sent.body]).toEqual(expired);
  });

  it('no name that is shown is HTML', async () => {
    const name = '<b onx=1>"Ellis"</b>';
    await apply(demo, 'pat', [{ kind: 'User', login: 'ellis', name, manager: 'dana' }]).catch(
      () => undefined,
    );
    await kit.db.sql.updateTable('users').set({ name }).where('id', '=', ellis.user_id).execute();
    const { body, headers } = await page.open();
    expect(body).toContain('&lt;b onx=1&gt;');
    expect(body).not.toContain('<b onx');
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    expect(headers['set-cookie']).toBeUndefined();
    expect(hiddenToken(await page.open())).toMatch(/^[0-9a-f]{64}$/);
    expect(codeOf(await page.open())).toBe('200');
  });
});
