import { beforeAll, expect, it } from 'vitest';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  connect,
  eventsAbout,
  GROUP,
  membersOf,
  PATCH_OP,
  type Provider,
  USER,
  userRow,
} from './world.ts';

// Bodies and queries as developer.okta.com, "Okta and SCIM Version 2.0", shows them.
const JANE = {
  schemas: [USER],
  userName: 'jane.doe@example.com',
  name: { givenName: 'Jane', familyName: 'Doe' },
  emails: [{ primary: true, value: 'jane.doe@example.com', type: 'work' }],
  displayName: 'Jane Doe',
  locale: 'en_US',
  externalId: '00uv931EiyRsnwOGa0g3',
  groups: [],
  password: '4a9XuKkx',
  active: true,
};
const JOHN = {
  ...JANE,
  userName: 'john@example.com',
  displayName: 'John Doe',
  emails: [],
  externalId: '00u2',
};

onBoth('what Okta sends', (kit) => {
  const demo = withDemo(kit);
  let okta: Provider;
  let jane: string;
  let john: string;
  let group: string;
  beforeAll(async () => {
    okta = await connect(demo, 'okta');
  });

  it('a test of the connection lists users and groups', async () => {
    for (const path of ['/Users?startIndex=1&count=2', '/Groups?startIndex=1&count=100']) {
      const { status, body, headers } = await okta.call('GET', path);
      expect([status, body.totalResults, body.Resources]).toEqual([200, 0, []]);
      expect(headers['content-type']).toMatch(/^application\/scim\+json/);
    }
  });

  it('creates a user whom it did not find', async () => {
    const path = '/Users?filter=userName+eq+%22jane.doe%40example.com%22&startIndex=1&count=100';
    expect((await okta.must('GET', path)).totalResults).toBe(0);
    const { status, body, headers } = await okta.call('POST', '/Users', JANE);
    expect(status).toBe(201);
    jane = body.id;
    expect(body).toMatchObject({
      schemas: [USER],
      userName: 'jane.doe@example.com',
      externalId: '00uv931EiyRsnwOGa0g3',
      active: true,
      name: { givenName: 'Jane', familyName: 'Doe' },
      meta: { resourceType: 'User', version: 'W/"1"' },
    });
    expect(headers.location).toBe(body.meta.location);
    expect((await okta.must('GET', path)).Resources.map((user: { id: string }) => user.id)).toEqual(
      [jane],
    );
    expect(await userRow(kit, jane)).toMatchObject({
      login: 'jane.doe@example.com',
      name: 'Jane Doe',
      email: 'jane.doe@example.com',
      type: 'human',
      status: 'ACTIVE',
      master: 'scim',
    });
    john = (await okta.must('POST', '/Users', JOHN)).id;
  });

  it('keeps no password, in no row, answer, event or line of the log', async () => {
    const rows = await kit.db.sql.selectFrom('scim_users').selectAll().execute();
    const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
    const answer = await okta.must('GET', `/Users/${jane}`);
    const all = JSON.stringify([rows, events, answer]) + demo.service.lines.join('');
    expect(all).not.toContain(JANE.password);
  });

  it('reads and replaces the profile', async () => {
    const body = {
      id: jane,
      ...JANE,
      meta: {
        resourceType: 'User',
        created: '04-12-2018 00:00:00',
        lastModified: '04-12-2018 00:00:00',
        version: 'v1.0',
      },
      displayName: 'Jane Roe',
      password: 'TkdFNVdIVkxhM2c9',
    };
    const after = await okta.must('PUT', `/Users/${jane}`, body);
    expect(after).toMatchObject({ id: jane, displayName: 'Jane Roe', active: true });
    expect(after.meta.version).toBe('W/"2"');
    expect((await userRow(kit, jane)).name).toBe('Jane Roe');
  });

  it('deactivates: status, then tokens and memberships as if an administrator did it', async () => {
    const body = { schemas: [PATCH_OP], Operations: [{ op: 'replace', value: { active: false } }] };
    const { status, body: after } = await okta.call('PATCH', `/Users/${jane}`, body);
    expect([status, after.active]).toEqual([200, false]);
    expect((await userRow(kit, jane)).status).toBe('DISABLED');
    const last = (await eventsAbout(kit, jane)).at(-1);
    expect(last).toMatchObject({
      type: 'pam.user.update',
      actor: { type: 'scim_connection', id: okta.id, name: 'okta' },
      details: { changes: ['status: ACTIVE → DISABLED'] },
    });
  });

  it('reactivates by PUT', async () => {
    expect((await okta.must('PUT', `/Users/${jane}`, JANE)).active).toBe(true);
    expect((await userRow(kit, jane)).status).toBe('ACTIVE');
  });

  it('pushes a group with its members', async () => {
    const { status, body } = await okta.call('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Example Group',
      members: [{ value: jane, display: 'jane.doe@example.com' }],
    });
    expect(status).toBe(201);
    group = body.id;
    expect(body).toMatchObject({
      displayName: 'Example Group',
      members: [{ value: jane, display: 'Jane Doe', type: 'User' }],
    });
    expect(await membersOf(kit, group)).toEqual(['jane.doe@example.com scim']);
  });

  it('renames it', async () => {
    const Operations = [{ op: 'replace', value: { id: group, displayName: 'New Group Name' } }];
    expect((await okta.patch(`/Groups/${group}`, Operations)).status).toBe(204);
    expect((await okta.must('GET', `/Groups/${group}`)).displayName).toBe('New Group Name');
  });

  it('removes and adds members', async () => {
    const { status } = await okta.patch(`/Groups/${group}`, [
      { op: 'remove', path: `members[value eq "${jane}"]` },
      { op: 'remove', path: 'members[value eq "removeUser2"]' },
      { op: 'add', path: 'members', value: [{ value: john, display: 'john@example.com' }] },
    ]);
    expect(status).toBe(204);
    expect(await membersOf(kit, group)).toEqual(['john@example.com scim']);
  });

  it('pushes all members again', async () => {
    const value = [
      { value: jane, display: 'jane' },
      { value: john, display: 'john' },
    ];
    await okta.patch(`/Groups/${group}`, [{ op: 'replace', path: 'members', value }]);
    const both = ['jane.doe@example.com scim', 'john@example.com scim'];
    expect(await membersOf(kit, group)).toEqual(both);
    const before = (await eventsAbout(kit, group)).length;
    const put = { schemas: [GROUP], id: group, displayName: 'New Group Name', members: value };
    expect((await okta.must('PUT', `/Groups/${group}`, put)).members).toHaveLength(2);
    expect(await membersOf(kit, group)).toEqual(both);
    expect(await eventsAbout(kit, group)).toHaveLength(before);
  });

  it('another POST of the group: 409, and it finds it', async () => {
    const { status, body } = await okta.call('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'New Group Name',
    });
    expect([status, body.scimType, body.status]).toEqual([409, 'uniqueness', '409']);
    const found = await okta.find('Groups', 'displayName eq "New Group Name"');
    expect(found.body.Resources[0].id).toBe(group);
  });

  it('deletes the group: nobody is in it, and its name stays taken', async () => {
    expect((await okta.call('DELETE', `/Groups/${group}`)).status).toBe(204);
    expect((await okta.call('GET', `/Groups/${group}`)).status).toBe(404);
    expect(await membersOf(kit, group)).toEqual([]);
    const again = await okta.call('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'New Group Name',
    });
    expect(again.body.scimType).toBe('uniqueness');
  });
});
