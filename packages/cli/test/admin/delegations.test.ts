import { type Delegation, EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { at, id, NOW } from '../fake/things.ts';

const { service, admin } = script();

const delegation = (more: Partial<Delegation> = {}): Delegation => ({
  id: id(70),
  from: { id: id(11), login: 'dana', name: 'Dana Reyes' },
  to: { id: id(10), login: 'ana', name: 'Ana' },
  starts_at: at(0),
  ends_at: at(60),
  ended_at: null,
  reason: null,
  created_at: at(0),
  ...more,
});

describe('sft-admin delegate', () => {
  test('a length of time counts from now', async () => {
    service().on('createDelegation', () => ({ status: 201, body: delegation() }));
    const { exit, out } = await admin('delegate --to ana --until 7d --reason leave');
    expect(exit).toBe(0);
    expect(out).toMatch(/^Ana stands in for Dana Reyes from .* until .*\.\n/);
    expect(out).toContain(`sft-admin delegations end ${id(70)}\n`);
    const { body } = service().last('createDelegation');
    expect(body).toMatchObject({ to: 'ana', reason: 'leave' });
    expect(Date.parse(body.ends_at)).toBe(NOW + 7 * 86_400_000);
    expect(Object.keys(body).sort()).toEqual(['ends_at', 'reason', 'to']);
  });

  test('a time with its offset is that instant, for somebody else too', async () => {
    service().on('createDelegation', () => ({ status: 201, body: delegation() }));
    await admin(
      'delegate --from dana --to ana --starts 2026-12-01T08:00:00+01:00 --until 2026-12-01T18:00:00+01:00',
    );
    expect(service().last('createDelegation').body).toEqual({
      from: 'dana',
      to: 'ana',
      starts_at: '2026-12-01T07:00:00.000Z',
      ends_at: '2026-12-01T17:00:00.000Z',
    });
  });

  test.each([
    ['delegate --until 7d', 'Pass --to LOGIN --until TIME.'],
    ['delegate --to ana', 'Pass --to LOGIN --until TIME.'],
    ['delegate --to ana --until tomorrow', '--until tomorrow is no time.'],
    ['delegate --to ana --until 2026-12-01', '--until 2026-12-01 is no time.'],
    ['delegate --to ana --until 7d --starts 25:00', '--starts 25:00 is no time.'],
  ])('%s: 64, nothing is asked', async (words, says) => {
    const { exit, err } = await admin(words);
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain(says);
    expect(service().asked).toEqual([]);
  });

  test('refused by the service: its words, 64', async () => {
    service().on('createDelegation', () =>
      problem('invalid_request', '/to: must be somebody else'),
    );
    const { exit, err } = await admin('delegate --to dana --until 1d');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('must be somebody else');
  });
});

describe('sft-admin delegations', () => {
  test('list: who stands in for whom, every text of it printable', async () => {
    const list = [delegation({ reason: 'on\u001b[2Jleave' })];
    service().on('listDelegations', () => ({ body: { list } }));
    const { out } = await admin('delegations list');
    expect(out).toMatch(/^ID .*FOR .*STAND_IN .*FROM .*UNTIL .*REASON/);
    expect(out).toContain('Dana Reyes');
    expect(out).not.toContain('\u001b');
  });

  test('end', async () => {
    service().on('endDelegation', () => ({ status: 204 }));
    const { exit, out } = await admin(`delegations end ${id(70)}`);
    expect([exit, out]).toEqual([0, `The stand-in ${id(70)} has ended.\n`]);
  });
});
