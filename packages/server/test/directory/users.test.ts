import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { must, World } from './world.ts';

onBoth('users', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
  });
  afterAll(() => world.app.close());

  const patch = async (by: string, login: string, body: object) =>
    await world.call(by, 'updateUser', { id: (await world.user(login)).id }, body);
  const add = async (login: string, more: object = {}): Promise<void> => {
    must(await world.apply('dana', [{ kind: 'User', login, name: `${login} X`, ...more }]));
    await world.login(login);
  };

  test.each(['ana', 'sam', 'audrey'])(
    'deny: %s, who is no pam_admin, changes a user',
    async (by) => {
      const answer = await patch(by, 'ben', { status: 'DISABLED' });
      expect([answer.status, answer.body.code]).toEqual([403, 'not_permitted']);
      expect((await world.user('ben')).status).toBe('ACTIVE');
    },
  );

  test('deny: nobody changes a user', async () => {
    const { id } = await world.user('ben');
    const answer = await world.call(null, 'updateUser', { id }, { status: 'DISABLED' });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  });

  test('deny: another team is not found, with a valid token', async () => {
    const answer = await world.call('dana', 'listUsers', { team: 'other' });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });

  describe('disabling', () => {
    test('ends his tokens at once, ends what he was granted, and is in the log', async () => {
      await add('eve');
      const { id } = await world.user('eve');
      const revision = await world.revision(id);
      expect((await world.call('eve', 'whoami')).status).toBe(200);
      const events = await world.eventsOf(() => patch('dana', 'eve', { status: 'DISABLED' }));
      expect(events).toEqual(['pam.token.revoke', 'pam.user.update']);
      expect(world.hooked).toContain(`userDisabled ${id}`);
      expect(await world.revision(id)).toBe(revision + 1);
      expect((await world.call('eve', 'whoami')).body.code).toBe('unauthenticated');
    });

    test('enabling again brings no token back', async () => {
      must(await patch('dana', 'eve', { status: 'ACTIVE' }));
      expect((await world.call('eve', 'whoami')).status).toBe(401);
    });

    test('a token made before that is still in hand opens nothing for a disabled user', async () => {
      await add('finn');
      const token = await world.login('finn');
      must(await patch('dana', 'finn', { status: 'DISABLED' }));
      expect((await world.call(token, 'whoami')).status).toBe(401);
    });
  });

  describe('deleting', () => {
    test('ends memberships and frees neither login nor unix name', async () => {
      await add('gus', { unix_name: 'gus', groups: ['linux-approvers'] });
      must(await patch('dana', 'gus', { status: 'DELETED' }));
      const members = must(
        await world.call('dana', 'listGroupMembers', { id: await world.group('linux-approvers') }),
      );
      expect(JSON.stringify(members)).not.toContain('gus X');
      const again = await world.apply('dana', [{ kind: 'User', login: 'gus', name: 'Gus' }]);
      expect(again.body.code).toBe('state_conflict');
      const same = { kind: 'User', login: 'gus2', name: 'Gus', unix_name: 'gus' };
      const taken = await world.apply('dana', [same]);
      expect([taken.body.code, taken.faults]).toEqual([
        'state_conflict',
        ['/documents/0/unix_name taken'],
      ]);
    });

    test('is the end: nothing of him is changed, and he joins no group', async () => {
      for (const body of [{ status: 'ACTIVE' }, { status: 'DISABLED' }, { name: 'Other' }])
        expect((await patch('dana', 'gus', body)).body.code).toBe('state_conflict');
      const ids = { id: await world.group('owners'), user_id: (await world.user('gus')).id };
      expect((await world.call('dana', 'addGroupMember', ids)).body.code).toBe('state_conflict');
    });
  });

  describe('the last pam_admin', () => {
    const refused = async (answer: Promise<{ body: { code: string } }>) =>
      expect((await answer).body.code).toBe('state_conflict');

    test('cannot disable or delete himself, while the bootstrap account stays', async () => {
      await refused(patch('dana', 'dana', { status: 'DISABLED' }));
      await refused(patch('dana', 'dana', { status: 'DELETED' }));
      expect((await world.call('dana', 'whoami')).status).toBe(200);
    });

    test('cannot leave the group, nor take the role from it', async () => {
      const id = await world.group('owners');
      const user_id = (await world.user('dana')).id;
      await refused(world.call('dana', 'removeGroupMember', { id, user_id }));
      await refused(world.call('dana', 'setGroupRoles', { id }, { roles: ['auditor'] }));
      await refused(world.apply('dana', [{ kind: 'User', login: 'dana', name: 'D', groups: [] }]));
      await refused(world.apply('dana', [{ kind: 'Group', name: 'owners', roles: [] }]));
      expect(must(await world.call('dana', 'whoami')).roles).toContain('pam_admin');
    });

    test('may hand the role to another group in one apply, in any order', async () => {
      const documents = [
        { kind: 'Group', name: 'owners', roles: [] },
        { kind: 'User', login: 'dana', name: 'Dana Reyes', groups: ['owners', 'admins'] },
        { kind: 'Group', name: 'admins', roles: ['pam_admin'] },
      ];
      must(await world.apply('dana', documents));
      must(await world.apply('dana', [{ kind: 'Group', name: 'owners', roles: ['pam_admin'] }]));
    });

    test('two admins who disable each other at once: one stays', async () => {
      await add('hana', { groups: ['owners'] });
      const answers = await Promise.all([
        patch('dana', 'hana', { status: 'DISABLED' }),
        patch('hana', 'dana', { status: 'DISABLED' }),
      ]);
      const left = [await world.user('dana'), await world.user('hana')];
      expect(left.filter((user) => user.status === 'ACTIVE')).toHaveLength(1);
      expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
      const winner = (await world.user('dana')).status === 'ACTIVE' ? 'dana' : 'hana';
      for (const login of ['dana', 'hana']) {
        await patch(winner, login, { status: 'ACTIVE' });
        await world.login(login);
      }
    });

    test('two admins who disable themselves at once: one stays', async () => {
      await Promise.all([
        patch('dana', 'dana', { status: 'DISABLED' }),
        patch('hana', 'hana', { status: 'DISABLED' }),
      ]);
      const left = [await world.user('dana'), await world.user('hana')];
      const active = left.filter((user) => user.status === 'ACTIVE');
      expect(active).toHaveLength(1);
      const winner = left[0]!.status === 'ACTIVE' ? 'dana' : 'hana';
      for (const login of ['dana', 'hana']) {
        await patch(winner, login, { status: 'ACTIVE' });
        await world.login(login);
      }
      must(await patch('dana', 'hana', { status: 'DISABLED' }));
    });
  });

  describe('manager', () => {
    test('who set him, and when, is kept with it', async () => {
      const ben = await world.user('ben');
      must(await patch('dana', 'ana', { manager_id: ben.id }));
      const ana = await world.user('ana');
      expect(ana.manager_made_by).toEqual([(await world.user('dana')).id]);
      expect(ana).toMatchObject({ manager_made_at: kit.clock.now() });
    });

    test('nobody is his own; a service user, a disabled or an unknown one is none', async () => {
      await add('robot', { type: 'service' });
      await add('ivo');
      must(await patch('dana', 'ivo', { status: 'DISABLED' }));
      const codes = [];
      for (const login of ['ana', 'robot', 'ivo']) {
        const { id } = await world.user(login);
        codes.push((await patch('dana', 'ana', { manager_id: id })).body.code);
      }
      expect(codes).toEqual(['invalid_request', 'state_conflict', 'state_conflict']);
      const unknown = await patch('dana', 'ana', { manager_id: await world.group('owners') });
      expect(unknown.faults).toEqual(['/manager_id unknown_user']);
    });
  });

  test('hostile text is refused where it would be a name', async () => {
    const names = ['', ' ', 'a\u0000b', 'a\u001b[31mb', 'a\u202eb', 'a\u200bb', '\ud800', 'a\nb'];
    for (const name of names) {
      const answer = await patch('dana', 'ben', { name });
      expect([name, answer.status, answer.body.code]).toEqual([name, 400, 'invalid_request']);
    }
    must(await patch('dana', 'ben', { name: '<script>alert(1)</script>' }));
    expect((await patch('dana', 'ben', { email: 'no' })).faults).toEqual(['/email email']);
    expect((await patch('dana', 'ben', { email: 'a@b.c\u0000' })).status).toBe(400);
    expect((await patch('dana', 'ben', { login: 'x' })).faults).toEqual(['/login unknown_field']);
    expect((await patch('dana', 'ben', {})).status).toBe(400);
    expect(must(await world.call('dana', 'listUsers', { login: '\u0000' })).list).toEqual([]);
  });

  test('nothing changes: nothing is written', async () => {
    const events = await world.eventsOf(async () => {
      must(await patch('dana', 'sam', { status: 'ACTIVE', name: 'Sam Ode' }));
    });
    expect(events).toEqual([]);
  });

  test('pages follow the cursor to the end; garbage is refused', async () => {
    const seen: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query: Record<string, string> = cursor === '' ? { limit: '2' } : { limit: '2', cursor };
      const page = await world.call('dana', 'listUsers', query);
      seen.push(...must(page).list.map((user: { login: string }) => user.login));
      cursor = /cursor=([\w-]+)/.exec(String(page.headers.link))?.[1];
    }
    const all = must(await world.call('dana', 'listUsers', { limit: '500' })).list;
    expect(seen).toEqual(all.map((user: { login: string }) => user.login));
    for (const cursor of ['x', 'AAAA', '%00', `${'a'.repeat(48)}`])
      expect((await world.call('dana', 'listUsers', { cursor })).body.code).toBe('invalid_request');
  });

  test('whoami says roles and groups, and who issued the token', async () => {
    const made = must(
      await world.call(
        'dana',
        'createToken',
        {},
        {
          login: 'sam',
          name: 'for sam',
          expires_in_seconds: 600,
        },
      ),
    );
    const me = must(await world.call(made.token, 'whoami'));
    expect(me).toMatchObject({
      user: { login: 'sam' },
      team: 'demo',
      roles: ['end_user', 'security_admin'],
      groups: [
        { name: 'everyone', until: null },
        { name: 'security', until: null },
      ],
      token: { issued_by: { name: 'Dana Reyes' } },
    });
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
