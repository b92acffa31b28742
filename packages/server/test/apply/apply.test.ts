import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOST_KEY, INVENTORY, must, OTHER_KEY, PEOPLE, World } from '../directory/world.ts';
import { onBoth } from '../kit/index.ts';

onBoth('apply', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
    must(
      await world.apply('dana', [
        { kind: 'Group', name: 'both', roles: ['security_admin', 'pam_admin'] },
      ]),
    );
    must(
      await world.apply('dana', [{ kind: 'User', login: 'root2', name: 'Both', groups: ['both'] }]),
    );
    await world.login('root2');
  });
  afterAll(() => world.app.close());

  const actions = async (by: string, documents: object[], dry = false): Promise<string[]> =>
    must(await world.apply(by, documents, dry)).changes.map(
      (change: { kind: string; name: string; action: string }) =>
        `${change.action} ${change.kind} ${change.name}`,
    );
  /** Everything the database holds but what only counts or waits. */
  const state = async (): Promise<string> => {
    const tables = [
      ...([
        'users',
        'groups',
        'memberships',
        'role_bindings',
        'group_owners',
        'resource_owners',
      ] as const),
      ...([
        'servers',
        'server_names',
        'accounts',
        'account_secrets',
        'projects',
        'audit_events',
      ] as const),
      ...(['service_user_owners', 'resource_groups', 'messages', 'revisions'] as const),
    ];
    const rows = [];
    for (const table of tables)
      rows.push(
        (await kit.db.sql.selectFrom(table).selectAll().execute())
          .map((row) => JSON.stringify({ ...row, seq: 0 }))
          .sort(),
      );
    return JSON.stringify(rows);
  };

  test.each(['ana', 'audrey', null])('deny: %s applies anything', async (by) => {
    const answer = await world.call(by, 'apply', {}, { documents: PEOPLE });
    expect(answer.status).toBe(by === null ? 401 : 403);
  });

  test('deny: a security_admin writes people, a pam_admin what policies select on; all of it is refused', async () => {
    const person = { kind: 'User', login: 'sam', name: 'Sam Ode', groups: ['owners', 'security'] };
    const before = await state();
    const bySam = await world.apply('sam', [...INVENTORY, person]);
    expect([bySam.status, bySam.body.code, bySam.faults]).toEqual([
      403,
      'not_permitted',
      ['/documents/2 not_permitted'],
    ]);
    const byDana = await world.apply('dana', [{ kind: 'SecurityPolicy', name: 'p' }, ...INVENTORY]);
    expect(byDana.faults).toHaveLength(3);
    expect(await state()).toBe(before);
  });

  test('a dry run answers what would change, and changes nothing', async () => {
    const before = await state();
    const documents = [
      ...PEOPLE,
      { kind: 'User', login: 'new', name: 'New', groups: ['security'] },
      ...INVENTORY,
    ];
    const dry = must(await world.apply('root2', documents, true));
    expect(dry.dry_run).toBe(true);
    expect(await state()).toBe(before);
    const wet = must(await world.apply('root2', documents));
    expect(wet.changes).toEqual(dry.changes);
    expect(await state()).not.toBe(before);
  });

  test('applied again, everything is unchanged and nothing is written but revisions', async () => {
    const documents = [...PEOPLE, ...INVENTORY];
    const events = await world.eventsOf(async () => {
      expect(
        new Set((await actions('root2', documents)).map((line) => line.split(' ')[0])),
      ).toEqual(new Set(['unchanged']));
    });
    expect(events).toEqual([]);
  });

  test('half of it never stays: the last document is wrong, the first is not applied', async () => {
    const before = await state();
    const refused = await world.apply('root2', [
      { kind: 'Group', name: 'fresh' },
      { kind: 'User', login: 'fresh', name: 'Fresh', groups: ['fresh'] },
      { ...INVENTORY[1], access_address: '10.0.0.7' },
      { kind: 'SecurityPolicy', name: 'p', wrong: true },
    ]);
    expect([refused.status, refused.body.code, refused.faults]).toEqual([
      422,
      'policy_invalid',
      ['/documents/3/rules/0 wrong'],
    ]);
    expect(refused.body.detail).toBe('SecurityPolicy p: It is wrong.');
    expect(await state()).toBe(before);
  });

  test('the order of documents does not matter', async () => {
    const documents = [
      { kind: 'SecurityPolicy', name: 'p1' },
      { kind: 'RequestType', name: 't1' },
      {
        kind: 'Server',
        resource_group: 'rg1',
        project: 'p1',
        hostname: 'h1',
        access_address: '10.0.0.1',
      },
      { kind: 'ResourceGroup', name: 'rg1', owners: ['u1'], projects: ['p1'] },
      { kind: 'User', login: 'u1', name: 'U1', manager: 'u2', groups: ['g1'] },
      { kind: 'User', login: 'u2', name: 'U2', manager: 'u1' },
      { kind: 'User', login: 'bot1', name: 'Bot', type: 'service', owners: ['u1'] },
      { kind: 'Group', name: 'g1', owners: ['u2'], roles: ['auditor'] },
    ];
    world.applied.length = 0;
    expect(await actions('root2', documents)).toEqual(
      documents.map(
        (d) =>
          `create ${d.kind} ${d.name !== undefined && d.kind !== 'User' ? d.name : (d.login ?? d.hostname)}`,
      ),
    );
    expect(world.applied).toEqual([{ name: 't1' }, { name: 'p1' }]);
    const [u1, u2] = [await world.user('u1'), await world.user('u2')];
    expect([u1, u2]).toMatchObject([{ manager_id: u2.id }, { manager_id: u1.id }]);
    expect(new Set(await actions('root2', documents.slice(2).reverse()))).toEqual(
      new Set(
        documents
          .slice(2)
          .map(
            (d) => `unchanged ${d.kind} ${d.kind === 'User' ? d.login : (d.name ?? d.hostname)}`,
          ),
      ),
    );
  });

  test('what is not named is not touched; direct memberships are named all or not at all', async () => {
    must(await world.apply('dana', [{ kind: 'User', login: 'u1', name: 'U One' }]));
    expect(await world.user('u1')).toMatchObject({
      name: 'U One',
      manager_id: (await world.user('u2')).id,
    });
    const groups = async () => {
      await world.login('u1');
      return must(await world.call('u1', 'whoami')).groups.map(
        (group: { name: string }) => group.name,
      );
    };
    expect(await groups()).toEqual(['everyone', 'g1']);
    const { changes } = must(
      await world.apply('dana', [
        { kind: 'User', login: 'u1', name: 'U One', groups: ['linux-approvers'] },
      ]),
    );
    expect(changes[0].details).toEqual(['joins linux-approvers', 'leaves g1']);
    expect(await groups()).toEqual(['everyone', 'linux-approvers']);
    must(await world.apply('root2', [{ ...INVENTORY[1], accounts: [] }]));
    expect((await world.server()).accounts).toHaveLength(1);
  });

  test('what changes is told without any secret; a moved server is announced', async () => {
    const [, server] = INVENTORY;
    const accounts = [
      { username: 'pamadmin1', credential: { type: 'password', password: 'second pass' } },
    ];
    const documents = [
      { ...server, access_port: 2244, host_keys: [HOST_KEY, OTHER_KEY], accounts },
    ];
    const { changes } = must(await world.apply('sam', documents));
    expect(changes[0].details).toMatchObject([
      'access_port: 2222 → 2244',
      expect.stringMatching(/^host key added: SHA256:/),
      'new identity: approvals and sessions end, credentials must be entered again',
      'credential of pamadmin1: a new password is sealed',
    ]);
    expect(JSON.stringify(changes)).not.toContain('second pass');
    expect((await world.server()).accounts).toMatchObject([{ usable: true }]);
  });

  test('an account without a credential keeps the one it has, and is unusable while it has none', async () => {
    const [, server] = INVENTORY;
    const names = [{ username: 'pamadmin1' }, { username: 'fresh' }];
    must(
      await world.apply('sam', [
        { ...server, access_port: 2244, host_keys: [HOST_KEY, OTHER_KEY], accounts: names },
      ]),
    );
    expect((await world.server()).accounts).toMatchObject([
      { username: 'fresh', credential: 'certificate', usable: false },
      { username: 'pamadmin1', credential: 'password', usable: true },
    ]);
  });

  test('a server moves between projects, and its label with it', async () => {
    must(await world.apply('sam', [{ kind: 'ResourceGroup', name: 'rg2', projects: ['p2'] }]));
    const moved = {
      kind: 'Server',
      resource_group: 'rg2',
      project: 'p2',
      hostname: 'h1',
      access_address: '10.0.0.1',
    };
    const { changes } = must(await world.apply('sam', [moved]));
    expect(changes[0].details).toEqual(['project: p1 → p2']);
    expect((await world.server('h1')).labels['system.project']).toBe('p2');
  });

  test('deny: what people must not change afterwards, and references to nobody', async () => {
    const refused = async (document: object) => (await world.apply('root2', [document])).faults;
    const user = { kind: 'User', login: 'ana', name: 'Ana Lima' };
    expect(await refused({ ...user, unix_name: 'other' })).toEqual([
      '/documents/0/unix_name immutable',
    ]);
    expect(await refused({ ...user, type: 'service' })).toEqual(['/documents/0/type immutable']);
    expect(await refused({ ...user, groups: ['nowhere'] })).toEqual([
      '/documents/0/groups/0 unknown_group',
    ]);
    expect(await refused({ ...user, manager: 'nobody' })).toEqual([
      '/documents/0/manager unknown_user',
    ]);
    expect(await refused({ ...user, owners: ['dana'] })).toEqual(['/documents/0/owners human']);
    expect(await refused({ kind: 'Group', name: 'g1', owners: ['dana', 'nobody'] })).toEqual([
      '/documents/0/owners/1 unknown_user',
    ]);
    expect(
      await refused({ kind: 'ResourceGroup', name: 'rg1', owners: ['nobody'], projects: ['p1'] }),
    ).toEqual(['/documents/0/owners/0 unknown_user']);
    expect(await refused({ ...INVENTORY[1], project: 'nowhere' })).toEqual([
      '/documents/0/project unknown_project',
    ]);
    const bot = { kind: 'User', login: 'bot2', name: 'Bot', type: 'service' };
    expect(await refused({ ...bot, owners: ['bot1'] })).toEqual([
      '/documents/0/owners not_a_person',
    ]);
  });

  test.each(['root', 'sshd', 'postgres', 'Ana', 'a b', '1a', 'pamadmin1', 'ana', 'a\u0000'])(
    'deny: %j as a new person’s unix name',
    async (unix_name) => {
      const answer = await world.apply('dana', [
        { kind: 'User', login: 'fay', name: 'Fay', unix_name },
      ]);
      expect(answer.faults[0]).toMatch(/^\/documents\/0\/unix_name /);
    },
  );

  test('hostile text is refused wherever it is a name', async () => {
    for (const text of ['a\u0000b', 'a\u202eb', '\ud800', 'a\u001b[2J', ' ', '../x ', 'a\nb']) {
      const documents = [
        { kind: 'Group', name: text },
        { kind: 'User', login: text, name: 'x' },
        { kind: 'User', login: 'fay', name: text },
        { kind: 'User', login: 'fay', name: 'x', attributes: { [text]: 'x' } },
        { kind: 'User', login: 'fay', name: 'x', attributes: { x: text } },
        { kind: 'User', login: 'fay', name: 'x', groups: [text] },
        { kind: 'ResourceGroup', name: text, projects: ['x'] },
        { kind: 'ResourceGroup', name: 'x', projects: [text] },
        { ...INVENTORY[1], hostname: text },
        { ...INVENTORY[1], project: text },
        { ...INVENTORY[1], accounts: [{ username: text }] },
      ];
      for (const document of documents) {
        const answer = await world.apply('root2', [document]);
        expect([JSON.stringify(document), answer.status, answer.body.code]).toEqual([
          JSON.stringify(document),
          400,
          'invalid_request',
        ]);
      }
    }
  });

  test('many at once: a hundred people and servers, in one transaction', async () => {
    const documents = Array.from({ length: 50 }, (_, i) => [
      {
        kind: 'User',
        login: `many${i}`,
        name: `Many ${i}`,
        manager: 'dana',
        groups: ['linux-approvers'],
      },
      { ...INVENTORY[1], hostname: `many${i}`, alt_names: [`many${i}.example.com`] },
    ]).flat();
    expect(new Set((await actions('root2', documents)).map((line) => line.split(' ')[0]))).toEqual(
      new Set(['create']),
    );
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
