import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { ANA, at, id } from '../fake/things.ts';

const { service, admin } = script();

describe('sft-admin users and groups', () => {
  const ENGINEERS = {
    ...{ id: id(12), name: 'engineers', source: 'local', roles: [], owners: [] },
    ...{ privileged_by: [] as string[], privileged_sources: [] as string[] },
  };
  const known = () =>
    service()
      .on('listUsers', () => ({ body: { list: [ANA.user] } }))
      .on('listGroups', () => ({ body: { list: [ENGINEERS] } }));

  test('disable by login', async () => {
    known().on('updateUser', () => ({ body: { ...ANA.user, status: 'DISABLED' } }));
    const { out } = await admin('users disable ana@example.com');
    expect(out).toBe('ana@example.com is DISABLED.\n');
    expect(service().last('updateUser').body).toEqual({ status: 'DISABLED' });
  });

  test('a login that only begins alike is not disabled: 77', async () => {
    known();
    expect((await admin('users disable ana')).exit).toBe(EXIT.refused);
    expect(service().asked).toEqual(['listUsers']);
  });

  const CODE = `pin_${'A'.repeat(43)}`;
  const INVITATION = { code: CODE, url: `https://p.test/invite/${CODE}`, expires_at: at(1440) };

  test('invite: the link alone on stdout', async () => {
    known().on('createInvitation', () => ({ status: 201, body: INVITATION }));
    const { out, err } = await admin('users invite ana@example.com');
    expect(out).toBe(`${INVITATION.url}\n`);
    expect(err).toMatch(/^Send this to .+ alone\. It opens once, until .+\n$/);
    expect(service().last('createInvitation').params).toMatchObject({ id: id(10) });
  });

  test('invite: a service that knows no URL of its own is reached by the one that was asked', async () => {
    known().on('createInvitation', () => ({ status: 201, body: { ...INVITATION, url: null } }));
    const { out } = await admin('users invite ana@example.com');
    expect(out).toMatch(new RegExp(`^https?://\\S+/invite/${CODE}\n$`));
  });

  test('reset the second factors by login', async () => {
    known().on('resetFactors', () => ({ status: 204 }));
    const { out } = await admin('users reset-factors ana@example.com');
    expect(out).toContain('second factors of ana@example.com are removed');
    expect(service().last('resetFactors').params).toMatchObject({ id: id(10) });
  });

  test('link: by issuer and subject, both or nothing; and unlink', async () => {
    known()
      .on('linkIdentity', () => ({ status: 204 }))
      .on('unlinkIdentity', () => ({ status: 204 }));
    const link = 'users link ana@example.com --issuer https://idp.test';
    expect((await admin(link)).exit).toBe(EXIT.usage);
    const { out } = await admin(`${link} --subject 00u1`);
    expect(out).toBe('ana@example.com is 00u1 at https://idp.test.\n');
    expect(service().last('linkIdentity')).toMatchObject({
      params: { id: id(10) },
      body: { issuer: 'https://idp.test', subject: '00u1' },
    });
    expect((await admin('users unlink ana@example.com')).out).toContain('no identity provider');
    expect(service().last('unlinkIdentity').params).toMatchObject({ id: id(10) });
  });

  test('add and remove a member', async () => {
    known()
      .on('addGroupMember', () => ({ status: 204 }))
      .on('removeGroupMember', () => ({ status: 204 }));
    const added = await admin('groups add engineers ana@example.com');
    expect(added.out).toBe('ana@example.com is in engineers.\n');
    expect(service().last('addGroupMember').params).toMatchObject({ id: id(12), user_id: id(10) });
    const removed = await admin('groups remove engineers ana@example.com');
    expect(removed.out).toBe('ana@example.com is not in engineers.\n');
  });

  test('members, with their source and end', async () => {
    known().on('listGroupMembers', () => ({
      body: {
        list: [
          {
            id: id(1),
            user: { id: id(10), name: 'Ana' },
            source: 'request',
            request_id: id(50),
            expires_at: at(5),
          },
        ],
      },
    }));
    expect((await admin('groups members engineers')).out).toMatch(/Ana +request +\S+ +2026-/);
  });

  test('owners: those that are named, by login, and no other', async () => {
    known().on('setGroupOwners', ({ body }) => ({
      body: {
        ...ENGINEERS,
        owners: body.owners.map((owner: string) => ({ id: owner, name: 'Ana' })),
      },
    }));
    const { out } = await admin('groups owners engineers ana@example.com');
    expect(out).toBe('engineers is owned by Ana.\n');
    expect(service().last('setGroupOwners').body).toEqual({ owners: [id(10)] });
    expect((await admin('groups owners engineers')).out).toBe('Nobody owns engineers.\n');
    expect(service().last('setGroupOwners').body).toEqual({ owners: [] });
  });

  test('sources: those that are given, and no other', async () => {
    const privileged_by = ['role auditor'];
    known().on('setGroupSources', ({ body }) => ({
      body: { ...ENGINEERS, privileged_by, privileged_sources: body.sources },
    }));
    const named = await admin('groups sources engineers --allow scim --allow rule');
    expect(service().last('setGroupSources').body).toEqual({ sources: ['scim', 'rule'] });
    expect(named.out).toBe(
      'engineers is privileged: role auditor.\nMay also add members: scim, rule.\n',
    );
    await admin('groups sources engineers --none');
    expect(service().last('setGroupSources').body).toEqual({ sources: [] });
  });

  test.each(['', ' --allow scim --none', ' --allow direct'])(
    'sources%s: says neither or both, or what is none: 64, and asks nothing',
    async (words) => {
      expect((await admin(`groups sources engineers${words}`)).exit).toBe(EXIT.usage);
      expect(service().asked).toEqual([]);
    },
  );

  test('list: says which are privileged, and by what they may be filled', async () => {
    service().on('listGroups', () => ({
      body: {
        list: [ENGINEERS, { ...ENGINEERS, privileged_by: ['x'], privileged_sources: ['rule'] }],
      },
    }));
    const { out } = await admin('groups list');
    expect(out).toMatch(/PRIVILEGED.*\nengineers .* - .*\nengineers .* yes, rule /);
  });
});

