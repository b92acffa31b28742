import { EXIT, ROLES, type Role } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { MAY_DO } from '../../src/admin-commands/role-names.ts';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { ANA, at, id } from '../fake/things.ts';

const { service, admin } = script();

const group = (nth: number, name: string, roles: Role[]) => ({
  ...{ id: id(nth), name, source: 'local', roles, owners: [] },
  ...{ privileged_by: [] as string[], privileged_sources: [] as string[] },
});
const EVERYONE = group(20, 'everyone', ['end_user']);
const OWNERS = group(21, 'owners', ['pam_admin', 'end_user']);
const PLAIN = group(22, 'plain', []);

const membership = (nth: number, user: string, expires_at: string | null) => ({
  ...{ id: id(nth), user: { id: user, name: 'Ana' }, source: 'direct' },
  ...{ request_id: null, expires_at },
});

const known = (roles: Role[] = ['pam_admin']) =>
  service()
    .on('whoami', () => ({ body: { ...ANA, roles } }))
    .on('listUsers', () => ({ body: { list: [ANA.user] } }))
    .on('listGroups', ({ query }) => ({
      body: {
        list: [EVERYONE, OWNERS, PLAIN].filter((g) => [undefined, g.name].includes(query.name)),
      },
    }));

test('every role there is has its line', () => {
  expect(Object.keys(MAY_DO)).toEqual([...ROLES]);
});

describe('sft-admin roles list', () => {
  test('every role, the groups that hold it, and what it may do', async () => {
    known();
    const { out } = await admin('roles list');
    expect(out).toMatch(/^ROLE +GROUPS +MAY\nend_user +everyone, owners +see and reach servers/);
    expect(out).toMatch(/\nauditor +- +see everything/);
    expect(JSON.parse((await admin('roles list -o json')).out)).toContainEqual({
      role: 'pam_admin',
      may: MAY_DO.pam_admin,
      groups: [{ id: OWNERS.id, name: 'owners' }],
    });
  });

  test('to whom the service shows only groups he owns it shows no half list: 77', async () => {
    known(['end_user', 'resource_admin']);
    const { exit, out, err } = await admin('roles list');
    expect([exit, out]).toEqual([EXIT.refused, '']);
    expect(err).toContain('Ask somebody with pam_admin');
    expect(service().asked).toEqual(['whoami']);
  });
});

describe('sft-admin roles show', () => {
  const members = (list: ReturnType<typeof membership>[]) =>
    known().on('listGroupMembers', ({ params }) => ({
      body: { list: params.id === OWNERS.id ? list : [membership(40, id(99), null)] },
    }));

  test('a group: its roles, and what they may do', async () => {
    known();
    const { out } = await admin('roles show owners');
    expect(out).toBe(
      `Whoever is in owners has:\n  end_user: ${MAY_DO.end_user}\n  pam_admin: ${MAY_DO.pam_admin}\n`,
    );
    expect((await admin('roles show plain')).out).toBe('The group plain holds no role.\n');
  });

  test('a person: through which groups, until the last of his memberships ends', async () => {
    members([membership(41, id(10), at(60)), membership(42, id(10), at(30))]);
    const shown = JSON.parse((await admin('roles show ana@example.com -o json')).out);
    expect(shown).toMatchObject([
      {
        kind: 'user',
        roles: [
          { role: 'end_user', through: [{ name: 'owners', until: at(60) }] },
          { role: 'pam_admin', through: [{ name: 'owners', until: at(60) }] },
        ],
      },
    ]);
    const { out } = await admin('roles show ana@example.com');
    expect(out).toMatch(/^ana@example\.com has:\n {2}end_user \(through owners until \S+ \S+\): /);
  });

  test('a membership without an end outlasts one that has one', async () => {
    members([membership(41, id(10), at(60)), membership(42, id(10), null)]);
    const { out } = await admin('roles show ana@example.com');
    expect(out).toContain('pam_admin (through owners): ');
  });

  test('somebody in no group that holds a role has none', async () => {
    members([]);
    expect((await admin('roles show ana@example.com')).out).toBe(
      'ana@example.com holds no role.\n',
    );
  });

  test('neither a group nor a login: 77', async () => {
    known();
    const { exit, err } = await admin('roles show nope');
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('There is no group and no user nope.');
  });
});

describe('sft-admin roles set', () => {
  const settable = () =>
    known()
      .on('listGroupMembers', () => ({
        body: { list: [membership(41, id(10), null), membership(42, id(10), at(5))] },
      }))
      .on('setGroupRoles', ({ body }) => ({ body: { ...PLAIN, roles: body.roles } }));

  test.each(['auditor,end_user', 'auditor end_user', 'end_user, auditor,'])(
    '%s: exactly these, whatever stands between them',
    async (roles) => {
      settable();
      const { exit, out } = await admin(`roles set plain ${roles} --yes`);
      expect([exit, out]).toEqual([0, 'plain now holds end_user, auditor.\n']);
      expect(service().last('setGroupRoles')).toMatchObject({
        params: { id: PLAIN.id },
        body: { roles: ['end_user', 'auditor'] },
      });
    },
  );

  test('a terminal shows who gets and loses what, and asks', async () => {
    settable();
    const asked = await admin('roles set owners pam_admin,auditor', { answers: [true] });
    expect(asked.err).toContain(
      `Everybody in owners (1 now):\n  loses end_user: ${MAY_DO.end_user}\n  gets auditor: ${MAY_DO.auditor}\n`,
    );
    expect(asked.world.asked).toEqual(['Change these roles?']);
    expect(service().last('setGroupRoles').body).toEqual({ roles: ['pam_admin', 'auditor'] });
  });

  test('a no changes nothing: 77', async () => {
    settable();
    const { exit, err } = await admin('roles set owners --none', { answers: [false] });
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('Nothing is changed.');
    expect(service().asked).not.toContain('setGroupRoles');
  });

  test('without a terminal nothing is changed unless --yes says so: 64', async () => {
    const { exit, err } = await admin('roles set plain auditor');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('Pass --yes');
    expect(service().asked).toEqual([]);
  });

  test('--none takes them all', async () => {
    settable();
    expect((await admin('roles set owners --none --yes')).out).toBe('plain now holds no role.\n');
    expect(service().last('setGroupRoles').body).toEqual({ roles: [] });
  });

  test('what it holds already is neither asked about nor sent', async () => {
    settable();
    const { out } = await admin('roles set owners end_user,pam_admin', { isTerminal: true });
    expect(out).toBe('owners holds pam_admin, end_user already.\n');
    expect(service().asked).toEqual(['listGroups']);
  });

  test.each(['plain', 'plain auditor --none', 'plain root', 'plain auditor,root', 'plain ,'])(
    'set %s --yes: no roles, or what is none, or both: 64, and asks nothing',
    async (words) => {
      expect((await admin(`roles set ${words} --yes`)).exit).toBe(EXIT.usage);
      expect(service().asked).toEqual([]);
    },
  );

  test('what the service refuses it says as it came', async () => {
    const next = 'Give pam_admin to somebody else first.';
    settable().on('setGroupRoles', () =>
      problem('state_conflict', 'This would leave no active person with the role pam_admin.', {
        next,
      }),
    );
    const { exit, err } = await admin('roles set owners --none --yes');
    expect(exit).toBe(EXIT.refused);
    expect(err).toBe(
      `sft-admin: This would leave no active person with the role pam_admin.\n${next}\n`,
    );
  });

  test('a group that is not there: 77', async () => {
    settable();
    expect((await admin('roles set nope auditor --yes')).exit).toBe(EXIT.refused);
  });
});
