import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessRequest, type OperationId, operations } from '@postern/shared';
import {
  apply,
  type Demo,
  decide,
  makeUser,
  methodFor,
  REQUEST_TYPE,
  raisedBy,
  requestBody,
} from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { enrolTestGateway, openAs } from '../kit/sessions.ts';

/** What an operation is tried on, and who stands to it how. */
export interface Thing {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Logins of those who stand to it in the relation. */
  readonly self?: string;
  readonly approver_of?: string;
}

export interface Spec {
  /** Everybody stands to it as `self`: it is about the caller. */
  readonly own?: true;
  /** What a stranger with the role is told of it, when that is not 404. */
  readonly stranger?: string;
  make(): Promise<Thing>;
}

const UNKNOWN = '00000000-0000-7000-8000-000000000000';

/** A call of each operation that succeeds for whoever may make it. */
export function specsOf(kit: Kit, demo: Demo): Readonly<Record<OperationId, Spec>> {
  let n = 0;
  const fresh = (what: string): string => `${what}-${n++}`;
  const requester = async (): Promise<string> => {
    const login = fresh('asker');
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    await demo.gateway.renew();
    return login;
  };
  const pending = async () => {
    const self = await requester();
    return { self, request: await raisedBy(demo, self) };
  };
  const approved = async () => {
    const { self, request } = await pending();
    const after = must(await decide(demo.service, demo.tokens.dana, request)) as AccessRequest;
    return { self, request: after };
  };
  const opened = async () => {
    const { self } = await approved();
    const method = await methodFor(demo, self);
    const { response } = await openAs(demo.service, demo.tokens[self]!, { ...method });
    const { session } = must(response) as { session: { id: string } };
    return { self, id: session.id };
  };
  const on = ({ self, request }: { self: string; request: AccessRequest }, more: Thing = {}) => ({
    params: { id: request.id },
    self,
    approver_of: 'dana',
    ...more,
  });
  const nothing = async (): Promise<Thing> => ({});
  const call = (...args: Parameters<Demo['service']['call']>) => demo.service.call(...args);
  const sam = () => demo.tokens.sam;
  const user = async () => ({ id: await makeUser(demo, fresh('user')) });
  const server = async () => {
    const hostname = fresh('host');
    const place = { resource_group: 'demo', project: 'demo', access_address: '192.0.2.7' };
    const accounts = [{ username: 'root', credential: { type: 'password', password: 'x' } }];
    await apply(demo, 'sam', [{ kind: 'Server', hostname, ...place, accounts }]);
    const found = must(await call(sam(), 'GET', `/inventory/servers?hostname=${hostname}`));
    return { id: (found.list as { id: string }[])[0]!.id };
  };
  const policyBody = () => ({
    name: fresh('policy'),
    active: false,
    principals: { user_groups: [{ name: 'linux-users' }] },
    rules: [
      {
        name: 'Rule',
        resource_type: 'server_based_resource',
        resource_selector: {
          selectors: [
            {
              selector_type: 'server_label',
              server_selector: { labels: { env: 'none' } },
              account_selector_type: 'username',
              account_selector: { usernames: ['root'] },
            },
          ],
        },
        privileges: [{ privilege_type: 'vaulted_account_ssh' }],
        conditions: [
          { condition_type: 'gateway', traffic_forwarding: true, session_recording: true },
        ],
      },
    ],
  });
  const policy = async () => {
    const made = must(await call(sam(), 'POST', '/security_policy', policyBody()));
    return { id: (made.policy as { id: string }).id };
  };
  const typeBody = () => {
    const { kind: _kind, ...definition } = REQUEST_TYPE;
    const steps = [{ name: 'One', needs: { any: 1, of: ['manager'] } }];
    return { ...definition, name: fresh('type'), steps };
  };
  const type = async () => must(await call(sam(), 'POST', '/request_types', typeBody()));
  const etag = { 'if-match': '"1"' };
  const groupOf = (name: string) => ({ id: demo.ids.groups[name]! });

  return {
    listServers: { own: true, make: nothing },
    resolve: { own: true, make: async () => ({ body: { names: ['opa-demo-linux'] } }) },
    evaluate: {
      make: async () => {
        const self = await requester();
        const me = must(await call(demo.tokens[self], 'GET', '/whoami')) as {
          user: { id: string };
        };
        return { self, body: { server_id: demo.ids.server, user_id: me.user.id } };
      },
    },
    listInventory: { make: nothing },
    getInventoryServer: { make: async () => ({ params: { id: demo.ids.server } }) },
    updateServer: { make: async () => ({ params: await server(), body: { os_type: 'bsd' } }) },
    deleteServer: { make: async () => ({ params: await server() }) },
    setCredential: {
      make: async () => ({
        params: { ...(await server()), username: 'root' },
        body: { credential: { type: 'password', password: 'other' } },
      }),
    },
    deleteAccount: { make: async () => ({ params: { ...(await server()), username: 'root' } }) },
    listResourceGroups: { make: nothing },
    createAccessRequest: {
      make: async () => {
        const self = await requester();
        return { self, body: requestBody(await methodFor(demo, self)) };
      },
    },
    listAccessRequests: { own: true, make: nothing },
    getAccessRequest: { make: async () => on(await pending()) },
    decideAccessRequest: {
      make: async () =>
        on(await pending(), { headers: etag, body: { decision: 'approve', step: 0 } }),
    },
    cancelAccessRequest: { make: async () => on(await pending()) },
    revokeAccessRequest: { make: async () => on(await approved(), { body: {} }) },
    dropAccessRequest: { make: async () => on(await approved()) },
    commentAccessRequest: { make: async () => on(await pending(), { body: { text: 'Why now?' } }) },
    accessRequestEvents: { make: async () => on(await pending()) },
    listSecurityPolicies: { make: nothing },
    createSecurityPolicy: { make: async () => ({ body: policyBody() }) },
    getSecurityPolicy: { make: async () => ({ params: { id: demo.ids.policy } }) },
    replaceSecurityPolicy: {
      make: async () => ({ params: await policy(), headers: etag, body: policyBody() }),
    },
    deleteSecurityPolicy: { make: async () => ({ params: await policy() }) },
    listRequestTypes: { make: nothing },
    createRequestType: { make: async () => ({ body: typeBody() }) },
    getRequestType: { make: async () => ({ params: { id: demo.ids.request_type } }) },
    publishRequestType: { make: async () => ({ params: { id: String((await type()).id) } }) },
    apply: {
      make: async () => ({
        body: { dry_run: true, documents: [{ kind: 'Group', name: fresh('group') }] },
      }),
    },
    whoami: { own: true, make: nothing },
    listUsers: { make: nothing },
    updateUser: { make: async () => ({ params: await user(), body: { name: 'Other' } }) },
    listGroups: { make: nothing },
    listGroupMembers: { make: async () => ({ params: groupOf('security') }) },
    addGroupMember: {
      make: async () => ({ params: { ...groupOf('audit'), user_id: (await user()).id } }),
    },
    removeGroupMember: {
      make: async () => ({ params: { ...groupOf('everyone'), user_id: (await user()).id } }),
    },
    setGroupRoles: { make: async () => ({ params: groupOf('linux-users'), body: { roles: [] } }) },
    createToken: { own: true, make: async () => ({ body: { name: 'x', expires_in_seconds: 60 } }) },
    listTokens: { own: true, make: nothing },
    revokeToken: {
      make: async () => {
        const self = await requester();
        const me = must(await call(demo.tokens[self], 'GET', '/whoami')) as {
          token: { id: string };
        };
        return { self, params: { id: me.token.id } };
      },
    },
    createSessionNonce: { own: true, make: nothing },
    openSession: {
      // Without a nonce of his own a stranger is told nothing at all.
      stranger: '400',
      make: async () => {
        const { self } = await approved();
        const method = await methodFor(demo, self);
        let body: unknown;
        await openAs(demo.service, demo.tokens[self]!, { ...method }, (sent) => {
          body = sent;
          return { ...sent, identity: '' }; // refused by its schema: the nonce stays
        });
        return { self, body };
      },
    },
    listSessions: { own: true, make: nothing },
    getSession: {
      make: async () => {
        const { self, id } = await opened();
        return { self, params: { id } };
      },
    },
    terminateSession: {
      make: async () => {
        const { self, id } = await opened();
        return { self, params: { id } };
      },
    },
    getRecording: {
      make: async () => {
        const { self, id } = await opened();
        writeFileSync(join(demo.service.recordings, `${id}.cast`), '{"version":3}\n');
        return { self, params: { id } };
      },
    },
    listGateways: { make: nothing },
    createGatewayCode: { make: async () => ({ body: { name: 'edge' } }) },
    disableGateway: {
      make: async () => {
        const made = await enrolTestGateway(kit, demo.service, demo.tokens, fresh('gateway'));
        await demo.gateway.renew();
        return { params: { id: made.id } };
      },
    },
    listAuditEvents: { make: nothing },
    enrollGateway: { make: nothing },
    admitSession: { make: nothing },
    renewLease: { make: nothing },
    gatewayStream: { make: nothing },
    reportSession: { make: async () => ({ params: { id: UNKNOWN } }) },
  };
}

/** The path of a call, below the team. */
export const pathOf = (id: OperationId, params: Thing['params'] = {}): string =>
  operations[id].path
    .replace('/v1/teams/{team}', '')
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? UNKNOWN);
