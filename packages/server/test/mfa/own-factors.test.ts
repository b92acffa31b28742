import { TOTP } from 'otpauth';
import { beforeAll, expect, it } from 'vitest';
import {
  confirmTotp,
  enrolTotp,
  passkeyRegistrationFinish,
  passkeyRegistrationOptions,
  relyingPartyOf,
} from '../../src/credentials/index.ts';
import { type Factors, ownFactors } from '../../src/mfa/index.ts';
import { Authenticator } from '../credentials/authenticator.ts';
import { makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { PUBLIC_URL } from '../kit/service.ts';

const RP = relyingPartyOf(PUBLIC_URL)!;

onBoth('second factors that are kept here', (kit) => {
  const demo = withDemo(kit);
  let factors: Factors;
  let user: { user_id: string; name: string };
  beforeAll(async () => {
    factors = ownFactors(demo.service.keyring, PUBLIC_URL);
    user = { user_id: await makeUser(demo, 'kept'), name: 'kept' };
  });

  it('a code of the person’s app does, once; before it is confirmed he has none', async () => {
    const { keyring } = demo.service;
    const { user_id } = user;
    const of = () => kit.transact((tx) => factors.of(tx, user_id));
    const { secret } = await kit.transact((tx) =>
      enrolTotp(tx, keyring, { user_id, session_id: user_id, issued_by: null }),
    );
    expect(await of()).toEqual({ totp: false, passkeys: false });
    const code = () => new TOTP({ secret }).generate({ timestamp: kit.clock.now() });
    await kit.transact((tx) => confirmTotp(tx, keyring, { ...user, session_id: user_id }, code()));
    expect(await of()).toEqual({ totp: true, passkeys: false });
    kit.clock.advance(30);
    const check = (text: string) => kit.transact((tx) => factors.checkCode(tx, user_id, text));
    const right = code();
    expect([await check('000000'), await check(right), await check(right)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('a passkey answers the question that was put to the same challenge, once', async () => {
    const { user_id } = user;
    const key = new Authenticator(RP);
    const asked = await kit.transact((tx) =>
      passkeyRegistrationOptions(tx, RP, { binding: 'b', user_id }),
    );
    await kit.transact((tx) =>
      passkeyRegistrationFinish(tx, RP, {
        binding: 'b',
        user,
        issued_by: null,
        name: 'my key',
        response: key.register(asked),
      }),
    );
    const question = await kit.transact((tx) =>
      factors.passkeyOptions(tx, { binding: 'mfa:1', user_id }),
    );
    const response = key.assert(question as Parameters<Authenticator['assert']>[0]);
    const check = (binding: string) =>
      kit.transact((tx) => factors.checkPasskey(tx, { binding, response }));
    expect(await check('mfa:2')).toBeUndefined();
    expect([await check('mfa:1'), await check('mfa:1')]).toEqual([user_id, undefined]);
  });

  it('where browsers take no passkeys there are none', async () => {
    const none = ownFactors(demo.service.keyring, 'http://127.0.0.1:4747');
    const of = await kit.transact((tx) => none.of(tx, user.user_id));
    expect(of).toEqual({ totp: true, passkeys: false });
  });
});