describe('sft-admin group-rules', () => {
  const RULE = {
    ...{ id: id(80), name: 'platform', group: { id: id(12), name: 'engineers' } },
    ...{ when: 'department eq "Platform"', created_at: at(0), updated_at: at(0) },
  };
  const GROUP = {
    ...{ id: id(12), name: 'engineers', source: 'local', roles: [], owners: [] },
    ...{ privileged_by: [] as string[], privileged_sources: [] as string[] },
  };

  test('list and show', async () => {
    service()
      .on('listGroupRules', () => ({ body: { list: [RULE] } }))
      .on('getGroupRule', () => ({ body: RULE }));
    expect((await admin('group-rules list')).out).toMatch(/platform +engineers +department eq/);
    expect((await admin('group-rules show platform')).out).toContain('Group:    engineers\n');
    expect(service().last('listGroupRules').query).toMatchObject({ name: 'platform' });
  });

  test('create, update and delete by name', async () => {
    service()
      .on('listGroups', () => ({ body: { list: [GROUP] } }))
      .on('listGroupRules', () => ({ body: { list: [RULE] } }))
      .on('createGroupRule', () => ({ status: 201, body: RULE }))
      .on('updateGroupRule', () => ({ body: RULE }))
      .on('deleteGroupRule', () => ({ status: 204 }));
    await admin(['group-rules', 'create', 'platform', '--group', 'engineers', '--when', RULE.when]);
    expect(service().last('createGroupRule').body).toEqual({
      ...{ name: 'platform', group_id: id(12), when: RULE.when },
    });
    await admin(['group-rules', 'update', 'platform', '--when', 'login pr']);
    expect(service().last('updateGroupRule').body).toEqual({ when: 'login pr' });
    const { out } = await admin('group-rules delete platform');
    expect(out).toBe('platform is gone; nobody is in engineers by it.\n');
  });

  test.each(['create platform', 'create platform --group x', 'update platform'])(
    '%s: lacks something: 64, and asks nothing',
    async (words) => {
      expect((await admin(`group-rules ${words}`)).exit).toBe(EXIT.usage);
      expect(service().asked).toEqual([]);
    },
  );

  test('a rule that is not there: 77', async () => {
    service().on('listGroupRules', () => ({ body: { list: [] } }));
    expect((await admin('group-rules delete nope')).exit).toBe(EXIT.refused);
  });
});
