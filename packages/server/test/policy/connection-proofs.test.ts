import { instant, seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { type ConnectionProof, evaluate, type Facts } from '../../src/policy/index.ts';
import { ANA, compiled, facts, line, MINUTE, NOW, ruleInput, SERVER } from './kit.ts';

const PROOF: ConnectionProof = {
  id: 'proof-1',
  user_id: 'ana',
  server_id: SERVER.id,
  server_identity_revision: 1,
  identity: 'pamadmin1',
  credential_type: 'vaulted_account',
  account_id: 'account-1',
  admin_level: false,
  privilege: 'vaulted_account_ssh',
  acr: 'any',
  at: NOW,
};
const mfa = (acr_values: string, re_auth_frequency_in_seconds: number) =>
  ruleInput('R1', {
    conditions: [{ condition_type: 'mfa', acr_values, re_auth_frequency_in_seconds }],
  });
const methods = (rule: object, some: Partial<Facts>) =>
  evaluate(compiled(rule), ANA, SERVER, facts(some), NOW);
const lines = (rule: object, some: Partial<Facts>) => methods(rule, some).map(line);
const given = (change: Partial<ConnectionProof>) => ({
  connection_proofs: [{ ...PROOF, ...change }],
});
const NEEDED = ['pamadmin1 by R1: needs mfa'];

describe('MFA for every connection', () => {
  test.each<[string, Partial<ConnectionProof>]>([
    ['of another person', { user_id: 'ben' }],
    ['for another server', { server_id: 'other' }],
    ['for the server before its address changed', { server_identity_revision: 0 }],
    ['for another account', { identity: 'pamadmin2', account_id: 'account-2' }],
    ['for an account of the same name made anew', { account_id: 'account-9' }],
    ['for the person’s own account', { credential_type: 'principal_account', account_id: null }],
    ['for admin-level permissions', { admin_level: true }],
    ['for another privilege', { privilege: 'reveal_password' }],
    ['from the future', { at: instant(NOW + 1) }],
    ['exactly 5 min old', { at: instant(NOW - 5 * MINUTE) }],
  ])('is not met by a proof %s', (_, change) => {
    expect(lines(mfa('any', 0), given(change))).toEqual(NEEDED);
  });

  test('is met for less than 5 min by the proof for this very connection, and names it', () => {
    const young = given({ at: instant(NOW - 5 * MINUTE + 1) });
    expect(lines(mfa('any', 0), young)[0]).toContain('allowed until 10:00');
    expect(methods(mfa('any', 0), given({}))[0]?.conditionals[0]).toMatchObject({
      condition_is_met: true,
      proof_id: 'proof-1',
      expires_at: NOW + 5 * MINUTE,
    });
  });

  test('phishing-resistant only: a code does not do, a passkey does', () => {
    expect(lines(mfa('phr', 0), given({}))).toEqual(NEEDED);
    expect(lines(mfa('phr', 0), given({ acr: 'phr' }))[0]).toContain('allowed');
  });

  test('a remembered proof never meets it, nor does one for a connection meet a window', () => {
    const remembered = { mfa_instants: [{ acr: 'phr' as const, at: NOW }] };
    expect(lines(mfa('any', 0), remembered)).toEqual(NEEDED);
    expect(lines(mfa('any', 15), given({}))).toEqual(NEEDED);
  });

  test('one account’s proof opens that account and no other', () => {
    const two = ruleInput('R1', {
      resource_selector: {
        selectors: ['pamadmin1', 'pamadmin2'].map((username) => ({
          selector_type: 'individual_server_account',
          server: { name: SERVER.id },
          username,
        })),
      },
      conditions: [{ condition_type: 'mfa', acr_values: 'any', re_auth_frequency_in_seconds: 0 }],
    });
    expect(lines(two, given({}))).toEqual([
      'pamadmin1 by R1: allowed until 10:05',
      'pamadmin2 by R1: needs mfa',
    ]);
  });
});

describe('of a session that is live', () => {
  test.each([0, 900])('MFA is not asked again (every %i s), and ends nothing', (period) => {
    const mfa_instants = [{ acr: 'phr' as const, at: instant(NOW - 24 * 60 * MINUTE) }];
    const [method] = methods(mfa('phr', period), { mfa_is_waived: true, mfa_instants });
    expect(method).toMatchObject({ allowed: true, expires_at: null, session_until: null });
  });

  test.each([0, 900])('deny: MFA as strong was never given (every %i s)', (period) => {
    for (const mfa_instants of [[], [{ acr: 'any' as const, at: NOW }]]) {
      const [method] = methods(mfa('phr', period), { mfa_is_waived: true, mfa_instants });
      expect(method).toMatchObject({ allowed: false });
    }
  });

  test('what is left without MFA is how long a session lasts', () => {
    const rule = ruleInput('R1', {
      conditions: [{ condition_type: 'mfa', acr_values: 'any', re_auth_frequency_in_seconds: 600 }],
    });
    const until = instant(NOW + 20 * MINUTE);
    const user = { ...ANA, memberships: [{ group_id: 'linux-users', valid_until: until }] };
    const some = facts({ mfa_instants: [{ acr: 'any', at: NOW }] });
    expect(evaluate(compiled(rule), user, SERVER, some, NOW)[0]).toMatchObject({
      expires_at: NOW + seconds(600) * 1000,
      session_until: until,
    });
  });
});
