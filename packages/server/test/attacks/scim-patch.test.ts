import { beforeAll, expect, it } from 'vitest';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  connect,
  ENTERPRISE,
  GROUP,
  membersOf,
  PATCH_OP,
  type Provider,
  USER,
  withCleanPrototypes,
} from '../scim/world.ts';

onBoth('tricks of a SCIM PATCH, and of bodies', (kit) => {
  withCleanPrototypes();
  const demo = withDemo(kit);
  let acme: Provider;
  let alice: string;
  let team: string;
  beforeAll(async () => {
    acme = await connect(demo, 'acme', ['department']);
    alice = await acme.user('alice@acme.test', { displayName: 'Alice' });
    team = await acme.group('Acme team', [alice]);
  });

  const deny = async (path: string, operations: readonly unknown[], scimType: string) => {
    const before = [(await acme.call('GET', path)).body, await membersOf(kit, team)];
    const { status, body } = await acme.patch(path, operations);
    expect([JSON.stringify(operations).slice(0, 100), status, body?.scimType]).toEqual([
      JSON.stringify(operations).slice(0, 100),
      400,
      scimType,
    ]);
    expect([(await acme.call('GET', path)).body, await membersOf(kit, team)]).toEqual(before);
  };

  it.each(['Users', 'Groups'])(
    'id, meta and schemas of %s stay what they are',
    async (resource) => {
      const path = `/${resource}/${resource === 'Users' ? alice : team}`;
      const other = demo.ids.users.dana;
      for (const [name, value] of [
        ['id', other],
        ['meta', { version: 'W/"9"' }],
        ['meta.created', 'x'],
        ['schemas', []],
      ] as const)
        for (const op of ['add', 'replace'])
          await deny(
            path,
            [{ op, path: name, value }],
            name === 'meta.created' && resource === 'Groups' ? 'invalidPath' : 'mutability',
          );
      await deny(
        path,
        [{ op: 'replace', value: { id: other, displayName: 'Taken' } }],
        'mutability',
      );
      await deny(path, [{ op: 'remove', path: 'id' }], 'mutability');
    },
  );

  it('one bad operation among good ones: none of them happened', async () => {
    const add = {
      op: 'add',
      path: 'members',
      value: [{ value: await acme.user('extra@acme.test') }],
    };
    await deny(`/Groups/${team}`, [add, { op: 'replace', path: 'nope', value: 1 }], 'invalidPath');
    await deny(
      `/Users/${alice}`,
      [
        { op: 'replace', path: 'title', value: 'X' },
        { op: 'move', path: 'title' },
      ],
      'invalidSyntax',
    );
  });

  it('the same operation twice, and its opposite, count in their order', async () => {
    const bo = await acme.user('bo@acme.test');
    const add = { op: 'add', path: 'members', value: [{ value: bo }, { value: bo }] };
    const remove = { op: 'remove', path: `members[value eq "${bo}"]` };
    await acme.patch(`/Groups/${team}`, [add, add, remove, add]);
    expect(await membersOf(kit, team)).toEqual(['alice@acme.test scim', 'bo@acme.test scim']);
    await acme.patch(`/Groups/${team}`, [remove, add, remove, remove]);
    expect(await membersOf(kit, team)).toEqual(['alice@acme.test scim']);
  });

  it('paths that lead elsewhere', async () => {
    for (const path of [
      'members[value eq "x"',
      'members[value eq "x"] or 1 eq 1',
      'members[type eq "User"]',
      'members.value',
      '',
      ' ',
      "displayName'; drop table users; --",
      '__proto__',
      '__proto__.polluted',
      'constructor.prototype.polluted',
      'members[__proto__.x eq 1]',
    ])
      await deny(
        `/Groups/${team}`,
        [
          {
            op: path.startsWith('members[') ? 'remove' : 'replace',
            path,
            value: path.startsWith('members[') ? undefined : 'x',
          },
        ],
        'invalidPath',
      );
    for (const path of [
      'password',
      'status',
      'manager_id',
      'roles.__proto__',
      '__proto__.polluted',
      `${ENTERPRISE}:__proto__.polluted`,
      'emails[constructor eq 1].value',
      'name[x eq 1]',
    ])
      await deny(`/Users/${alice}`, [{ op: 'replace', path, value: 'x' }], 'invalidPath');
  });

  it('names that lead to what all objects share, however deep: 400, and nothing is polluted', async () => {
    for (const name of [
      '__proto__',
      'constructor',
      '__PROTO__',
      `${ENTERPRISE}:__proto__.polluted`,
      `${ENTERPRISE}:constructor.prototype.polluted`,
    ]) {
      const inside = `{"schemas":["${USER}"],"userName":"p","${name}":{"polluted":1}}`;
      const deeper = `{"schemas":["${USER}"],"userName":"p","name":{"${name}":{"polluted":1}}}`;
      const patch = `{"schemas":["${PATCH_OP}"],"Operations":[{"op":"add","value":{"${name}":{"polluted":1}}}]}`;
      for (const text of [inside, deeper]) {
        expect((await acme.call('POST', '/Users', text)).status).toBe(400);
        expect((await acme.call('PUT', `/Users/${alice}`, text)).status).toBe(400);
      }
      expect((await acme.call('PATCH', `/Users/${alice}`, patch)).status).toBe(400);
      expect((await acme.call('PATCH', `/Groups/${team}`, patch)).status).toBe(400);
      const bulk = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":${inside}}]}`;
      expect((await acme.call('POST', '/Bulk', bulk)).status).toBe(400);
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('a bulk’s path is no filter', async () => {
    const path = '/Users/x" or __proto__.polluted eq "1';
    const body = await acme.must('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'DELETE', path }],
    });
    expect(body.Operations[0].status).toBe('404');
  });

  it('things of another type', async () => {
    for (const Operations of [
      null,
      {},
      [],
      ['x'],
      [null],
      [{ op: 1 }],
      [{ op: 'add' }],
      [{ op: 'remove' }],
      [{ op: 'add', path: 1, value: 1 }],
      [{ op: 'add', path: 'members', value: ['x'] }],
      [{ op: 'add', path: 'members', value: [{ value: 1 }] }],
      [{ op: 'add', path: 'members', value: [{ value: team, type: 'Group' }] }],
      [{ op: 'replace', value: [] }],
      [{ op: 'replace', path: 'displayName', value: { toString: 1 } }],
    ])
      expect(
        (await acme.call('PATCH', `/Groups/${team}`, { schemas: [PATCH_OP], Operations })).status,
      ).toBe(400);
    for (const body of [
      'null',
      '1',
      '"x"',
      '[]',
      '{',
      '',
      '{"schemas":"x"}',
      `{"schemas":["${GROUP}"],"userName":"x"}`,
      `{"schemas":["${USER}"],"userName":{"a":1}}`,
      `{"schemas":["${USER}"],"userName":["a"]}`,
      `{"schemas":["${USER}"],"userName":"ok","active":"perhaps"}`,
      `{"schemas":["${USER}"],"userName":"ok","emails":"x"}`,
      `{"schemas":["${USER}"],"userName":"ok","name":"x\\u0000"}`,
      `{"schemas":["${USER}"],"userName":"ok","displayName":"a\\u202eb"}`,
    ])
      expect([body, (await acme.call('POST', '/Users', body)).status]).toEqual([body, 400]);
  });

  it('huge and deep bodies are refused', async () => {
    const big = await acme.call('POST', '/Users', {
      schemas: [USER],
      userName: 'big',
      displayName: 'x'.repeat(1024 * 1024),
    });
    expect([big.status, big.body.status]).toEqual([413, '413']);
    const deep = await acme.call('POST', '/Users', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    expect(deep.status).toBe(400);
    const fat = await acme.call('POST', '/Users', {
      schemas: [USER],
      userName: 'fat',
      nickName: 'x'.repeat(40_000),
    });
    expect([fat.status, fat.body.scimType]).toEqual([400, 'invalidValue']);
    const Operations = Array.from({ length: 1001 }, () => ({
      op: 'replace',
      path: 'title',
      value: 'x',
    }));
    expect(
      (await acme.call('PATCH', `/Users/${alice}`, { schemas: [PATCH_OP], Operations })).status,
    ).toBe(400);
    expect((await acme.call('POST', '/Users', 'x', { 'content-type': 'text/plain' })).status).toBe(
      415,
    );
  });
});
