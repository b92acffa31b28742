import type { AccessMethod, AccessRequest, Answer } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { SlackSettings } from '../../src/chat/index.ts';
import type { OidcSettings } from '../../src/upstream/index.ts';
import { type DemoIds, demoTemplate, openDemoKit } from './demo-template.ts';
import { forget, type Kit, openedBy } from './index.ts';
import { must, startAgain, type TestService, typeOf } from './service.ts';
import { enrolTestGateway, type TestGateway } from './sessions.ts';

/** The demo world, with a gateway, for the suite around it; filled in before its tests run. */
export interface Demo {
  service: TestService;
  tokens: Record<string, string>;
  ids: DemoIds;
  gateway: TestGateway;
}

/** What no test may leave behind is asserted when the suite ends: a fault in the log. */
export function withDemo(
  kit: Kit,
  slack?: SlackSettings | null,
  oidc?: () => Promise<OidcSettings>,
): Demo {
  const demo = {} as Demo;
  openedBy(kit, openDemoKit);
  beforeAll(async () => {
    const kept = await demoTemplate(kit.kind);
    demo.service = await startAgain(kit, kept, slack, await oidc?.());
    demo.tokens = { ...kept.tokens };
    demo.ids = kept.ids;
    demo.gateway = await enrolTestGateway(kit, demo.service, demo.tokens);
  });
  afterEach(() => {
    if (demo.service !== undefined) demo.service.clock.refusal = undefined;
  });
  afterAll(async () => {
    const { service } = demo;
    forget(demo);
    await service?.stop();
    expect(service?.faults).toEqual([]);
  });
  return demo;
}

/** Applies documents as an admin would. */
export const apply = async (
  demo: Demo,
  login: string,
  documents: readonly Record<string, unknown>[],
): Promise<unknown> =>
  must(await demo.service.call(demo.tokens[login], 'POST', '/apply', { documents }));

/** Makes a user and a token of his own. @returns his id. */
export async function makeUser(
  demo: Demo,
  login: string,
  document: Record<string, unknown> = {},
): Promise<string> {
  await apply(demo, 'pat', [{ kind: 'User', login, name: `Test ${login}`, ...document }]);
  demo.tokens[login] = await tokenFor(demo, login);
  const found = await demo.service.call(demo.tokens.pat, 'GET', `/users?login=${login}`);
  return (must(found).list as { id: string }[])[0]!.id;
}

/** A token of that person's own, for a day. */
export async function tokenFor({ service }: Demo, login: string): Promise<string> {
  const token = { login, name: 'test', expires_in_seconds: 86_400 };
  return must(await service.call(service.bootstrap, 'POST', '/tokens', token)).token as string;
}

/** The demo's request type without its steps. */
export const REQUEST_TYPE = {
  kind: 'RequestType',
  name: 'Server access approval',
  purpose: 'server_access',
  audience: 'everyone',
  fields: [{ key: 'justification', prompt: 'Why?', type: 'text', required: true }],
  on_approved: ['grant_access'],
  on_denied: ['deny_access'],
};

/** Publishes the demo's request type anew, with one step that asks for this. */
export const askOf = (demo: Demo, needs: unknown, more: Record<string, unknown> = {}) =>
  apply(demo, 'sam', [
    { ...REQUEST_TYPE, steps: [{ name: 'Approval', needs, timeout: '24h', ...more }] },
  ]);

/** The method for one of the demo's accounts, evaluated for that person. */
export async function methodFor(
  demo: Demo,
  login: string,
  identity = 'pamadmin1',
): Promise<AccessMethod> {
  const methods = await methodsOf(demo.service, demo.tokens[login], demo.ids.server);
  const method = methods.find((m) => m.identity === identity);
  if (method === undefined) throw new Error(`${login} has no method for ${identity}`);
  return method;
}

/** A request of that person for that account. */
export const raisedBy = async (demo: Demo, login: string, identity?: string) =>
  raised(demo.service, demo.tokens[login], await methodFor(demo, login, identity));

/** As {@link raisedBy}, approved by the manager. */
export async function approvedFor(demo: Demo, login = 'ellis', by = 'dana', identity?: string) {
  const request = await raisedBy(demo, login, identity);
  return must(await decide(demo.service, demo.tokens[by], request)) as AccessRequest;
}

/** The person's methods on the demo server, evaluated now: cached answers may be some ms old. */
export async function methodsOf(
  service: TestService,
  token: string | undefined,
  server_id: string,
): Promise<AccessMethod[]> {
  const answer = must(await service.call(token, 'POST', '/evaluate', { server_id }));
  return (answer as Answer<'evaluate'>).user_access_methods;
}

export const requestBody = (method: AccessMethod, justification = 'rotate the logs') => ({
  request_type_id: typeOf(method),
  target: {
    type: 'server_access',
    server_id: method.server_id,
    identity: method.identity,
    access_credential: method.access_credential,
  },
  answers: { justification },
});

export const raise = (
  service: TestService,
  token: string | undefined,
  method: AccessMethod,
): Promise<LightMyRequestResponse> =>
  service.call(token, 'POST', '/access_requests', requestBody(method));

export async function raised(
  service: TestService,
  token: string | undefined,
  method: AccessMethod,
): Promise<AccessRequest> {
  return must(await raise(service, token, method)) as AccessRequest;
}

export const decide = (
  service: TestService,
  token: string | undefined,
  request: Pick<AccessRequest, 'id' | 'etag'>,
  body: Record<string, unknown> = {},
): Promise<LightMyRequestResponse> =>
  service.call(
    token,
    'POST',
    `/access_requests/${request.id}/decisions`,
    { decision: 'approve', step: 0, ...body },
    { 'if-match': `"${request.etag}"` },
  );

export const show = async (service: TestService, token: string | undefined, id: string) =>
  must(await service.call(token, 'GET', `/access_requests/${id}`)) as AccessRequest;

export const codeOf = (response: LightMyRequestResponse): string =>
  response.statusCode < 300 ? String(response.statusCode) : response.json().code;
