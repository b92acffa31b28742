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
  userRow,
} from './world.ts';

// Bodies and queries as learn.microsoft.com shows them: "Develop and plan provisioning for a
// SCIM endpoint", and "Known issues with SCIM 2.0 compliance" for the forms without the flag.
const NAME = 'Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee';
const NEW_USER = {
  schemas: [USER, ENTERPRISE],
  externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
  userName: NAME,
  active: true,
  emails: [
    {
      primary: true,
      type: 'work',
      value: 'Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com',
    },
  ],
  meta: { resourceType: 'User' },
  name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
  roles: [],
};

onBoth('what Microsoft Entra sends', (kit) => {
  const demo = withDemo(kit);
  let entra: Provider;
  let id: string;
  let group: string;
  beforeAll(async () => {
    entra = await connect(demo, 'entra', ['department', 'manager']);
  });
  const patch = (...Operations: object[]) => entra.patch(`/Users/${id}`, Operations);

  it('tests the connection with a user who is not there: an empty list', async () => {
    const { status, body } = await entra.find('Users', 'userName eq "non-existent user"');
    expect([status, body]).toEqual([
      200,
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: 0,
        startIndex: 1,
        itemsPerPage: 0,
        Resources: [],
      },
    ]);
  });

  it('creates a user; a login has no case, and is shown as it was sent', async () => {
    const { status, body } = await entra.call('POST', '/Users', NEW_USER);
    expect(status).toBe(201);
    id = body.id;
    expect(body).toMatchObject({ userName: NAME, externalId: NEW_USER.externalId, active: true });
    expect(await userRow(kit, id)).toMatchObject({
      login: NAME.toLowerCase(),
      name: 'givenName familyName',
    });
  });

  it('finds him by userName, externalId and work e-mail', async () => {
    for (const filter of [
      `userName eq "${NAME}"`,
      `externalId eq "${NEW_USER.externalId}"`,
      `emails[type eq "work"].value eq "${NEW_USER.emails[0]?.value}"`,
      `userName eq "${NAME}" and active eq true`,
      `id eq "${id}"`,
    ]) {
      const { body } = await entra.find('Users', filter);
      expect([filter, body.Resources?.map((user: { id: string }) => user.id)]).toEqual([
        filter,
        [id],
      ]);
    }
  });

  it('a user who is not there: 404 in the words of SCIM', async () => {
    const { status, body } = await entra.call('GET', '/Users/5171a35d82074e068ce2');
    expect([status, body.schemas, body.status]).toEqual([
      404,
      ['urn:ietf:params:scim:api:messages:2.0:Error'],
      '404',
    ]);
  });

  it('updates values of several and of one', async () => {
    const { status, body } = await patch(
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@microsoft.com' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
    );
    expect(status).toBe(200);
    expect(body.emails).toEqual([
      { value: 'updatedEmail@microsoft.com', type: 'work', primary: true },
    ]);
    expect(body.name.familyName).toBe('updatedFamilyName');
    expect((await userRow(kit, id)).email).toBe('updatedEmail@microsoft.com');
  });

  it('adds an e-mail to somebody who has none, by a filter that nothing matches', async () => {
    const made = await entra.user('no-mail');
    await entra.patch(`/Users/${made}`, [
      { op: 'Add', path: 'emails[type eq "work"].value', value: 'no-mail@microsoft.com' },
    ]);
    const { emails } = await entra.must('GET', `/Users/${made}`);
    expect(emails).toEqual([{ type: 'work', value: 'no-mail@microsoft.com' }]);
  });

  it('renames him; who he was stays taken', async () => {
    const value = '5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com';
    expect((await patch({ op: 'Replace', path: 'userName', value })).status).toBe(200);
    expect((await userRow(kit, id)).login).toBe(value);
    const taken = await entra.call('POST', '/Users', { ...NEW_USER, externalId: 'other' });
    expect([taken.status, taken.body.scimType]).toEqual([409, 'uniqueness']);
    expect((await patch({ op: 'Replace', path: 'userName', value: NAME })).status).toBe(200);
  });

  it('sets the enterprise attributes, in both of its forms, and a manager by his id alone', async () => {
    const boss = await entra.user('boss@testuser.com');
    await patch(
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Platform' },
      { op: 'Add', path: `${ENTERPRISE}:manager`, value: boss },
      {
        op: 'replace',
        value: {
          displayName: 'Bjfe',
          'name.givenName': 'Kkom',
          [`${ENTERPRISE}:employeeNumber`]: 'A1',
        },
      },
    );
    const { [ENTERPRISE]: enterprise, ...user } = await entra.must('GET', `/Users/${id}`);
    expect(enterprise).toEqual({
      department: 'Platform',
      employeeNumber: 'A1',
      manager: { value: boss },
    });
    expect([user.displayName, user.name.givenName]).toEqual(['Bjfe', 'Kkom']);
    expect(await userRow(kit, id)).toMatchObject({
      manager_id: boss,
      manager_made_by: [demo.ids.users.pat],
      attributes: { department: 'Platform' },
    });
    await patch({ op: 'Remove', path: `${ENTERPRISE}:manager` });
    expect((await userRow(kit, id)).manager_id).toBeNull();
  });

  it.each([false, 'False'])('disables him by active: %j, and enables him again', async (value) => {
    const { status, body } = await patch({ op: 'Replace', path: 'active', value });
    expect([status, body.active]).toEqual([200, false]);
    expect((await userRow(kit, id)).status).toBe('DISABLED');
    await patch({ op: 'Replace', path: 'active', value: 'True' });
    expect((await userRow(kit, id)).status).toBe('ACTIVE');
  });

  it('creates a group, and reads it without its members', async () => {
    const { status, body } = await entra.call('POST', '/Groups', {
      schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'displayName',
      meta: { resourceType: 'Group' },
    });
    expect([status, body.members]).toEqual([201, []]);
    group = body.id;
    const one = await entra.must('GET', `/Groups/${group}?excludedAttributes=members`);
    expect([one.displayName, 'members' in one]).toEqual(['displayName', false]);
    const filter = encodeURIComponent('displayName eq "displayName"');
    const list = await entra.must('GET', `/Groups?excludedAttributes=members&filter=${filter}`);
    expect([list.totalResults, list.Resources[0].id]).toEqual([1, group]);
    expect('members' in list.Resources[0]).toBe(false);
  });

  it('adds a member, asks whether he is one, and removes him in both of its forms', async () => {
    const isMember = async () =>
      (await entra.find('Groups', `id eq "${group}" and members eq "${id}"`)).body.totalResults;
    const value = [{ $ref: null, value: id }];
    const removals = [
      { op: 'Remove', path: 'members', value },
      { op: 'remove', path: `members[value eq "${id}"]` },
    ];
    for (const removal of removals) {
      const add = { op: 'Add', path: 'members', value };
      expect((await entra.patch(`/Groups/${group}`, [add])).status).toBe(204);
      expect([await isMember(), await membersOf(kit, group)]).toEqual([
        1,
        [`${NAME.toLowerCase()} scim`],
      ]);
      expect((await entra.patch(`/Groups/${group}`, [removal])).status).toBe(204);
      expect([await isMember(), await membersOf(kit, group)]).toEqual([0, []]);
    }
  });

  it('renames the group, and deletes it', async () => {
    const value = '1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName';
    const rename = { op: 'Replace', path: 'displayName', value };
    expect((await entra.patch(`/Groups/${group}`, [rename])).status).toBe(204);
    expect((await entra.must('GET', `/Groups/${group}`)).displayName).toBe(value);
    expect((await entra.call('DELETE', `/Groups/${group}`)).status).toBe(204);
  });

  it('deletes the user: he is gone, and frees nothing', async () => {
    expect((await entra.call('DELETE', `/Users/${id}`)).status).toBe(204);
    expect((await userRow(kit, id)).status).toBe('DELETED');
    expect(
      (await entra.find('Users', `externalId eq "${NEW_USER.externalId}"`)).body.totalResults,
    ).toBe(0);
    expect(
      (await entra.patch(`/Users/${id}`, [{ op: 'Replace', path: 'active', value: true }])).status,
    ).toBe(404);
    expect((await entra.call('POST', '/Users', NEW_USER)).body.scimType).toBe('uniqueness');
  });

  it('discovers the schemas, with camel case and no null', async () => {
    const list = await entra.must('GET', '/Schemas');
    expect(list.Resources.map((schema: { id: string }) => schema.id)).toEqual([
      USER,
      ENTERPRISE,
      GROUP,
    ]);
    expect(JSON.stringify(list)).not.toContain('null');
    for (const { id: schema } of list.Resources)
      expect((await entra.must('GET', `/Schemas/${schema}`)).id).toBe(schema);
    const types = await entra.must('GET', '/ResourceTypes');
    expect(types.Resources.map((type: { endpoint: string }) => type.endpoint)).toEqual([
      '/Users',
      '/Groups',
    ]);
    const config = await entra.must('GET', '/ServiceProviderConfig');
    expect([config.patch.supported, config.bulk.supported, config.etag.supported]).toEqual([
      true,
      true,
      true,
    ]);
    expect(config.schemas).toEqual(['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig']);
    expect(PATCH_OP).toContain('PatchOp');
  });
});
