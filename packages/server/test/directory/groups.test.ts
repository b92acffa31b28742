import { plus, seconds } from '@postern/shared';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locksEverybodyOut } from '../../src/directory/admins.ts';
import { membershipsOf, membersOf } from '../../src/directory/index.ts';
import { mayBecome } from '../../src/directory/status.ts';
import { namesClashingWith } from '../../src/directory/template.ts';
import { json } from '../../src/platform/columns.ts';
import { onBoth } from '../kit/index.ts';
import { must, World } from './world.ts';

describe('who could undo it', () => {
  const admins = (people: number, service_users: number) => ({ people, service_users });

  test('the last person stays, however many service users there are', () => {
    expect(locksEverybodyOut(admins(1, 3), admins(0, 3))).toBe(true);
    expect(locksEverybodyOut(admins(2, 0), admins(1, 0))).toBe(false);
  });

  test('before the first person, the last service user stays', () => {
    expect(locksEverybodyOut(admins(0, 1), admins(0, 0))).toBe(true);
    expect(locksEverybodyOut(admins(0, 2), admins(0, 1))).toBe(false);
    expect(locksEverybodyOut(admins(0, 1), admins(1, 0))).toBe(false);
  });

  test('nobody is locked out of what nobody could undo anyway', () => {
    expect(locksEverybodyOut(admins(0, 0), admins(0, 0))).toBe(false);
  });
});

test('DELETED is the end', () => {
  for (const to of ['ACTIVE', 'DISABLED', 'DELETED'] as const)
    expect(mayBecome('DELETED', to)).toBe(false);
  expect(mayBecome('DISABLED', 'ACTIVE')).toBe(true);
});

test('a name clashes with what a template makes of it, and with what it is made of', () => {
  expect(namesClashingWith('ana', ['{unix_name}-adm'])).toEqual(['ana-adm']);
  expect(namesClashingWith('ana-adm', ['{unix_name}-adm'])).toEqual(['ana-adm-adm', 'ana']);
  expect(namesClashingWith('-adm', ['{unix_name}-adm'])).toEqual(['-adm-adm']);
  expect(namesClashingWith('a', ['x{unix_name}y', 'a{unix_name}'])).toEqual(['xay', 'aa']);
  const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,10}$/);
  const template = fc.tuple(name, name).map(([a, b]) => `${a}{unix_name}${b}`);
  fc.assert(
    fc.property(name, name, template, (one, other, made) => {
      const clash =
        made.replace('{unix_name}', one) === other || made.replace('{unix_name}', other) === one;
      expect(namesClashingWith(one, [made]).includes(other)).toBe(clash);
    }),
  );
});

