import { beforeAll, describe, expect, it } from 'vitest';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  call,
  connect,
  ENTERPRISE,
  GROUP,
  membersOf,
  type Provider,
  providerOf,
  USER,
  userRow,
  withCleanPrototypes,
} from '../scim/world.ts';

onBoth('SCIM, attacked', (kit) => {
  withCleanPrototypes();
  const demo = withDemo(kit);
  let acme: Provider;
  let evil: Provider;
  let alice: string;
  let team: string;
  beforeAll(async () => {
    acme = await connect(demo, 'acme', ['department']);
    evil = await connect(demo, 'evil', ['manager', 'department']);
    alice = await acme.user('alice@acme.test', { displayName: 'Alice' });
    team = await acme.group('Acme team', [alice]);
  });
  const admin = (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ) => demo.service.call(demo.tokens.pat, method, path, body);

  describe('who calls', () => {
    it('deny: nobody, a person’s token, a made-up one, one with something around it', async () => {
      const made = `pst_${'0'.repeat(32)}_${'A'.repeat(43)}`;
      for (const token of [undefined, demo.tokens.pat, made, `${acme.token}x`, 'x'])
        for (const path of [
          '/Users',
          '/Groups',
          `/Users/${alice}`,
          '/Schemas',
          '/ServiceProviderConfig',
        ]) {
          const { status, body, headers } = await call(demo, token, 'GET', path);
          expect([status, body.status, headers['www-authenticate']]).toEqual([
            401,
            '401',
            'Bearer',
          ]);
        }
      const post = await call(demo, demo.tokens.pat, 'POST', '/Users', {
        schemas: [USER],
        userName: 'x',
      });
      expect(post.status).toBe(401);
    });

    it('deny: a connection’s token opens nothing but SCIM', async () => {
      for (const path of ['/whoami', '/users', '/scim_connections'])
        expect(codeOf(await demo.service.call(acme.token, 'GET', path))).toBe('unauthenticated');
    });

    it('deny: the token before, once it is rotated', async () => {
      const one = await connect(demo, 'rotated');
      const made = (await admin('POST', `/scim_connections/${one.id}/token`)).json();
      expect((await one.call('GET', '/Users')).status).toBe(401);
      expect((await providerOf(demo, one.id, made.token).call('GET', '/Users')).status).toBe(200);
    });

    it('deny: a revoked connection, also in the middle of a bulk', async () => {
      const one = await connect(demo, 'revoked');
      const id = await one.user('revoked-user');
      expect((await admin('DELETE', `/scim_connections/${one.id}`)).statusCode).toBe(204);
      for (const [method, path] of [
        ['GET', '/Users'],
        ['DELETE', `/Users/${id}`],
        ['POST', '/Bulk'],
      ] as const)
        expect((await one.call(method, path, method === 'POST' ? {} : undefined)).status).toBe(401);
      expect((await userRow(kit, id)).status).toBe('ACTIVE');
      expect(codeOf(await admin('POST', `/scim_connections/${one.id}/token`))).toBe(
        'state_conflict',
      );
    });

    it('the secret of a connection is in no row, event or line of the log', async () => {
      const rows = await kit.db.sql.selectFrom('scim_tokens').selectAll().execute();
      const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
      const list = (await admin('GET', '/scim_connections')).body;
      expect(JSON.stringify([rows, events]) + list + demo.service.lines.join('')).not.toContain(
        acme.token,
      );
    });
  });

  describe('of others', () => {
    it('another connection’s users and groups, and local ones, are not there', async () => {
      const local = [demo.ids.users.dana, demo.ids.groups['linux-users']];
      for (const id of [alice, team, ...local])
        for (const resource of ['Users', 'Groups']) {
          const path = `/${resource}/${id}`;
          const op = [{ op: 'replace', path: 'displayName', value: 'Mine' }];
          const put = {
            schemas: [resource === 'Users' ? USER : GROUP],
            userName: 'x',
            displayName: 'x',
          };
          expect((await evil.call('GET', path)).status).toBe(404);
          expect((await evil.patch(path, op)).status).toBe(404);
          expect((await evil.call('PUT', path, put)).status).toBe(404);
          expect((await evil.call('DELETE', path)).status).toBe(404);
        }
      for (const filter of [`id eq "${alice}"`, 'userName sw "a"', `userName eq "dana"`])
        expect((await evil.find('Users', filter)).body.totalResults).toBe(0);
    });

    it('none of them becomes a member of its groups', async () => {
      const group = await evil.group('evil group');
      for (const value of [alice, demo.ids.users.dana, demo.ids.users.pat, 'no-id', team]) {
        const { status, body } = await evil.patch(`/Groups/${group}`, [
          { op: 'add', path: 'members', value: [{ value }] },
        ]);
        expect([status, body.scimType]).toEqual([400, 'invalidValue']);
      }
      const made = await evil.call('POST', '/Groups', {
        schemas: [GROUP],
        displayName: 'evil two',
        members: [{ value: alice }],
      });
      expect(made.body.scimType).toBe('invalidValue');
      expect((await evil.find('Groups', 'displayName eq "evil two"')).body.totalResults).toBe(0);
      expect(await membersOf(kit, group)).toEqual([]);
    });

    it('nobody is adopted by login, by case or by e-mail', async () => {
      const dana = await userRow(kit, demo.ids.users.dana!);
      for (const userName of ['dana', 'DANA', 'alice@acme.test', 'Alice@Acme.test']) {
        const { status, body } = await evil.call('POST', '/Users', { schemas: [USER], userName });
        expect([userName, status, body.scimType]).toEqual([userName, 409, 'uniqueness']);
      }
      const emails = [{ value: dana.email ?? 'dana@example.com', primary: true }];
      const made = await evil.user('somebody', { emails });
      expect(made).not.toBe(dana.id);
      expect(await userRow(kit, dana.id)).toEqual(dana);
      const rename = await evil.patch(`/Users/${made}`, [
        { op: 'replace', path: 'userName', value: 'dana' },
      ]);
      expect([rename.status, rename.body.scimType]).toEqual([409, 'uniqueness']);
    });

    it('a manager is nobody’s of another connection, nor a local person', async () => {
      for (const value of [alice, demo.ids.users.dana, 'dana']) {
        const id = await evil.user(`managed-${String(value).slice(-6)}`, {
          [ENTERPRISE]: { manager: { value } },
        });
        expect((await userRow(kit, id)).manager_id).toBeNull();
      }
    });
  });

  it('look-alike userNames are refused: other scripts, full width, invisible characters', async () => {
    for (const userName of [
      'dаna',
      'ｄana',
      'da\u200bna',
      'dana ',
      ' dana',
      'da\u0000na',
      'dana@a@b',
      '../dana',
      'ﬁnn',
      'ſam',
      'İan',
      'Kelvin\u212a',
    ]) {
      const { status } = await evil.call('POST', '/Users', { schemas: [USER], userName });
      expect([userName, status]).toEqual([userName, 400]);
    }
  });

  describe('a pushed group', () => {
    it('never takes a local one by its name, nor by another way of writing it', async () => {
      for (const displayName of ['linux-users', 'everyone', 'Acme team']) {
        const { status, body } = await evil.call('POST', '/Groups', {
          schemas: [GROUP],
          displayName,
        });
        expect([displayName, status, body.scimType]).toEqual([displayName, 409, 'uniqueness']);
      }
      for (const displayName of ['ｌinux-users', 'linux-users ', 'linux\u200b-users', ''])
        expect((await evil.call('POST', '/Groups', { schemas: [GROUP], displayName })).status).toBe(
          400,
        );
      const own = await evil.group('harmless');
      const { status } = await evil.patch(`/Groups/${own}`, [
        { op: 'replace', value: { displayName: 'linux-users' } },
      ]);
      expect(status).toBe(409);
    });

    it('is read-only here: nobody adds, removes or applies a member, and is told who pushes it', async () => {
      const dana = demo.ids.users.dana;
      for (const response of [
        await admin('PUT', `/groups/${team}/users/${dana}`),
        await admin('DELETE', `/groups/${team}/users/${alice}`),
        await admin('POST', '/apply', {
          documents: [
            { kind: 'User', login: 'dana', name: 'Dana Reyes', groups: ['everyone', 'Acme team'] },
          ],
        }),
      ]) {
        expect(codeOf(response)).toBe('state_conflict');
        expect(response.json().detail).toContain('acme pushes the group Acme team');
      }
      expect(await membersOf(kit, team)).toEqual(['alice@acme.test scim']);
    });

    it('is taken over only when linked, keeps who was in it, and by that connection alone', async () => {
      await apply(demo, 'pat', [{ kind: 'Group', name: 'old-timers' }]);
      const id = (await admin('GET', '/groups?name=old-timers')).json().list[0].id;
      expect((await admin('PUT', `/groups/${id}/users/${demo.ids.users.dana}`)).statusCode).toBe(
        204,
      );
      const body = { schemas: [GROUP], displayName: 'old-timers', members: [{ value: alice }] };
      expect((await acme.call('POST', '/Groups', body)).status).toBe(409);
      const linked = await admin('POST', `/scim_connections/${acme.id}/groups`, {
        group: 'old-timers',
      });
      expect(linked.json()).toMatchObject({ id, source: 'local' });
      expect(
        (await evil.call('POST', '/Groups', { schemas: [GROUP], displayName: 'old-timers' }))
          .status,
      ).toBe(409);
      expect((await acme.must('POST', '/Groups', body)).id).toBe(id);
      expect(await membersOf(kit, id)).toEqual(['alice@acme.test scim', 'dana direct']);
      expect((await admin('GET', '/groups?name=old-timers')).json().list[0].source).toBe('scim');
      const gone = await acme.patch(`/Groups/${id}`, [
        { op: 'replace', path: 'members', value: [] },
      ]);
      expect(gone.status).toBe(204);
      expect(await membersOf(kit, id)).toEqual(['dana direct']);
    });
  });

  describe('masters', () => {
    it('what a connection masters nobody changes here, and is told which it is', async () => {
      for (const body of [{ name: 'Other' }, { email: 'other@example.com' }]) {
        const response = await admin('PATCH', `/users/${alice}`, body);
        expect(codeOf(response)).toBe('state_conflict');
        expect(response.json().detail).toContain('acme masters this user');
      }
      const managed = await evil.user('managed@evil.test');
      for (const [login, name, more] of [
        ['alice@acme.test', 'Alice', { attributes: { department: 'Mine' } }],
        ['alice@acme.test', 'Malice', {}],
        ['managed@evil.test', 'managed@evil.test', { manager: 'dana' }],
      ] as const) {
        const response = await admin('POST', '/apply', {
          documents: [{ kind: 'User', login, name, ...more }],
        });
        expect(codeOf(response)).toBe('state_conflict');
      }
      expect(
        codeOf(await admin('PATCH', `/users/${managed}`, { manager_id: demo.ids.users.dana })),
      ).toBe('state_conflict');
    });

    it('manager and attributes are believed only where the connection is authoritative', async () => {
      const boss = await acme.user('boss@acme.test');
      const id = await acme.user('minion@acme.test', {
        title: 'Root',
        [ENTERPRISE]: { department: 'Platform', division: 'Security', manager: { value: boss } },
      });
      expect(await userRow(kit, id)).toMatchObject({
        manager_id: null,
        attributes: { department: 'Platform' },
      });
    });

    it('what a connection is no longer believed is forgotten at once', async () => {
      const one = await connect(demo, 'doubted', ['manager', 'department', 'title']);
      const boss = await one.user('doubted-boss');
      const id = await one.user('doubted-user', {
        title: 'Engineer',
        [ENTERPRISE]: { department: 'Platform', manager: { value: boss } },
      });
      expect((await userRow(kit, id)).manager_id).toBe(boss);
      const said = await admin('PATCH', `/scim_connections/${one.id}`, {
        authoritative: ['title'],
      });
      expect(said.json().authoritative).toEqual(['title']);
      expect(await userRow(kit, id)).toMatchObject({
        manager_id: null,
        attributes: { title: 'Engineer' },
      });
    });

    it('whom an administrator disabled the provider does not enable, nor the other way round', async () => {
      const id = await acme.user('paused@acme.test');
      expect((await admin('PATCH', `/users/${id}`, { status: 'DISABLED' })).statusCode).toBe(200);
      for (const value of [true, false, true])
        expect(
          (await acme.patch(`/Users/${id}`, [{ op: 'replace', value: { active: value } }])).body
            .active,
        ).toBe(false);
      expect((await admin('PATCH', `/users/${id}`, { status: 'ACTIVE' })).statusCode).toBe(200);
      await acme.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]);
      const enabled = await admin('PATCH', `/users/${id}`, { status: 'ACTIVE' });
      expect(codeOf(enabled)).toBe('state_conflict');
      expect(enabled.json().detail).toContain('acme says');
    });

    it('once the connection is revoked, its users and groups are changed here again', async () => {
      const one = await connect(demo, 'short-lived');
      const id = await one.user('orphan');
      const group = await one.group('orphans', [id]);
      await admin('DELETE', `/scim_connections/${one.id}`);
      expect((await admin('PATCH', `/users/${id}`, { name: 'Orphan' })).statusCode).toBe(200);
      expect((await admin('DELETE', `/groups/${group}/users/${id}`)).statusCode).toBe(204);
    });
  });

  it('the last pam_admin is not removed: not by leaving, deleting the group, disabling or deleting him', async () => {
    const boss = await acme.user('root@acme.test');
    const group = await acme.group('Acme admins', [boss]);
    await apply(demo, 'pat', [
      { kind: 'Group', name: 'Acme admins', roles: ['pam_admin'], privileged_sources: ['scim'] },
    ]);
    // Whoever else holds it loses it: what is left is what was pushed.
    const others = await kit.db.sql
      .selectFrom('role_bindings')
      .select('id')
      .where('role', '=', 'pam_admin')
      .where('group_id', '<>', group)
      .execute();
    const ids = others.map((row) => row.id);
    const kept = await kit.db.sql
      .selectFrom('role_bindings')
      .selectAll()
      .where('id', 'in', ids)
      .execute();
    await kit.db.sql.deleteFrom('role_bindings').where('id', 'in', ids).execute();
    for (const answer of [
      await acme.patch(`/Groups/${group}`, [{ op: 'remove', path: `members[value eq "${boss}"]` }]),
      await acme.patch(`/Groups/${group}`, [{ op: 'remove', path: 'members' }]),
      await acme.call('PUT', `/Groups/${group}`, { schemas: [GROUP], displayName: 'Acme admins' }),
      await acme.call('DELETE', `/Groups/${group}`),
      await acme.patch(`/Users/${boss}`, [{ op: 'replace', value: { active: false } }]),
      await acme.call('DELETE', `/Users/${boss}`),
    ]) {
      expect([answer.status, answer.body.detail]).toEqual([
        409,
        expect.stringContaining('pam_admin'),
      ]);
    }
    expect(await membersOf(kit, group)).toEqual(['root@acme.test scim']);
    expect((await userRow(kit, boss)).status).toBe('ACTIVE');
    await kit.db.sql.insertInto('role_bindings').values(kept).execute();
  });
});
