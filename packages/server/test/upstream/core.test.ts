import { describe, expect, it } from 'vitest';
import { readPerson, readShown } from '../../src/upstream/claims.ts';
import { secretsOf } from '../../src/upstream/flow.ts';

const NAMES = {
  login: 'preferred_username',
  name: 'name',
  email: 'email',
  attributes: { department: 'dept' },
  groups: { claim: 'groups', attribute: 'idp_groups', only: ['Ops', 'Admins'] },
};
const read = (claims: Record<string, unknown>) => readPerson(NAMES, { sub: 'u1', ...claims });

describe('what a provider says of a person', () => {
  it('is read by the configured names', () => {
    expect(
      read({
        preferred_username: 'Ana',
        name: 'Ana Díaz',
        email: 'ana@example.test',
        dept: 'crm',
        groups: ['Admins', 'other', 'Ops'],
      }),
    ).toEqual({
      subject: 'u1',
      login: 'ana',
      name: 'Ana Díaz',
      email: 'ana@example.test',
      attributes: { department: 'crm', idp_groups: '|Ops|Admins|' },
    });
  });

  it.each([
    ['objects', { preferred_username: {}, name: {}, email: {}, dept: {}, groups: {} }],
    ['numbers', { preferred_username: 1, name: 2, email: 3, dept: 4, groups: 5 }],
    ['lists', { preferred_username: ['a'], name: ['a'], email: ['a@b'], dept: ['a'] }],
    ['null', { preferred_username: null, name: null, email: null, dept: null, groups: null }],
    ['a list of groups as text', { groups: '["Ops"]' }],
    ['groups that are no texts', { groups: [{ toString: 'Ops' }, 1, null] }],
    ['more groups than anybody is in', { groups: [...Array(2_001).fill('x'), 'Ops'] }],
    [
      'bidi, control and invisible characters',
      { name: 'a\u202eb', dept: 'a\u0000', email: 'a\u200b@b' },
    ],
    ['text that is too long', { name: 'a'.repeat(201), dept: 'a'.repeat(257) }],
    ['half a character', { name: '\ud800', dept: '\udc00' }],
    ['nothing', {}],
  ])('%s: as if it were not there', (_what, claims) => {
    expect(read(claims)).toEqual({
      subject: 'u1',
      login: undefined,
      name: undefined,
      email: null,
      attributes: { department: undefined, idp_groups: undefined },
    });
  });

  it('an address that is not verified is none', () => {
    for (const email_verified of [false, 'false'])
      expect(read({ email: 'a@b.test', email_verified })?.email).toBeNull();
    expect(read({ email: 'a@b.test', email_verified: true })?.email).toBe('a@b.test');
  });

  it.each([1, '', ' a', 'a ', 'a\n', 'é', 'a'.repeat(256), null, {}, undefined])(
    'a subject that cannot be kept is none: %j',
    (sub) => {
      expect(readPerson(NAMES, { sub })).toBeUndefined();
    },
  );

  it('a claim that nobody sent is none, whatever objects inherit', () => {
    const names = { ...NAMES, name: 'constructor', attributes: { department: 'toString' } };
    const said = readPerson(names, { sub: 'u1' });
    expect([said?.name, said?.attributes.department]).toEqual([undefined, undefined]);
  });
});

describe('how somebody has logged in', () => {
  const PROVING = {
    acr: { phr: ['phr'], any: ['mfa-acr'] },
    amr: { phr: ['hwk'], any: ['otp', 'mfa'] },
  };
  const shown = (token: Record<string, unknown>) => readShown(PROVING, { auth_time: 5, ...token });

  it.each([
    [{ amr: ['pwd'] }, 'none', ['pwd']],
    [{ amr: ['pwd', 'otp'] }, 'any', ['pwd', 'otp', 'mfa']],
    [{ amr: ['hwk'] }, 'phr', ['hwk', 'mfa']],
    [{ acr: 'phr' }, 'phr', ['mfa']],
    [{ acr: 'mfa-acr', amr: ['pwd'] }, 'any', ['pwd', 'mfa']],
    [{ acr: 'mfa-acr', amr: ['hwk'] }, 'phr', ['hwk', 'mfa']],
  ])('%j is %s', (token, mfa, amr) => {
    expect(shown(token)).toEqual({ mfa, amr, auth_time: 5 });
  });

  it.each([
    {},
    { acr: 'urn:unknown' },
    { acr: ['phr'] },
    { acr: 1 },
    { amr: 'hwk' },
    { amr: ['HWK'] },
    { amr: ['face', 'sms', 'swk'] },
    { amr: ['hwk', 1] },
    { amr: [['hwk']] },
    { amr: { 0: 'hwk' } },
    { amr: [...Array(20).fill('x'), 'hwk'] },
    { mfa: true },
  ])('what the configuration does not know proves nothing: %j', (token) => {
    expect(shown(token)).toMatchObject({ mfa: 'none', amr: [] });
  });

  it.each([undefined, '5', null, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
    'nothing rests on a login of which it is not said when it was: %s',
    (auth_time) => {
      expect(readShown(PROVING, { amr: ['hwk'], auth_time })).toBeUndefined();
    },
  );

  it('an empty configuration knows nothing', () => {
    const nothing = { phr: [], any: [] };
    const token = { auth_time: 5, acr: '', amr: ['mfa', 'hwk', 'otp'] };
    expect(readShown({ acr: nothing, amr: nothing }, token)).toMatchObject({ mfa: 'none' });
  });
});

describe('what belongs to one login', () => {
  it('differs by state and by browser, and the verifier is not the nonce', () => {
    const all = [secretsOf('a', 'x'), secretsOf('a', 'y'), secretsOf('b', 'x')].flatMap(
      ({ nonce, verifier }) => [nonce, verifier],
    );
    expect(new Set(all).size).toBe(6);
    for (const text of all) expect(text).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
