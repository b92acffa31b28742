import { beforeEach, expect, it } from 'vitest';
import {
  passkeyAssertionFinish,
  passkeyAssertionOptions,
  passkeyRegistrationFinish,
  passkeyRegistrationOptions,
  relyingPartyOf,
} from '../../src/credentials/index.ts';
import { makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { Authenticator, type Faults, WITH_CERTIFICATES } from './authenticator.ts';

const RP = relyingPartyOf('https://postern.example.test')!;

it('passkeys need a name that browsers take: https, or localhost; no address', () => {
  expect(RP).toEqual({ id: 'postern.example.test', origin: 'https://postern.example.test' });
  expect(relyingPartyOf('http://localhost:4747')).toEqual({
    id: 'localhost',
    origin: 'http://localhost:4747',
  });
  for (const url of [undefined, 'http://127.0.0.1:1', 'https://[::1]', 'https://10.0.0.1', 'x'])
    expect(relyingPartyOf(url)).toBeUndefined();
});

onBoth('passkeys', (kit) => {
  const demo = withDemo(kit);
  const made = { n: 0 };
  let user: { user_id: string; name: string };
  let key: Authenticator;

  beforeEach(async () => {
    const login = `key${made.n++}`;
    user = { user_id: await makeUser(demo, login), name: login };
    key = new Authenticator(RP);
  });

  const challenge = (user_id = user.user_id, binding = 'b') =>
    kit.transact((tx) => passkeyRegistrationOptions(tx, RP, { binding, user_id }));
  const finish = (response: ReturnType<Authenticator['register']>, binding = 'b', who = user) =>
    kit.transact((tx) =>
      passkeyRegistrationFinish(tx, RP, {
        binding,
        user: who,
        issued_by: null,
        name: 'my key',
        response,
      }),
    );
  const registered = async (faults: Faults = {}) => finish(key.register(await challenge(), faults));
  const ask = (user_id?: string, binding = 'b') =>
    kit.transact((tx) => passkeyAssertionOptions(tx, RP, { binding, user_id }));
  const answer = (response: ReturnType<Authenticator['assert']>, binding = 'b') =>
    kit.transact((tx) => passkeyAssertionFinish(tx, RP, { binding, response }));
  const asserted = async (faults: Faults = {}, user_id?: string) =>
    answer(key.assert(await ask(user_id), faults));

  it('registers, and then says whose it is, with and without a name before', async () => {
    expect(await registered()).toMatchObject({ ok: true });
    expect(await asserted()).toMatchObject({ ok: true, user_id: user.user_id, issued_by: null });
    const named = await asserted({ user_handle: undefined }, user.user_id);
    expect(named).toMatchObject({ ok: true, user_id: user.user_id });
  });

  it('what is asked for: the person verified, a key that names him, no attestation', async () => {
    const options = await challenge();
    expect(options).toMatchObject({
      rp: { id: RP.id },
      attestation: 'none',
      authenticatorSelection: { userVerification: 'required', residentKey: 'required' },
    });
    expect(await ask(user.user_id)).toMatchObject({ rpId: RP.id, userVerification: 'required' });
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32);
  });

  it.each<[string, Faults]>([
    ['another origin', { origin: 'https://postern.example.test.evil.test' }],
    ['http', { origin: 'http://postern.example.test' }],
    ['another relying party', { rp_id: 'example.test' }],
    ['a frame in another page', { cross_origin: true }],
    ['nobody verified', { unverified: true }],
    ['an assertion', { type: 'webauthn.get' }],
    ['a challenge of its own', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['certificates', { fmt: 'packed', att_stmt: WITH_CERTIFICATES }],
    ['certificates of Apple', { fmt: 'apple', att_stmt: WITH_CERTIFICATES }],
  ])('registration refused: %s', async (_, faults) => {
    expect(await registered(faults)).toMatchObject({ ok: false });
    expect(await asserted()).toMatchObject({ ok: false, reason: 'unknown' });
  });

  it.each<[string, Faults]>([
    ['another origin', { origin: 'https://evil.test' }],
    ['another relying party', { rp_id: 'evil.test' }],
    ['a frame in another page', { cross_origin: true }],
    ['nobody verified', { unverified: true }],
    ['a registration', { type: 'webauthn.create' }],
    ['a challenge of its own', { challenge: 'AAAA' }],
    ['the handle of somebody else', { user_handle: Buffer.alloc(16).toString('base64url') }],
    ['no handle and no name', { user_handle: undefined }],
  ])('assertion refused: %s', async (_, faults) => {
    await registered();
    expect(await asserted(faults)).toMatchObject({ ok: false });
    expect(await asserted()).toMatchObject({ ok: true });
  });

  it('a challenge serves once, also of two at once, and is used up by a wrong answer', async () => {
    await registered();
    const once = key.assert(await ask());
    const both = await Promise.all([answer(once), answer(once)]);
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
    const options = await ask();
    expect(await answer(key.assert(options, { unverified: true }))).toMatchObject({ ok: false });
    expect(await answer(key.assert(options))).toEqual({ ok: false, reason: 'challenge' });
  });

  it('a challenge serves whoever asked for it, and for what he asked', async () => {
    await registered();
    const options = await ask(undefined, 'mine');
    expect(await answer(key.assert(options), 'theirs')).toEqual({ ok: false, reason: 'challenge' });
    const other = new Authenticator(RP);
    const registration = await challenge();
    expect(await answer(key.assert(registration))).toEqual({ ok: false, reason: 'challenge' });
    expect(await finish(other.register(registration))).toMatchObject({ ok: true });
  });

  it('a challenge lives for five minutes, and ends with the next one', async () => {
    await registered();
    const late = key.assert(await ask());
    kit.clock.advance(301);
    expect(await answer(late)).toEqual({ ok: false, reason: 'challenge' });
    const first = await ask();
    await ask();
    expect(await answer(key.assert(first))).toEqual({ ok: false, reason: 'challenge' });
  });

  it('a passkey of somebody else answers for nobody who was named before', async () => {
    await registered();
    const other = await makeUser(demo, `key${made.n++}`);
    const options = await ask(other);
    expect(await answer(key.assert(options))).toEqual({ ok: false, reason: 'user' });
  });

  it('a registration that somebody else began, or a key that is there, is refused', async () => {
    const options = await challenge();
    const other = { user_id: await makeUser(demo, `key${made.n++}`), name: 'other' };
    const stolen = await finish(key.register(options), 'b', other);
    expect(stolen).toEqual({ ok: false, reason: 'user' });
    expect(await registered()).toMatchObject({ ok: true });
    const again = await challenge(other.user_id);
    expect(await finish(key.register(again), 'b', other)).toEqual({ ok: false, reason: 'taken' });
  });

  it('a counter that does not grow is a copy: refused', async () => {
    await registered();
    expect(await asserted({ counter: 7 })).toMatchObject({ ok: true });
    for (const counter of [7, 6, 0])
      expect(await asserted({ counter })).toEqual({ ok: false, reason: 'not_verified' });
    expect(await asserted({ counter: 8 })).toMatchObject({ ok: true });
  });

  it('two answers of one counter at once: one of them is taken', async () => {
    await registered();
    const [a, b] = [await ask(undefined, 'a'), await ask(undefined, 'b')];
    const both = await Promise.all([
      answer(key.assert(a, { counter: 5 }), 'a'),
      answer(key.assert(b, { counter: 5 }), 'b'),
    ]);
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
  });
});
