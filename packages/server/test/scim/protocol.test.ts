import { beforeAll, describe, expect, it } from 'vitest';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { connect, ENTERPRISE, GROUP, membersOf, type Provider, USER, userRow } from './world.ts';

onBoth('the SCIM protocol', (kit) => {
  const demo = withDemo(kit);
  let idp: Provider;
  const ids: string[] = [];
  beforeAll(async () => {
    idp = await connect(demo, 'idp');
    for (let n = 0; n < 5; n++)
      ids.push(
        await idp.user(`user-${n}`, {
          displayName: `User ${5 - n}`,
          externalId: `e-${n}`,
          title: n % 2 === 0 ? 'Even' : 'Odd',
          emails: [{ value: `u${n}@example.com`, type: n === 0 ? 'home' : 'work' }],
        }),
      );
  });
  const names = (body: { Resources: { userName: string }[] }) =>
    body.Resources.map(({ userName }) => userName);

  it('lists come in pages, and say how many there are', async () => {
    const seen: string[] = [];
    for (let startIndex = 1; startIndex <= 5; startIndex += 2) {
      const body = await idp.must('GET', `/Users?startIndex=${startIndex}&count=2`);
      expect([body.totalResults, body.startIndex]).toEqual([5, startIndex]);
      seen.push(...names(body));
    }
    expect(seen).toEqual(['user-0', 'user-1', 'user-2', 'user-3', 'user-4']);
    const none = await idp.must('GET', '/Users?count=0');
    expect([none.totalResults, none.Resources]).toEqual([5, []]);
    expect((await idp.must('GET', '/Users?startIndex=-3&count=-1')).startIndex).toBe(1);
    for (const query of ['startIndex=x', 'count=1.5', 'count=99999999999', 'count=1&count=2'])
      expect((await idp.call('GET', `/Users?${query}`)).status).toBe(400);
  });

  it('lists are sorted by what is asked', async () => {
    const body = await idp.must('GET', '/Users?sortBy=displayName');
    expect(names(body)).toEqual(['user-4', 'user-3', 'user-2', 'user-1', 'user-0']);
    const back = await idp.must('GET', '/Users?sortBy=displayName&sortOrder=descending');
    expect(names(back)).toEqual(names(body).toReversed());
  });

  it.each([
    ['title eq "even" and not (userName eq "user-2")', ['user-0', 'user-4']],
    ['userName sw "USER" and (externalId eq "e-1" or externalId eq "e-3")', ['user-1', 'user-3']],
    ['externalId eq "E-1"', []],
    ['displayName co "er 5"', ['user-0']],
    ['userName ew "-4"', ['user-4']],
    ['emails.value eq "U1@example.com"', ['user-1']],
    ['emails eq "u1@example.com"', ['user-1']],
    ['emails[type eq "home" and value co "u0"]', ['user-0']],
    ['emails[type eq "home" and value co "u1"]', []],
    ['externalId pr and title ne "Odd" and userName gt "user-1"', ['user-2', 'user-4']],
    ['active eq "True" and userName le "user-0"', ['user-0']],
    ['meta.created gt "2020-01-01T00:00:00Z" and userName lt "user-1"', ['user-0']],
    ['meta.lastModified lt "2020-01-01T00:00:00Z"', []],
    ['nickName pr', 'invalidFilter'],
  ])('filter %s', async (filter, expected) => {
    const { body } = await idp.find('Users', filter);
    expect(body.Resources === undefined ? body.scimType : names(body)).toEqual(expected);
  });

  it('attributes and excludedAttributes: what is asked for, and always the id', async () => {
    const path = `/Users/${ids[1]}`;
    const some = await idp.must('GET', `${path}?attributes=userName,emails.value`);
    expect(some).toEqual({
      schemas: [USER],
      id: ids[1],
      userName: 'user-1',
      emails: [{ value: 'u1@example.com' }],
    });
    const rest = await idp.must('GET', `${path}?excludedAttributes=emails,id,meta.version`);
    expect([rest.id, rest.emails, rest.meta.version]).toEqual([ids[1], undefined, undefined]);
    expect(rest.meta.resourceType).toBe('User');
  });

  it.each(['Users', 'Groups'])('%s have ETags: 304 when known, 412 when changed', async (kind) => {
    const id = kind === 'Users' ? ids[0] : await idp.group('with an etag');
    const path = `/${kind}/${id}`;
    const { headers, body } = await idp.call('GET', path);
    const etag = String(headers.etag);
    expect(etag).toBe(body.meta.version);
    for (const known of [etag, etag.replace('W/', ''), `"x", ${etag}`, '*'])
      expect((await idp.call('GET', path, undefined, { 'if-none-match': known })).status).toBe(304);
    const rename = [{ op: 'replace', path: 'displayName', value: `Other ${kind}` }];
    const old = { 'if-match': 'W/"999"' };
    expect((await idp.patch(path, rename, old)).status).toBe(412);
    expect((await idp.call('DELETE', path, undefined, old)).status).toBe(412);
    const changed = await idp.patch(path, rename, { 'if-match': etag });
    expect(changed.status).toBeLessThan(300);
    expect(changed.headers.etag).not.toBe(etag);
    expect((await idp.patch(path, rename, { 'if-match': etag })).status).toBe(412);
    expect((await idp.call('GET', path, undefined, { 'if-none-match': etag })).status).toBe(200);
  });

  it('bulk: one after the other, with references; one that fails spoils no other', async () => {
    const body = await idp.must('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        {
          method: 'POST',
          path: '/Users',
          bulkId: 'a',
          data: { schemas: [USER], userName: 'bulk-a' },
        },
        {
          method: 'POST',
          path: '/Users',
          bulkId: 'b',
          data: { schemas: [USER], userName: 'dana' },
        },
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'g',
          data: { schemas: [GROUP], displayName: 'bulk', members: [{ value: 'bulkId:a' }] },
        },
        {
          method: 'PATCH',
          path: `/Users/${ids[4]}`,
          data: {
            schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
            Operations: [{ op: 'replace', value: { active: false } }],
          },
        },
        { method: 'DELETE', path: `/Users/${demo.ids.users.dana}` },
      ],
    });
    const statuses = body.Operations.map(({ status }: { status: string }) => status);
    expect(statuses).toEqual(['201', '409', '201', '204', '404']);
    const group = body.Operations[2].location.split('/').at(-1);
    expect(await membersOf(kit, group)).toEqual(['bulk-a scim']);
    expect((await userRow(kit, ids[4]!)).status).toBe('DISABLED');
    expect((await userRow(kit, demo.ids.users.dana!)).status).toBe('ACTIVE');
  });

  it('bulk: more than it takes is refused whole', async () => {
    const Operations = Array.from({ length: 101 }, () => ({ method: 'DELETE', path: '/Users/x' }));
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
    expect((await idp.call('POST', '/Bulk', { schemas, Operations })).status).toBe(413);
    expect((await idp.call('POST', '/Bulk', { schemas: ['x'], Operations: [] })).status).toBe(400);
  });

  it('application/json is taken as well', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = { schemas: [USER], userName: 'plain-json' };
    expect((await idp.call('POST', '/Users', body, headers)).status).toBe(201);
  });

  it('what is not there is 404 in the words of SCIM', async () => {
    for (const path of ['', '/', '/Me', '/Users/x/y', '/Schemas/x', '/ResourceTypes/x']) {
      const { status, body } = await idp.call('GET', path);
      expect([path, status, body.schemas?.[0]]).toEqual([
        path,
        404,
        'urn:ietf:params:scim:api:messages:2.0:Error',
      ]);
    }
  });

  describe('deactivation', () => {
    it('ends tokens, requests and what they allow at once; activation brings back only groups', async () => {
      const admin = await connect(demo, 'hr', ['manager']);
      const boss = await admin.user('hr-boss');
      const id = await admin.user('hr-ann', {
        [ENTERPRISE]: { manager: { value: boss } },
      });
      const group = await admin.group('hr-linux', [id]);
      const mint = await demo.service.call(demo.tokens.pat, 'POST', '/tokens', {
        login: 'hr-ann',
        name: 'x',
        expires_in_seconds: 3600,
      });
      const token = String(must(mint).token);
      expect((await demo.service.call(token, 'GET', '/whoami')).statusCode).toBe(200);
      await admin.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]);
      expect(codeOf(await demo.service.call(token, 'GET', '/whoami'))).toBe('unauthenticated');
      await admin.patch(`/Users/${id}`, [{ op: 'replace', value: { active: true } }]);
      expect(codeOf(await demo.service.call(token, 'GET', '/whoami'))).toBe('unauthenticated');
      expect(await membersOf(kit, group)).toEqual(['hr-ann scim']);
    });
  });

  it('a role that a pushed group holds is had, and lost, with the push', async () => {
    const id = await idp.user('pushed-auditor');
    const group = await idp.group('pushed-auditors', [id]);
    await apply(demo, 'pat', [
      { kind: 'Group', name: 'pushed-auditors', roles: ['auditor'], privileged_sources: ['scim'] },
    ]);
    const rolesOf = async () => {
      const body = { login: 'pushed-auditor', name: 'x', expires_in_seconds: 3600 };
      const { token } = must(await demo.service.call(demo.tokens.pat, 'POST', '/tokens', body));
      return must(await demo.service.call(String(token), 'GET', '/whoami')).roles;
    };
    expect(await rolesOf()).toContain('auditor');
    await idp.patch(`/Groups/${group}`, [{ op: 'remove', path: `members[value eq "${id}"]` }]);
    expect(await rolesOf()).not.toContain('auditor');
  });
});