onBoth('groups', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
  });
  afterAll(() => world.app.close());

  const ids = async (group: string, login: string) => ({
    id: await world.group(group),
    user_id: (await world.user(login)).id,
  });
  const rolesOf = async (login: string) => must(await world.call(login, 'whoami')).roles;

  test('a new person is in everyone, a new service user is not', async () => {
    must(await world.apply('dana', [{ kind: 'User', login: 'bot', name: 'Bot', type: 'service' }]));
    const members = must(
      await world.call('dana', 'listGroupMembers', { id: await world.group('everyone') }),
    ).list.map((row: { user: { name: string } }) => row.user.name);
    expect(members).toContain('Ana Lima');
    expect(members).not.toContain('Bot');
  });

  test.each(['ana', 'ben', 'sam', 'audrey', null])(
    'deny: %s adds himself to owners, or gives a role to a group',
    async (by) => {
      const self = await ids('owners', by ?? 'ana');
      const status = by === null ? 401 : 403;
      expect((await world.call(by, 'addGroupMember', self)).status).toBe(status);
      const id = await world.group('linux-approvers');
      const roles = await world.call(by, 'setGroupRoles', { id }, { roles: ['pam_admin'] });
      expect(roles.status).toBe(status);
      if (by !== null) expect(await rolesOf(by)).not.toContain('pam_admin');
    },
  );

  test('adding: one standing row with who made it, one event; again: nothing', async () => {
    const ana = await ids('linux-approvers', 'ana');
    const revision = await world.revision(ana.user_id);
    const events = await world.eventsOf(async () => {
      must(await world.call('dana', 'addGroupMember', ana));
      must(await world.call('dana', 'addGroupMember', ana));
    });
    expect(events).toEqual(['group.user_membership.add']);
    expect(await world.revision(ana.user_id)).toBe(revision + 2);
    const rows = await kit.db.sql
      .selectFrom('memberships')
      .selectAll()
      .where('group_id', '=', ana.id)
      .where('user_id', '=', ana.user_id)
      .execute();
    expect(rows).toMatchObject([
      { source: 'direct', made_by: [(await world.user('dana')).id], created_at: kit.clock.now() },
    ]);
  });

  test('a change made with a token that somebody else issued names both', async () => {
    must(
      await world.apply('dana', [
        { kind: 'User', login: 'olga', name: 'Olga', groups: ['owners'] },
      ]),
    );
    const { token } = must(
      await world.call(
        'dana',
        'createToken',
        {},
        {
          login: 'olga',
          name: 'x',
          expires_in_seconds: 600,
        },
      ),
    );
    const sam = await ids('linux-approvers', 'sam');
    must(await world.call(token, 'addGroupMember', sam));
    const row = await kit.db.sql
      .selectFrom('memberships')
      .select('made_by')
      .where('user_id', '=', sam.user_id)
      .where('group_id', '=', sam.id)
      .executeTakeFirstOrThrow();
    expect(row.made_by).toEqual([(await world.user('olga')).id, (await world.user('dana')).id]);
    expect((await world.events()).at(-1)).toMatchObject({
      details: { token_issued_by: (await world.user('dana')).id },
    });
  });

  test('concurrent adds make one row', async () => {
    const audrey = await ids('linux-approvers', 'audrey');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => world.call('dana', 'addGroupMember', audrey)),
    );
    expect(answers.map((answer) => answer.status)).toEqual([204, 204, 204, 204, 204]);
    const rows = await kit.db.sql
      .selectFrom('memberships')
      .select('id')
      .where('group_id', '=', audrey.id)
      .where('user_id', '=', audrey.user_id)
      .execute();
    expect(rows).toHaveLength(1);
  });

  test('a membership counts while any row lives, until the end of the longest', async () => {
    const ben = await ids('auditors', 'ben');
    const row = (minutes: number | null, source: 'direct' | 'rule' | 'scim') => ({
      id: kit.ids.uuid(),
      ...{ group_id: ben.id, user_id: ben.user_id, source },
      request_id: null,
      made_by: json([]),
      created_at: kit.clock.now(),
      expires_at: minutes === null ? null : plus(kit.clock.now(), seconds(minutes * 60)),
    });
    const insert = (values: ReturnType<typeof row>) =>
      kit.db.sql.insertInto('memberships').values(values).execute();
    const until = async () => {
      const rows = await membershipsOf(kit.db.sql, ben.user_id, kit.clock.now());
      const members = await membersOf(kit.db.sql, ben.id, kit.clock.now());
      const found = rows.find((r) => r.group_id === ben.id)?.valid_until;
      expect(members.find((m) => m.user_id === ben.user_id)?.valid_until).toBe(found);
      return found;
    };
    const start = kit.clock.now();
    await insert(row(10, 'rule'));
    await insert(row(30, 'scim'));
    expect(await until()).toBe(start + 30 * 60_000);
    expect(await rolesOf('ben')).toContain('auditor');
    await insert(row(null, 'direct'));
    expect(await until()).toBeNull();
    must(
      await world.apply('dana', [{ kind: 'User', login: 'ben', name: 'Ben Okoro', groups: [] }]),
    );
    expect(await until()).toBe(start + 30 * 60_000);
    kit.clock.advance(seconds(30 * 60));
    expect(await until()).toBeUndefined();
    expect(await rolesOf('ben')).not.toContain('auditor');
  });

  test('removing ends every row and takes what the group gave', async () => {
    const audrey = await ids('auditors', 'audrey');
    expect(await rolesOf('audrey')).toContain('auditor');
    const events = await world.eventsOf(() => world.call('dana', 'removeGroupMember', audrey));
    expect(events).toEqual(['group.user_membership.remove']);
    expect(await rolesOf('audrey')).not.toContain('auditor');
    expect((await world.call('audrey', 'listAuditEvents')).status).toBe(403);
    must(await world.call('dana', 'addGroupMember', audrey));
  });

  test('roles become exactly those named, and every member’s revision counts up', async () => {
    const id = await world.group('auditors');
    const audrey = (await world.user('audrey')).id;
    const revision = await world.revision(audrey);
    const set = (roles: string[]) => world.call('dana', 'setGroupRoles', { id }, { roles });
    const events = await world.eventsOf(() => set(['auditor', 'resource_admin']));
    expect(events).toEqual(['pam.role.assign']);
    expect(await world.revision(audrey)).toBe(revision + 1);
    expect(must(await set(['auditor'])).roles).toEqual(['auditor']);
    expect(await world.eventsOf(() => set(['auditor']))).toEqual([]);
    expect((await set(['root'])).status).toBe(400);
    expect((await set(['auditor', 'auditor'])).status).toBe(400);
  });

  test('unknown groups and users are not found', async () => {
    const none = kit.ids.uuid();
    const { id, user_id } = await ids('owners', 'ana');
    const codes = [
      await world.call('dana', 'addGroupMember', { id: none, user_id }),
      await world.call('dana', 'addGroupMember', { id, user_id: none }),
      await world.call('dana', 'removeGroupMember', { id, user_id: none }),
      await world.call('dana', 'listGroupMembers', { id: none }),
      await world.call('dana', 'setGroupRoles', { id: none }, { roles: [] }),
      await world.call('dana', 'updateUser', { id: none }, { name: 'x' }),
    ].map((answer) => answer.status);
    expect(codes).toEqual([404, 404, 404, 404, 404, 404]);
    expect((await world.call('dana', 'listGroupMembers', { id: 'x' })).status).toBe(400);
    expect(must(await world.call('dana', 'listGroups', { name: 'a\u0000' })).list).toEqual([]);
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
