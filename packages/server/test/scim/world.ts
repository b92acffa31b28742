import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Demo } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';

export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  readonly body: any;
  readonly headers: LightMyRequestResponse['headers'];
}

/** An identity provider that pushes to the demo's service. */
export interface Provider {
  readonly id: string;
  readonly token: string;
  call(method: Method, path: string, body?: unknown, headers?: Headers): Promise<Answer>;
  /** As {@link call}, of what must succeed. */
  must(method: Method, path: string, body?: unknown, headers?: Headers): Promise<Answer['body']>;
  find(resource: 'Users' | 'Groups', filter: string, more?: string): Promise<Answer>;
  patch(path: string, Operations: readonly unknown[], headers?: Headers): Promise<Answer>;
  /** Creates a user and answers his id. */
  user(userName: string, more?: object): Promise<string>;
  group(displayName: string, members?: readonly string[], more?: object): Promise<string>;
}
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Headers = Readonly<Record<string, string>>;

export async function call(
  demo: Demo,
  token: string | undefined,
  method: Method,
  path: string,
  body?: unknown,
  headers: Headers = {},
): Promise<Answer> {
  const response = await demo.service.app.inject({
    method,
    url: `/scim/v2${path}`,
    headers: {
      accept: 'application/scim+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.statusCode,
    body: response.body === '' ? null : response.json(),
    headers: response.headers,
  };
}

export async function connect(
  demo: Demo,
  name: string,
  authoritative: readonly string[] = [],
  by = 'pat',
): Promise<Provider> {
  const body = { name, authoritative };
  const made = must(await demo.service.call(demo.tokens[by], 'POST', '/scim_connections', body));
  return providerOf(demo, String(made.id), String(made.token));
}

export function providerOf(demo: Demo, id: string, token: string): Provider {
  const send: Provider['call'] = (method, path, body, headers) =>
    call(demo, token, method, path, body, headers);
  const provider: Provider = {
    id,
    token,
    call: send,
    must: async (...args) => {
      const answer = await send(...args);
      if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    find: (resource, filter, more = '') =>
      send('GET', `/${resource}?filter=${encodeURIComponent(filter)}${more}`),
    patch: (path, Operations, headers) =>
      send('PATCH', path, { schemas: [PATCH_OP], Operations }, headers),
    user: async (userName, more = {}) =>
      (await provider.must('POST', '/Users', { schemas: [USER], userName, active: true, ...more }))
        .id,
    group: async (displayName, members = [], more = {}) =>
      (
        await provider.must('POST', '/Groups', {
          schemas: [GROUP],
          displayName,
          members: members.map((value) => ({ value })),
          ...more,
        })
      ).id,
  };
  return provider;
}

/** Live memberships of a group, as `login source`. */
export async function membersOf(kit: Kit, groupId: string): Promise<string[]> {
  const rows = await kit.db.sql
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['u.login', 'm.source'])
    .where('m.group_id', '=', groupId)
    .where('m.ended_at', 'is', null)
    .orderBy('u.login')
    .orderBy('m.source')
    .execute();
  return rows.map((row) => `${row.login} ${row.source}`);
}

export const userRow = (kit: Kit, id: string) =>
  kit.db.sql.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** Events about a thing, oldest first. */
export async function eventsAbout(kit: Kit, id: string) {
  const rows = await kit.db.sql
    .selectFrom('audit_events')
    .select(['type', 'actor', 'targets', 'details', 'client_address'])
    .orderBy('id')
    .execute();
  return rows.filter((row) => (row.targets as { id: string }[]).some((target) => target.id === id));
}

/** Fails the suite when anything of what a library shares between all calls has changed. */
export function withCleanPrototypes(): void {
  const names = (): string[] => Object.getOwnPropertyNames(Object.prototype).sort();
  let before: string[];
  beforeAll(() => {
    before = names();
  });
  afterAll(() => expect(names()).toEqual(before));
}
