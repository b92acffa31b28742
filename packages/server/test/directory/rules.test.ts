import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyGroupRules } from '../../src/directory/index.ts';
import { authorOf } from '../../src/identity/index.ts';
import { json } from '../../src/platform/columns.ts';
import { onBoth } from '../kit/index.ts';
import { must, World } from './world.ts';

onBoth('group rules', (kit) => {
  let world: World;
  let n = 0;
  let group = { id: '', name: '' };
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
    const user = (login: string, attributes: object, more: object = {}) => ({
      ...{ kind: 'User', login, name: `${login} X`, attributes, ...more },
    });
    must(
      await world.apply('dana', [
        user('pia', { department: 'Platform', site: 'Berlin' }),
        user('per', { department: 'platform' }, { email: 'per@example.test' }),
        user('sue', { department: 'Sales', empty: '' }),
        user('nil', {}),
        user('robot', { department: 'Platform' }, { type: 'service' }),
      ]),
    );
  });
  beforeEach(async () => {
    for (const rule of must(await world.call('dana', 'listGroupRules')).list)
      must(await world.call('dana', 'deleteGroupRule', { id: rule.id }));
    const name = `ruled-${n++}`;
    must(await world.apply('dana', [{ kind: 'Group', name }]));
    group = { id: await world.group(name), name };
  });
  afterAll(() => world.app.close());

  const create = (when: string, name = `rule-${n++}`, group_id = group.id) =>
    world.call('dana', 'createGroupRule', {}, { name, group_id, when });
  const update = (id: string, when: string) =>
    world.call('dana', 'updateGroupRule', { id }, { when });
  /** Logins of those who are in the group by a rule. */
  const inGroup = async (id = group.id): Promise<string[]> =>
    (
      await kit.db.sql
        .selectFrom('memberships as m')
        .innerJoin('users as u', 'u.id', 'm.user_id')
        .select('u.login')
        .where('m.group_id', '=', id)
        .where('m.source', '=', 'rule')
        .where('m.ended_at', 'is', null)
        .orderBy('u.login')
        .execute()
    ).map((row) => row.login);

  test('whoever joins has an event of his own, with where the change came from', async () => {
    must(await create('department eq "Platform"'));
    const events = await kit.db.sql
      .selectFrom('audit_events')
      .select(['targets', 'client_address'])
      .where('type', '=', 'group.user_membership.add')
      .execute();
    const own = events.filter(({ targets }) => JSON.stringify(targets).includes(group.id));
    expect(own).toHaveLength(3);
    for (const { client_address } of own) expect(client_address).toBe('127.0.0.1');
  });

  describe('whom a filter chooses', () => {
    test.each<[string, string[]]>([
      ['department eq "Platform"', ['per', 'pia', 'robot']],
      ['department eq "PLATFORM" and type eq "human"', ['per', 'pia']],
      ['department ne "Platform"', ['sue']],
      ['not (department eq "Platform")', ['sue']],
      ['department sw "plat" and not (site eq "Berlin")', []],
      ['site pr', ['pia']],
      ['empty pr', []],
      ['email ew "@EXAMPLE.test" and login co "e"', ['per']],
      ['login eq "nil" or site eq "berlin"', ['nil', 'pia']],
      ['login ge "per" and login le "pia"', ['per', 'pia']],
      ['login gt "per" and login lt "pia"', []],
      ['Department pr', []],
      ['login eq "pia\' or true --"', []],
      ['login sw "%" or login co "_"', []],
      ['department co "plat" and (login eq "pia" or login eq "sue")', ['pia']],
    ])('%s: %j', async (when, logins) => {
      must(await create(when));
      expect(await inGroup()).toEqual(logins);
    });
  });

  test('one event for each, who stands behind it, and a new revision', async () => {
    const pia = await world.user('pia');
    const before = await world.revision(pia.id);
    const events = await world.eventsOf(async () => must(await create('site pr')));
    expect(events).toEqual(['pam.group_rule.create', 'group.user_membership.add']);
    expect(await world.revision(pia.id)).toBe(before + 1);
    const list = must(await world.call('dana', 'listGroupMembers', { id: group.id })).list;
    expect(list).toMatchObject([{ user: { id: pia.id }, source: 'rule', expires_at: null }]);
    const row = await kit.db.sql
      .selectFrom('memberships')
      .select('made_by')
      .where('group_id', '=', group.id)
      .executeTakeFirstOrThrow();
    expect(row.made_by).toEqual([(await world.user('dana')).id]);
  });

  test('a profile that changes changes who is in it, in the same transaction', async () => {
    must(await create('team eq "x"'));
    const set = (attributes: object) =>
      world.apply('dana', [{ kind: 'User', login: 'nil', name: 'nil X', attributes }]);
    const events = await world.eventsOf(async () => must(await set({ team: 'X' })));
    expect(events).toEqual(['pam.user.update', 'group.user_membership.add']);
    expect(await inGroup()).toEqual(['nil']);
    must(await set({ team: 'y' }));
    expect(await inGroup()).toEqual([]);
    must(await create('email eq "nil@example.test"'));
    const { id } = await world.user('nil');
    must(await world.call('dana', 'updateUser', { id }, { email: 'nil@example.test' }));
    expect(await inGroup()).toEqual(['nil']);
    must(await world.call('dana', 'updateUser', { id }, { email: null }));
    expect(await inGroup()).toEqual([]);
    must(await set({}));
  });

  test('a new user is in at once; one who is disabled stays; one who is deleted leaves', async () => {
    must(await create('team eq "new"'));
    const attributes = { team: 'new' };
    must(await world.apply('dana', [{ kind: 'User', login: 'newt', name: 'Newt', attributes }]));
    expect(await inGroup()).toEqual(['newt']);
    const { id } = await world.user('newt');
    must(await world.call('dana', 'updateUser', { id }, { status: 'DISABLED' }));
    expect(await inGroup()).toEqual(['newt']);
    must(await world.call('dana', 'updateUser', { id }, { status: 'DELETED' }));
    expect(await inGroup()).toEqual([]);
  });

  test('rules of one group are ORed; a rule that changes or goes takes only its own', async () => {
    const one = must(await create('login eq "pia" or login eq "sue"'));
    const two = must(await create('login eq "pia" or login eq "per"'));
    expect(await inGroup()).toEqual(['per', 'pia', 'sue']);
    must(await update(one.id, 'login eq "nil"'));
    expect(await inGroup()).toEqual(['nil', 'per', 'pia']);
    must(await world.call('dana', 'deleteGroupRule', { id: two.id }));
    expect(await inGroup()).toEqual(['nil']);
    must(await world.call('dana', 'deleteGroupRule', { id: one.id }));
    expect(await inGroup()).toEqual([]);
    expect((await world.call('dana', 'getGroupRule', { id: one.id })).status).toBe(404);
  });

  test('a standing membership outlasts the rule', async () => {
    const rule = must(await create('login eq "sue"'));
    const params = { id: group.id, user_id: (await world.user('sue')).id };
    must(await world.call('dana', 'addGroupMember', params));
    must(await world.call('dana', 'deleteGroupRule', { id: rule.id }));
    const { list } = must(await world.call('dana', 'listGroupMembers', { id: group.id }));
    expect(list).toMatchObject([{ source: 'direct' }]);
  });

  test('deny: to remove by hand whom a rule put there; it says which rule', async () => {
    must(await create('login eq "sue"', 'sales people'));
    const params = { id: group.id, user_id: (await world.user('sue')).id };
    const said = await world.call('dana', 'removeGroupMember', params);
    expect(said.status).toBe(409);
    expect(said.body.detail).toContain('sales people');
    expect(await inGroup()).toEqual(['sue']);
  });

  test.each(['ana', 'sam', 'audrey'])('deny: %s writes one', async (by) => {
    const body = { name: 'mine', group_id: await world.group('owners'), when: 'login pr' };
    expect((await world.call(by, 'createGroupRule', {}, body)).status).toBe(403);
  });

  test('deny: one that cannot be read, of a group that is not there, of a name that is', async () => {
    expect((await create('department = "x"')).faults).toEqual(['/when filter']);
    expect((await create('login pr', 'x', kit.ids.uuid())).faults).toEqual([
      '/group_id unknown_group',
    ]);
    const rule = must(await create('login eq "x"', 'twice'));
    expect((await create('login eq "x"', 'twice')).status).toBe(409);
    expect((await update(rule.id, 'login')).faults).toEqual(['/when filter']);
    expect((await update(kit.ids.uuid(), 'login pr')).status).toBe(404);
  });

  test('deny: into a privileged group that does not name rules as a source', async () => {
    const owners = await world.group('owners');
    const said = await create('login eq "ana"', 'escalate', owners);
    expect([said.status, said.body.code]).toEqual([403, 'not_permitted']);
    expect(await inGroup(owners)).toEqual([]);
    const sources = { sources: ['rule'] };
    must(await world.call('dana', 'setGroupSources', { id: owners }, sources));
    const rule = must(await create('login eq "ana"', 'named', owners));
    expect(await inGroup(owners)).toEqual(['ana']);
    const taken = await world.call('dana', 'setGroupSources', { id: owners }, { sources: [] });
    expect(taken.status).toBe(409);
    must(await world.call('dana', 'deleteGroupRule', { id: rule.id }));
    must(await world.call('dana', 'setGroupSources', { id: owners }, { sources: [] }));
  });

  test('deny: a role for a group with a rule that chooses nobody yet', async () => {
    must(await create('team eq "nobody"'));
    const roles = { roles: ['auditor'] };
    const said = await world.call('dana', 'setGroupRoles', { id: group.id }, roles);
    expect(said.status).toBe(409);
    expect(said.body.detail).toContain('by rule');
  });

  test('deny: of a group that is pushed in', async () => {
    await kit.db.sql
      .updateTable('groups')
      .set({ source: 'scim' })
      .where('id', '=', group.id)
      .execute();
    expect((await create('login pr')).status).toBe(409);
  });

  test('deny: a rule that takes the last pam_admin out, or a profile that does', async () => {
    const pam = must(await world.apply('dana', [{ kind: 'Group', name: 'admins-by-rule' }]));
    expect(pam.changes).toHaveLength(1);
    const admins = await world.group('admins-by-rule');
    await world.call('dana', 'setGroupSources', { id: admins }, { sources: ['rule'] });
    const rule = must(await create('login eq "dana" and not (team eq "out")', 'last', admins));
    must(await create('login eq "dana"', 'lasting', group.id));
    must(await world.call('dana', 'setGroupRoles', { id: admins }, { roles: ['pam_admin'] }));
    // `not` of what a profile does not tell chooses nobody.
    expect(await inGroup(admins)).toEqual([]);
    must(await update(rule.id, 'login eq "dana"'));
    const owners = await world.group('owners');
    const dana = (await world.user('dana')).id;
    const params = { id: owners, user_id: dana };
    must(await world.call('dana', 'removeGroupMember', params));
    for (const said of [
      await update(rule.id, 'login eq "nobody"'),
      await world.call('dana', 'deleteGroupRule', { id: rule.id }),
    ])
      expect([said.status, said.body.detail]).toEqual([
        409,
        'This would leave no active person with the role pam_admin.',
      ]);
    must(await update(rule.id, 'name eq "Dana Reyes"'));
    const renamed = await world.call('dana', 'updateUser', { id: dana }, { name: 'Dana' });
    expect(renamed.status).toBe(409);
    expect(await inGroup(admins)).toEqual(['dana']);
    must(await world.call('dana', 'addGroupMember', params));
  });

  test('apply: makes it, changes it, and leaves it as it is', async () => {
    const put = (when: string, more: object = {}) =>
      world.apply('dana', [
        { kind: 'GroupRule', name: 'by file', group: group.name, when, ...more },
      ]);
    const action = async (answer: ReturnType<typeof put>) => must(await answer).changes[0].action;
    expect(await action(put('login eq "pia"'))).toBe('create');
    expect(await inGroup()).toEqual(['pia']);
    expect(await action(put('login eq "pia"'))).toBe('unchanged');
    expect(await action(put('login eq "sue"'))).toBe('update');
    expect(await inGroup()).toEqual(['sue']);
    expect((await put('login')).faults).toEqual(['/documents/0/when filter']);
    expect((await put('login pr', { group: 'nope' })).faults).toEqual([
      '/documents/0/group unknown_group',
    ]);
    expect((await put('login pr', { group: 'owners' })).faults).toEqual([
      '/documents/0/group immutable',
    ]);
    expect(await inGroup()).toEqual(['sue']);
  });

  test('10,000 people: as many statements as for ten', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      ...{ id: kit.ids.uuid(), login: `mass${i}x`, name: `Mass ${i}`, email: null },
      ...{ type: 'human' as const, manager_id: null, manager_made_by: json([]) },
      ...{ unix_name: null, attributes: json({ mass: i < 10 ? 'few' : 'many' }) },
      created_at: kit.clock.now(),
    }));
    for (let i = 0; i < rows.length; i += 2_500) {
      const some = rows.slice(i, i + 2_500);
      await kit.db.sql.insertInto('users').values(some).execute();
      await kit.db.sql
        .insertInto('revisions')
        .values(some.map(({ id }) => ({ id, kind: 'user' as const })))
        .execute();
    }
    const statements = async (when: string): Promise<number> => {
      const name = `mass-${n++}`;
      await kit.db.sql
        .insertInto('group_rules')
        .values({
          ...{ id: kit.ids.uuid(), name, group_id: group.id, condition: when },
          ...{ made_by: json([]), created_at: kit.clock.now(), updated_at: kit.clock.now() },
        })
        .execute();
      const author = authorOf(await world.caller('dana'));
      let count = 0;
      await kit.transact((tx) => {
        const sql = tx.sql.withPlugin({
          transformQuery: ({ node }) => {
            count += 1;
            return node;
          },
          transformResult: async ({ result }) => result,
        });
        return applyGroupRules({ ...tx, sql }, author, { group_id: group.id });
      });
      return count;
    };
    const few = await statements('mass eq "few"');
    expect(await inGroup()).toHaveLength(10);
    const many = await statements('mass eq "many"');
    expect(await inGroup()).toHaveLength(10_000);
    // Rows are written a thousand at a time.
    expect(many).toBe(few + 9);
  });
});
