import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessRequest, type OperationId, operations } from '@postern/shared';
import { json } from '../../src/platform/schema.ts';
import {
  apply,
  askOf,
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
import { mfaSpecs } from './calls-mfa.ts';
import { reviewSpecs } from './calls-reviews.ts';
import { workloadSpecs } from './calls-workload.ts';
import type { Spec, Thing } from './spec.ts';

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
  const connection = async () => {
    // What the one before linked is free again.
    await kit.db.sql.deleteFrom('scim_groups').execute();
    const body = { name: fresh('scim') };
    const made = must(await call(demo.tokens.pat, 'POST', '/scim_connections', body));
    return { id: String(made.id) };
  };
  const target = async () => {
    const body = { name: fresh('target'), url: 'https://scim.example.com/v2', token: 'x' };
    const made = must(await call(demo.tokens.pat, 'POST', '/push_targets', body));
    return { id: String(made.id) };
  };
  const inAnHour = () => new Date(kit.clock.now() + 3_600_000).toISOString();
  const etag = { 'if-match': '"1"' };
  const newRule = async () => ({
    ...{ name: fresh('rule'), group_id: groupOf('everyone').id, when: 'team eq "none"' },
  });
  const rule = async () => {
    const body = await newRule();
    const made = must(await call(demo.tokens.pat, 'POST', '/group_rules', body));
    return { id: String(made.id) };
  };
  const groupOf = (name: string) => ({ id: demo.ids.groups[name]! });
  return {
    ...workloadSpecs(demo, fresh),
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
    getAccessRequestCard: { make: async () => on(await pending()) },
    decideAccessRequest: {
      make: async () =>
        on(await pending(), { headers: etag, body: { decision: 'approve', step: 0 } }),
    },
    cancelAccessRequest: { make: async () => on(await pending()) },
    revokeAccessRequest: { make: async () => on(await approved(), { body: {} }) },
    dropAccessRequest: { make: async () => on(await approved()) },
    commentAccessRequest: { make: async () => on(await pending(), { body: { text: 'Why now?' } }) },
    escalateAccessRequest: {
      make: async () => {
        const self = await requester();
        await askOf(
          demo,
          { any: 1, of: ['manager'] },
          { on_timeout: { escalate_to: ['user:bo'] }, escalate_after: '1m' },
        );
        const request = await raisedBy(demo, self);
        kit.clock.advance(60);
        await demo.gateway.renew();
        return on({ self, request }, { body: { reason: 'The shop is down.' } });
      },
    },
    accessRequestEvents: { make: async () => on(await pending()) },
    listSecurityPolicies: { make: nothing },
    createSecurityPolicy: { make: async () => ({ body: policyBody() }) },
    getSecurityPolicy: { make: async () => ({ params: { id: demo.ids.policy } }) },
    replaceSecurityPolicy: {
      make: async () => ({ params: await policy(), headers: etag, body: policyBody() }),
    },
    deleteSecurityPolicy: { make: async () => ({ params: await policy() }) },
    listRequestTypes: { make: nothing },
    listCatalog: { own: true, make: nothing },
    createRequestType: { make: async () => ({ body: typeBody() }) },
    getRequestType: { make: async () => ({ params: { id: demo.ids.request_type } }) },
    lintRequestTypes: { make: nothing },
    replaceRequestType: {
      make: async () => {
        const made = await type();
        return { params: { id: String(made.id) }, headers: etag, body: made.definition };
      },
    },
    retireRequestType: { make: async () => ({ params: { id: String((await type()).id) } }) },
    publishRequestType: { make: async () => ({ params: { id: String((await type()).id) } }) },
    apply: {
      make: async () => ({
        body: { dry_run: true, documents: [{ kind: 'Group', name: fresh('group') }] },
      }),
    },
    whoami: { own: true, make: nothing },
    listUsers: { make: nothing },
    updateUser: { make: async () => ({ params: await user(), body: { name: 'Other' } }) },
    listGroups: { own: true, make: nothing },
    listGroupMembers: {
      make: async () => {
        await apply(demo, 'pat', [{ kind: 'Group', name: 'linux-users', owners: ['bo'] }]);
        return { params: groupOf('linux-users'), owner_of: 'bo' };
      },
    },
    addGroupMember: {
      make: async () => ({ params: { ...groupOf('audit'), user_id: (await user()).id } }),
    },
    removeGroupMember: {
      make: async () => ({ params: { ...groupOf('everyone'), user_id: (await user()).id } }),
    },
    setGroupRoles: { make: async () => ({ params: groupOf('linux-users'), body: { roles: [] } }) },
    listGroupRules: { make: nothing },
    createGroupRule: { make: async () => ({ body: await newRule() }) },
    getGroupRule: { make: async () => ({ params: await rule() }) },
    updateGroupRule: {
      make: async () => ({ params: await rule(), body: { when: 'team eq "other"' } }),
    },
    deleteGroupRule: { make: async () => ({ params: await rule() }) },
    ...reviewSpecs(kit, demo, fresh),
    setGroupOwners: {
      make: async () => ({ params: groupOf('linux-users'), body: { owners: [(await user()).id] } }),
    },
    setGroupSources: {
      make: async () => ({ params: groupOf('security'), body: { sources: ['rule'] } }),
    },
    listDelegations: { own: true, make: nothing },
    createDelegation: {
      own: true,
      make: async () => ({ body: { from: 'dana', to: 'ana', ends_at: inAnHour() } }),
    },
    endDelegation: {
      make: async () => {
        const self = await requester();
        const body = { to: 'ana', ends_at: inAnHour() };
        const made = must(await call(demo.tokens[self], 'POST', '/delegations', body));
        return { self, params: { id: String(made.id) } };
      },
    },
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
    ...mfaSpecs(kit, demo, requester),
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
    createInvitation: { make: async () => ({ params: await user() }) },
    resetFactors: { make: async () => ({ params: await user() }) },
    endLogins: { make: nothing },
    linkIdentity: {
      make: async () => ({
        params: await user(),
        body: { issuer: 'https://idp.example.test', subject: fresh('subject') },
      }),
    },
    unlinkIdentity: { make: async () => ({ params: await user() }) },
    createChatLink: { make: async () => ({ self: await requester() }) },
    listChatLinks: { own: true, make: nothing },
    deleteChatLink: {
      make: async () => {
        const self = await requester();
        const id = kit.ids.uuid();
        const account = { workspace_id: 'T0DEMO', chat_user_id: fresh('U0') };
        const me = must(await call(demo.tokens[self], 'GET', '/whoami')) as {
          user: { id: string };
        };
        await kit.db.sql
          .insertInto('chat_links')
          .values({ id, user_id: me.user.id, ...account, created_at: kit.clock.now() })
          .execute();
        return { self, params: { id } };
      },
    },
    listAuditEvents: { make: nothing },
    listMessages: { make: nothing },
    retryMessage: {
      make: async () => {
        const at = kit.clock.now();
        const id = kit.ids.uuid();
        const dead = { kind: 'token_made', body: json({}), state: 'dead' } as const;
        await kit.db.sql
          .insertInto('messages')
          .values({ id, webhook: 'ops', ...dead, created_at: at, next_at: at, give_up_at: at })
          .execute();
        return { params: { id } };
      },
    },
    createPushTarget: {
      make: async () => ({
        body: { name: fresh('target'), url: 'https://scim.example.com/v2', token: 'x' },
      }),
    },
    listPushTargets: { make: nothing },
    setPushGroups: {
      make: async () => ({ params: await target(), body: { groups: ['linux-users'] } }),
    },
    removePushTarget: { make: async () => ({ params: await target() }) },
    listPushes: { make: nothing },
    retryPush: {
      make: async () => {
        const at = kit.clock.now();
        const id = kit.ids.uuid();
        const group_id = demo.ids.groups['linux-users']!;
        const push = { id, target_id: (await target()).id, group_id, user_id: (await user()).id };
        const row = { ...push, request_id: null, created_at: at, next_at: at, give_up_at: at };
        await kit.db.sql.insertInto('pushes').values(row).execute();
        return { params: { id } };
      },
    },
    createScimConnection: { make: async () => ({ body: { name: fresh('scim') } }) },
    listScimConnections: { make: nothing },
    updateScimConnection: {
      make: async () => ({ params: await connection(), body: { authoritative: ['manager'] } }),
    },
    rotateScimToken: { make: async () => ({ params: await connection() }) },
    revokeScimConnection: { make: async () => ({ params: await connection() }) },
    linkScimGroup: {
      make: async () => ({ params: await connection(), body: { group: 'linux-users' } }),
    },
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
