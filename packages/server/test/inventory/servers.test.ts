import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findServerByName, openCredential, serverFactsOf } from '../../src/inventory/index.ts';
import { HOST_KEY, INVENTORY, must, OTHER_KEY, World } from '../directory/world.ts';
import { onBoth } from '../kit/index.ts';

onBoth('servers', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
    must(await world.apply('sam', INVENTORY));
  });
  beforeEach(() => {
    world.hooked.length = 0;
  });
  afterAll(() => world.app.close());

  const place = { kind: 'Server', resource_group: 'demo', project: 'demo' };
  const add = async (hostname: string, more: object = {}) =>
    await world.apply('sam', [{ ...place, hostname, access_address: '10.0.0.9', ...more }]);
  const patch = async (by: string | null, hostname: string, body: object) =>
    await world.call(by, 'updateServer', { id: (await world.server(hostname)).id }, body);
  const setPassword = async (hostname: string, username: string, password: string, by = 'sam') =>
    await world.call(
      by,
      'setCredential',
      { id: (await world.server(hostname)).id, username },
      { credential: { type: 'password', password } },
    );
  const account = async (hostname: string, username: string) =>
    (await world.server(hostname)).accounts.find(
      (one: { username: string }) => one.username === username,
    );
  const opened = async (id: string) =>
    await kit.transact((tx) => openCredential(tx, world.keyring, id));

  describe('who may', () => {
    test.each(['ana', 'ben', 'dana', 'audrey', null])(
      'deny: %s changes, deletes or arms a server',
      async (by) => {
        const { id } = await world.server();
        const username = 'pamadmin1';
        const credential = { type: 'password', password: 'x' };
        const statuses = [
          await world.call(by, 'updateServer', { id }, { access_port: 1 }),
          await world.call(by, 'deleteServer', { id }),
          await world.call(by, 'setCredential', { id, username }, { credential }),
          await world.call(by, 'deleteAccount', { id, username }),
        ].map((answer) => answer.status);
        expect(new Set(statuses)).toEqual(new Set([by === null ? 401 : 403]));
        expect((await world.server()).access_port).toBe(2222);
      },
    );

    test('auditors read, others do not', async () => {
      const { id } = await world.server();
      for (const [by, status] of [
        ['audrey', 200],
        ['ana', 403],
        ['dana', 403],
      ] as const) {
        expect((await world.call(by, 'listInventory')).status).toBe(status);
        expect((await world.call(by, 'getInventoryServer', { id })).status).toBe(status);
        expect((await world.call(by, 'listResourceGroups')).status).toBe(status);
      }
    });

    test('resource groups show owners and projects', async () => {
      expect(must(await world.call('sam', 'listResourceGroups')).list).toMatchObject([
        { name: 'demo', owners: [{ name: 'Dana Reyes' }], projects: [{ name: 'demo' }] },
      ]);
    });
  });

  describe('names', () => {
    test('deny: one name for two servers, whichever of its names it is', async () => {
      const taken = ['opa-demo-linux', 'opa.example.com'];
      for (const name of taken) {
        const answers = [
          await add('new1', { alt_names: ['free', name] }),
          await add('new1', { canonical_name: name }),
        ];
        for (const answer of answers) expect(answer.body.code).toBe('state_conflict');
        expect(answers.map((answer) => answer.faults)).toEqual([
          ['/documents/0/alt_names/1 taken'],
          ['/documents/0/canonical_name taken'],
        ]);
      }
      expect((await add('opa.example.com')).faults).toEqual(['/documents/0/hostname taken']);
      must(await add('web1', { alt_names: ['web.example.com'] }));
      expect(
        (await patch('sam', 'opa-demo-linux', { hostname: 'web.example.com' })).faults,
      ).toEqual(['/hostname taken']);
      expect(must(await world.call('sam', 'listInventory', { hostname: 'new1' })).list).toEqual([]);
    });

    test('of two that ask for one name at once, one gets it', async () => {
      const answers = await Promise.all([
        add('race1', { alt_names: ['race'] }),
        add('race2', { canonical_name: 'race' }),
      ]);
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    });

    test('a server is found by each of its names, in any case; by no other text', async () => {
      const find = (name: string) => findServerByName(kit.db.sql, name);
      for (const name of ['web1', 'WEB1', 'Web.Example.com'])
        expect((await find(name))?.hostname).toBe('web1');
      for (const name of ['', 'web', 'web1 ', 'web%', 'w\u0000', '\ud800'])
        expect(await find(name)).toBeUndefined();
    });

    test('renaming frees the old name', async () => {
      must(await patch('sam', 'web1', { hostname: 'web2', alt_names: [] }));
      must(await add('web1'));
      expect(await findServerByName(kit.db.sql, 'web.example.com')).toBeUndefined();
    });
  });

  describe('what is written', () => {
    test('deny: system labels, certificates as host keys, unknown fields, hostile text', async () => {
      const faults = async (body: object) => (await patch('sam', 'web1', body)).faults;
      expect(await faults({ labels: { 'system.project': 'x' } })).toEqual([
        '/labels/system.project system_label',
      ]);
      expect(await faults({ host_keys: [HOST_KEY.replaceAll('A', '!')] })).toEqual([
        '/host_keys/0 malformed',
      ]);
      expect(await faults({ identity_revision: 1 })).toEqual(['/identity_revision unknown_field']);
      expect(await faults({ project: 'x' })).toEqual(['/project unknown_field']);
      expect((await patch('sam', 'web1', { state: 'DELETED' })).status).toBe(400);
      for (const text of ['a\u0000b', 'a\u202eb', '\ud800', '$(id)', '-oProxyCommand=x'])
        for (const body of [{ hostname: text }, { access_address: text }, { os_type: text }])
          expect((await patch('sam', 'web1', body)).body.code).toBe('invalid_request');
    });

    test('system labels follow what the server is', async () => {
      must(await patch('sam', 'web1', { os_type: 'bsd', labels: { env: 'test' } }));
      expect((await world.server('web1')).labels).toEqual({
        env: 'test',
        'system.os_type': 'bsd',
        'system.hostname': 'web1',
        'system.project': 'demo',
      });
    });

    test('a change bumps the revision and is in the log; no change does neither', async () => {
      const { id } = await world.server('web1');
      const body = { labels: { env: 'prod' } };
      expect(await world.eventsOf(() => patch('sam', 'web1', body))).toEqual(['pam.server.update']);
      expect(await world.eventsOf(() => patch('sam', 'web1', body))).toEqual([]);
      expect((await world.server('web1')).identity_revision).toBe(1);
      expect(await world.revision(id)).toBeGreaterThan(1);
    });
  });

  describe('credentials', () => {
    test('are sealed: no table holds them in the clear, no answer shows them', async () => {
      const answer = await setPassword('web1', 'deploy', 'very secret words');
      expect(must(answer)).toMatchObject({
        username: 'deploy',
        credential: 'password',
        usable: true,
      });
      expect(JSON.stringify(answer.body)).not.toContain('very secret words');
      expect(answer.headers['cache-control']).toBe('no-store');
      for (const table of ['accounts', 'account_secrets', 'audit_events', 'messages'] as const) {
        const rows = await kit.db.sql.selectFrom(table).selectAll().execute();
        expect(JSON.stringify(rows)).not.toMatch(/very secret words|first pass/);
      }
      const { id } = await account('web1', 'deploy');
      expect(await opened(id)).toMatchObject({
        ok: true,
        credential: { type: 'password', password: 'very secret words' },
        version: 1,
      });
    });

    test('deny: one that could not work, told without repeating it', async () => {
      const { id } = await world.server('web1');
      const set = (credential: object, username = 'deploy') =>
        world.call('sam', 'setCredential', { id, username }, { credential });
      expect((await set({ type: 'password', password: 'line\n' })).faults).toEqual([
        '/credential/password control_character',
      ]);
      const key = await set({ type: 'private_key', private_key: 'not a key at all' });
      expect(key.faults).toEqual(['/credential/private_key not_a_private_key']);
      expect(JSON.stringify(key.body)).not.toContain('not a key at all');
      expect((await set({ type: 'password', password: '' })).status).toBe(400);
      expect((await set({ type: 'none' })).status).toBe(400);
      const good = { type: 'password', password: 'x' };
      for (const username of ['Root', 'a b', '-x', 'a\u0000', 'ä'])
        expect((await set(good, username)).body.code).toBe('invalid_request');
    });

    test('a new version serves, the same one again changes nothing', async () => {
      const { id } = await account('web1', 'deploy');
      const events = await world.eventsOf(() => setPassword('web1', 'deploy', 'another one'));
      expect(events).toEqual(['pam.server_account.update']);
      expect(await world.eventsOf(() => setPassword('web1', 'deploy', 'another one'))).toEqual([]);
      expect(await opened(id)).toMatchObject({
        credential: { password: 'another one' },
        version: 2,
      });
    });

    test('deny: a vaulted username that is somebody’s own, and the reverse', async () => {
      expect((await setPassword('web1', 'ana', 'x')).body.code).toBe('state_conflict');
      const bare = await world.apply('sam', [
        { ...place, hostname: 'web1', access_address: '10.0.0.9', accounts: [{ username: 'ana' }] },
      ]);
      expect(bare.body.code).toBe('state_conflict');
      const user = { kind: 'User', login: 'deployer', name: 'D', unix_name: 'deploy' };
      expect((await world.apply('dana', [user])).faults).toEqual(['/documents/0/unix_name taken']);
      const later = [{ kind: 'User', login: 'ben', name: 'Ben Okoro', unix_name: 'deploy' }];
      expect((await world.apply('dana', later)).body.code).toBe('state_conflict');
    });

    test('of a vaulted username and a unix name at once, one is refused', async () => {
      for (const name of ['dual1', 'dual2', 'dual3']) {
        const answers = await Promise.all([
          setPassword('web1', name, 'x'),
          world.apply('dana', [{ kind: 'User', login: name, name, unix_name: name }]),
        ]);
        expect([name, ...answers.map((answer) => answer.status).sort()]).toEqual([name, 200, 409]);
      }
    });

    test('deny: a template that makes somebody’s own account of another’s, and the reverse', async () => {
      const person = (unix_name: string) =>
        world.apply('dana', [{ kind: 'User', login: unix_name, name: unix_name, unix_name }]);
      must(await person('sam-adm'));
      const template = { admin_account_template: '{unix_name}-adm' };
      expect((await patch('sam', 'web1', template)).body.code).toBe('state_conflict');
      must(await patch('sam', 'web1', { admin_account_template: 'adm-{unix_name}' }));
      expect((await person('adm-ana')).faults).toEqual(['/documents/0/unix_name taken']);
      expect((await person('adm-zoe')).status).toBe(200);
      expect((await person('zoe')).faults).toEqual(['/documents/0/unix_name taken']);
    });
  });

  describe('a moved server', () => {
    test.each([
      { access_address: '10.9.9.9' },
      { access_port: 2223 },
      { host_keys: [OTHER_KEY] },
      { host_keys: [] },
    ])(
      '%j: new identity, what was granted ends, credentials are sealed until entered again',
      async (body) => {
        must(await setPassword('opa-demo-linux', 'pamadmin1', 'first pass'));
        const before = await world.server();
        const { id } = await account('opa-demo-linux', 'pamadmin1');
        expect((await opened(id)).ok).toBe(true);
        must(await patch('sam', 'opa-demo-linux', body));
        const after = await world.server();
        expect(after.identity_revision).toBe(before.identity_revision + 1);
        expect(world.hooked).toEqual([`serverMoved ${after.id}`]);
        expect(after.accounts).toMatchObject([{ username: 'pamadmin1', usable: false }]);
        expect(await opened(id)).toEqual({ ok: false, reason: 'sealed' });
        must(await setPassword('opa-demo-linux', 'pamadmin1', 'first pass'));
        expect(await opened(id)).toMatchObject({ ok: true });
      },
    );

    test('moved back, it is still another one', async () => {
      const before = await world.server();
      must(await patch('sam', 'opa-demo-linux', { access_port: 2299 }));
      must(await patch('sam', 'opa-demo-linux', { access_port: before.access_port }));
      expect((await world.server()).identity_revision).toBe(before.identity_revision + 2);
      expect(await opened((await account('opa-demo-linux', 'pamadmin1')).id)).toEqual({
        ok: false,
        reason: 'sealed',
      });
    });
  });

  describe('a moved ciphertext', () => {
    test('of another account does not open, and is an event', async () => {
      must(await setPassword('web1', 'deploy', 'of deploy'));
      must(await setPassword('web1', 'backup2', 'of backup2'));
      const deploy = await account('web1', 'deploy');
      const other = await account('web1', 'backup2');
      const [row] = await kit.db.sql
        .selectFrom('account_secrets')
        .selectAll()
        .where('account_id', '=', other.id)
        .execute();
      await kit.db.sql
        .insertInto('account_secrets')
        .values({
          ...row!,
          account_id: deploy.id,
          version: 99,
          sealed: JSON.stringify(row!.sealed) as never,
        })
        .execute();
      const events = await world.eventsOf(async () => {
        expect(await opened(deploy.id)).toEqual({ ok: false, reason: 'mismatch' });
      });
      expect(events).toEqual(['pam.server_account.secret.mismatch']);
    });

    test('of an earlier identity does not open when its row is dressed up as a new one', async () => {
      const { id } = await account('web1', 'backup2');
      must(await patch('sam', 'web1', { access_port: 24 }));
      const { identity_revision } = await world.server('web1');
      await kit.db.sql
        .updateTable('account_secrets')
        .set({ server_identity_revision: identity_revision })
        .where('account_id', '=', id)
        .execute();
      expect(await opened(id)).toEqual({ ok: false, reason: 'mismatch' });
    });

    test('a row whose type was changed does not open', async () => {
      must(await setPassword('web1', 'typed', 'a password'));
      const { id } = await account('web1', 'typed');
      await kit.db.sql
        .updateTable('accounts')
        .set({ credential: 'private_key' })
        .where('id', '=', id)
        .execute();
      expect(await opened(id)).toEqual({ ok: false, reason: 'mismatch' });
    });
  });

  describe('removing', () => {
    test('an account: its secret is gone, its hook runs; made again it is another one', async () => {
      must(await setPassword('web2', 'gone', 'x'));
      const { id } = await account('web2', 'gone');
      const server = await world.server('web2');
      const at = { id: server.id, username: 'gone' };
      const events = await world.eventsOf(() => world.call('sam', 'deleteAccount', at));
      expect(events).toEqual(['pam.server_account.remove']);
      expect(world.hooked).toEqual([`accountRemoved ${id}`]);
      expect(await opened(id)).toEqual({ ok: false, reason: 'no_account' });
      const left = await kit.db.sql
        .selectFrom('account_secrets')
        .select('version')
        .where('account_id', '=', id)
        .execute();
      expect(left).toEqual([]);
      expect((await world.call('sam', 'deleteAccount', at)).status).toBe(404);
      must(await setPassword('web2', 'gone', 'x'));
      expect((await account('web2', 'gone')).id).not.toBe(id);
    });

    test('a server: accounts and names go with it; its id answers as one that never was', async () => {
      const server = await world.server('web2');
      must(await world.call('sam', 'deleteServer', { id: server.id }));
      expect(world.hooked).toEqual([
        `accountRemoved ${server.accounts[0].id}`,
        `serverRemoved ${server.id}`,
      ]);
      const gone = await world.call('sam', 'getInventoryServer', { id: server.id });
      const never = await world.call('sam', 'getInventoryServer', { id: kit.ids.uuid() });
      expect([gone.status, gone.body.detail]).toEqual([404, never.body.detail]);
      expect(
        (await world.call('sam', 'updateServer', { id: server.id }, { access_port: 1 })).status,
      ).toBe(404);
      expect(await serverFactsOf(kit.db.sql, [server.id])).toMatchObject([
        { state: 'DELETED', accounts: [] },
      ]);
      must(await add('web2'));
      expect((await world.server('web2')).id).not.toBe(server.id);
    });
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
