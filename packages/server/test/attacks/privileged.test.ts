import { expect, it } from 'vitest';
import { joinGroup } from '../../src/directory/service-memberships.ts';
import { json } from '../../src/platform/columns.ts';
import { bumpRevisions } from '../../src/platform/locks.ts';
import { codeOf, makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { BY, privileges } from './privileged.ts';

const MEMBERSHIP_TYPE = {
  kind: 'RequestType',
  purpose: 'group_membership',
  audience: 'everyone',
  fields: [{ key: 'until', prompt: 'Until when?', type: 'date', required: true }],
};

onBoth('attack 12: into a privileged group by a way that nobody named', (kit) => {
  const demo = withDemo(kit);
  const { group, user, fresh, newGroup, call, put, joins, sources, events, staff, ...more } =
    privileges(kit, demo);
  const { serverType, asking, policy, asked, WAYS, ways } = more;

  it.each(ways)('%s: nobody joins by scim or rule; an admin still adds', async (way) => {
    must(await WAYS[way]());
    const before = await events();
    for (const source of ['scim', 'rule'] as const)
      await expect(joins(source)).rejects.toMatchObject({ code: 'not_permitted' });
    expect([await sources(), await events()]).toEqual([[], before]);
    await staff();
    expect(await sources()).toEqual(['direct']);
  });

  it.each(ways)('%s: the source that the group names, and no other', async (way) => {
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['scim'] }));
    must(await WAYS[way]());
    expect(await joins('scim')).toBe(true);
    await expect(joins('rule')).rejects.toMatchObject({ code: 'not_permitted' });
    expect(await sources()).toEqual(['scim']);
  });

  it.each(ways)('%s: refused while somebody is there by scim', async (way) => {
    await joins('scim');
    const said = await WAYS[way]();
    expect(codeOf(said)).toBe('state_conflict');
    expect(said.json().detail).toContain(`${group.name} would be privileged`);
    expect(said.json().detail).toContain('by scim');
    expect(said.json().next).toContain('sft-admin groups sources');
    // Not privileged: whoever came by a rule still may.
    expect(await joins('rule')).toBe(true);
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['scim', 'rule'] }));
    must(await WAYS[way]());
  });

  it.each(ways)('%s: refused for a pushed group, even an empty one', async (way) => {
    await kit.db.sql
      .updateTable('groups')
      .set({ source: 'scim' })
      .where('id', '=', group.id)
      .execute();
    expect(codeOf(await WAYS[way]())).toBe('state_conflict');
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['scim'] }));
    must(await WAYS[way]());
  });

  /** A membership by a request of a type with or without grants_role, as an approval writes it. */
  async function byRequest(grants_role: boolean | undefined): Promise<boolean> {
    const name = fresh('joins');
    const other = await newGroup();
    must(
      await put('sam', {
        ...MEMBERSHIP_TYPE,
        name,
        ...(grants_role === undefined ? {} : { grants_role }),
        steps: [{ name: 'One', needs: { any: 2, of: ['group:linux-approvers'] } }],
        on_approved: [{ add_to_group: { group: other.name, until: '$until' } }],
      }),
    );
    const type = await kit.db.sql
      .selectFrom('request_types')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    const id = kit.ids.uuid();
    await kit.db.sql
      .insertInto('access_requests')
      .values({
        ...{ id, state: 'approved', seq: 1, purpose: 'group_membership' as const },
        ...{ request_type_id: type.id, request_type_version: 1, requester_id: user.id },
        ...{ requester_token_issued_by: null, server_id: null, server_identity_revision: null },
        ...{ identity: null, credential_type: null, account_id: null, privilege: null },
        group_ids: group.id,
        ...{ answers: json({}), card: json({}), card_digest: '', escalated: json([]) },
        ...{ step_since: kit.clock.now(), step_expires_at: null, created_at: kit.clock.now() },
      })
      .execute();
    const expires_at = (kit.clock.now() + 3_600_000) as ReturnType<typeof kit.clock.now>;
    return await kit.transact(async (tx) => {
      await bumpRevisions(tx.sql, [user.id]);
      return joinGroup(tx, BY, { group, user, source: 'request', request_id: id, expires_at });
    });
  }

  it('a role: refused while somebody is there by a request without grants_role', async () => {
    await byRequest(undefined);
    const said = await WAYS['a role']();
    expect(codeOf(said)).toBe('state_conflict');
    expect(said.json().detail).toContain('grants_role');
    // Naming sources is about scim and rules.
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['scim', 'rule'] }));
    expect(codeOf(await WAYS['a role']())).toBe('state_conflict');
    kit.clock.advance(3600);
    must(await WAYS['a role']());
  });

  it('a role: not refused while somebody is there by a request with grants_role', async () => {
    await byRequest(true);
    must(await WAYS['a role']());
    expect(await sources()).toEqual(['request']);
  });

  it('an approval writes no row into a group that became privileged since', async () => {
    must(await WAYS['a role']());
    for (const grants_role of [undefined, false])
      await expect(byRequest(grants_role)).rejects.toMatchObject({ code: 'state_conflict' });
    expect(await sources()).toEqual([]);
    expect(await byRequest(true)).toBe(true);
  });

  it('a request that is nowhere puts nobody into a privileged group', async () => {
    must(await WAYS['a role']());
    const wanted = {
      ...{ group, user, source: 'request' as const },
      ...{ request_id: kit.ids.uuid(), expires_at: kit.clock.now() },
    };
    await expect(kit.transact((tx) => joinGroup(tx, BY, wanted))).rejects.toMatchObject({
      code: 'state_conflict',
    });
  });

  it('a source is not taken from a privileged group while somebody is there by it', async () => {
    const take = () => call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: [] });
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['rule'] }));
    await joins('rule');
    // Not privileged yet: it says nothing.
    must(await take());
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['rule'] }));
    must(await WAYS['a role']());
    expect(codeOf(await take())).toBe('state_conflict');
    const document = { kind: 'Group', name: group.name };
    expect(codeOf(await put('pat', { ...document, privileged_sources: [] }))).toBe(
      'state_conflict',
    );
    // Together with what makes it privileged it may go.
    must(await put('pat', { ...document, roles: [], privileged_sources: [] }));
  });

  it('one document gives a role and names the source', async () => {
    await joins('scim');
    const document = { kind: 'Group', name: group.name, roles: ['auditor'] };
    expect(codeOf(await put('pat', document))).toBe('state_conflict');
    must(await put('pat', { ...document, privileged_sources: ['scim'] }));
    const { list } = must(await call('pat', 'GET', `/groups?name=${group.name}`));
    expect(list).toMatchObject([
      { privileged_by: ['role auditor'], privileged_sources: ['scim'], roles: ['auditor'] },
    ]);
    const last = await kit.db.sql
      .selectFrom('audit_events')
      .select('details')
      .where('type', '=', 'pam.group.update')
      .orderBy('id', 'desc')
      .executeTakeFirst();
    expect(last?.details).toMatchObject({ changes: ['source named: scim'] });
  });

  it('what gives nothing makes no group privileged', async () => {
    must(await call('pat', 'PUT', `/groups/${group.id}/roles`, { roles: ['end_user'] }));
    must(await put('sam', { kind: 'SecurityPolicy', ...policy([[asked], [asked]]) }));
    must(await call('sam', 'POST', '/request_types', { ...asking(), kind: undefined }));
    expect(await joins('scim')).toBe(true);
    expect(await joins('rule')).toBe(true);
  });

  it('a type that asked a group: privileged until its last pending request is decided', async () => {
    const asker = fresh('asker');
    await makeUser(demo, asker, { groups: ['linux-users'], manager: 'dana' });
    must(await put('sam', { ...asking(), name: 'Server access approval' }));
    const found = must(await call(asker, 'POST', '/evaluate', { server_id: demo.ids.server }))
      .user_access_methods as { identity: string; access_credential: object }[];
    const { identity, access_credential } = found.find((m) => m.identity === 'pamadmin1')!;
    const raised = must(
      await call(asker, 'POST', '/access_requests', {
        request_type_id: demo.ids.request_type,
        target: {
          ...{ type: 'server_access', server_id: demo.ids.server },
          ...{ identity, access_credential },
        },
        answers: {},
      }),
    ) as { id: string };
    must(
      await put(
        'sam',
        serverType('Server access approval', { needs: { any: 1, of: ['manager'] } }),
      ),
    );
    await expect(joins('scim')).rejects.toMatchObject({ code: 'not_permitted' });
    must(await call(asker, 'POST', `/access_requests/${raised.id}/cancel`, {}));
    expect(await joins('scim')).toBe(true);
  });

  const into = (needs: object, more: object = {}) => ({
    ...MEMBERSHIP_TYPE,
    name: `into ${group.name}`,
    steps: [{ name: 'One', needs }],
    on_approved: [{ add_to_group: { group: group.name, until: '$until' } }],
    ...more,
  });
  const ONE = { any: 1, of: ['group:linux-approvers'] };
  const TWO = { any: 2, of: ['group:linux-approvers'] };

  it.each([
    ['no grants_role', TWO, {}, '/grants_role grants_role'],
    ['one person', ONE, { grants_role: true }, '/steps two_people'],
    [
      'one person on one of the ways',
      { either: [TWO, { any: 1, of: ['manager'] }] },
      { grants_role: true },
      '/steps two_people',
    ],
  ] as const)('deny: to publish a type into it: %s', async (_, needs, more, fault) => {
    must(await WAYS['a role']());
    const said = await put('sam', into(needs, more));
    expect(codeOf(said)).toBe('state_conflict');
    const [first] = said.json().errors as { pointer: string; code: string }[];
    expect(`${first?.pointer} ${first?.code}`).toBe(`/documents/0${fault}`);
    must(await put('sam', into(TWO, { grants_role: true })));
  });

  it('deny: to publish a type into a choice of groups of which one is privileged', async () => {
    must(await WAYS['a role']());
    const harmless = await newGroup();
    const choice = {
      fields: [
        ...MEMBERSHIP_TYPE.fields,
        {
          ...{ key: 'team', prompt: 'Which?', type: 'choice', required: true },
          options: [harmless.name, group.name],
        },
      ],
      on_approved: [{ add_to_group: { group: '$team', until: '$until' } }],
    };
    expect(codeOf(await put('sam', into(TWO, choice)))).toBe('state_conflict');
    must(await put('sam', into(TWO, { ...choice, grants_role: true })));
  });

  it('deny: to publish a type that makes its own approvers', async () => {
    await staff();
    const needs = { any: 1, of: [`group:${group.name}`] };
    const said = await put('sam', into(needs));
    expect(codeOf(said)).toBe('state_conflict');
    expect((await put('sam', into(ONE))).statusCode).toBe(200);
  });

  it('deny: grants_role in a type about servers', async () => {
    expect(codeOf(await put('sam', { ...asking(), grants_role: true }))).toBe('invalid_request');
  });
});
