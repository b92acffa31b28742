import { beforeAll, expect, it } from 'vitest';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { connect, ENTERPRISE, membersOf, type Provider } from './world.ts';

onBoth('attack 12: a connection that wants somebody in by a rule', (kit) => {
  const demo = withDemo(kit);
  let believed: Provider;
  let other: Provider;
  const groups: Record<string, string> = {};
  const RULES = {
    platform: 'department eq "Platform"',
    'by-login': 'login sw "admin"',
    'by-name': 'name eq "Ada Admin"',
    'by-email': 'email ew "@trusted.test"',
    people: 'type eq "human"',
  };

  beforeAll(async () => {
    believed = await connect(demo, 'believed', ['department']);
    other = await connect(demo, 'other');
    for (const [name, when] of Object.entries(RULES))
      await apply(demo, 'pat', [
        { kind: 'Group', name },
        { kind: 'GroupRule', name: `rule ${name}`, group: name, when },
      ]);
    const list = must(await demo.service.call(demo.tokens.pat, 'GET', '/groups')).list;
    for (const group of list as { id: string; name: string }[]) groups[group.name] = group.id;
  });

  const department = (name: string) => ({ [ENTERPRISE]: { department: name } });
  const inGroup = async (name: string) => membersOf(kit, groups[name]!);

  it('an attribute for which it is authoritative, and which changes: at once', async () => {
    const id = await believed.user('platy', department('platform'));
    expect(await inGroup('platform')).toEqual(['platy rule']);
    const row = await kit.db.sql
      .selectFrom('memberships')
      .select('made_by')
      .where('group_id', '=', groups.platform!)
      .executeTakeFirstOrThrow();
    // Who wrote the rule, and who stands behind the connection.
    expect(row.made_by).toContain(demo.ids.users.pat);
    await believed.patch(`/Users/${id}`, [
      { op: 'replace', path: `${ENTERPRISE}:department`, value: 'Sales' },
    ]);
    expect(await inGroup('platform')).toEqual([]);
    await believed.patch(`/Users/${id}`, [
      { op: 'replace', path: `${ENTERPRISE}:department`, value: 'Platform' },
    ]);
    expect(await inGroup('platform')).toEqual(['platy rule']);
    await believed.must('DELETE', `/Users/${id}`);
    expect(await inGroup('platform')).toEqual([]);
  });

  it('an attribute for which it is authoritative no more: at once', async () => {
    const once = await connect(demo, 'once', ['department', 'title']);
    await once.user('oncer', department('Platform'));
    expect(await inGroup('platform')).toEqual(['oncer rule']);
    const path = `/scim_connections/${once.id}`;
    const body = { authoritative: ['title'] };
    must(await demo.service.call(demo.tokens.pat, 'PATCH', path, body));
    expect(await inGroup('platform')).toEqual([]);
  });

  it('deny: an attribute for which it is not', async () => {
    await other.user('forger', department('Platform'));
    expect(await inGroup('platform')).toEqual([]);
  });

  it('deny: a login, a name, an address that it chooses itself', async () => {
    await other.user('admin-me', {
      displayName: 'Ada Admin',
      emails: [{ value: 'x@trusted.test', primary: true }],
    });
    for (const name of ['by-login', 'by-name', 'by-email']) expect(await inGroup(name)).toEqual([]);
    // What we say of him ourselves is believed.
    expect(await inGroup('people')).toContain('admin-me rule');
  });

  it('deny: to link a group that has a rule, or one that is privileged', async () => {
    const link = (group: string) =>
      demo.service.call(demo.tokens.pat, 'POST', `/scim_connections/${other.id}/groups`, { group });
    const ruled = await link('platform');
    expect([codeOf(ruled), ruled.json().detail]).toEqual([
      'state_conflict',
      'Group rules say who is in platform: rule platform.',
    ]);
    expect(codeOf(await link('audit'))).toBe('not_permitted');
    await apply(demo, 'pat', [{ kind: 'Group', name: 'audit', privileged_sources: ['scim'] }]);
    must(await link('audit'));
  });

  it('deny: to take over a group that became privileged after it was linked', async () => {
    await apply(demo, 'pat', [{ kind: 'Group', name: 'linked' }]);
    const path = `/scim_connections/${other.id}/groups`;
    must(await demo.service.call(demo.tokens.pat, 'POST', path, { group: 'linked' }));
    await apply(demo, 'pat', [{ kind: 'Group', name: 'linked', roles: ['auditor'] }]);
    const said = await other.call('POST', '/Groups', { displayName: 'linked', members: [] });
    expect(said.status).toBeGreaterThanOrEqual(400);
    const { source } = await kit.db.sql
      .selectFrom('groups')
      .select('source')
      .where('name', '=', 'linked')
      .executeTakeFirstOrThrow();
    expect(source).toBe('local');
  });
});
