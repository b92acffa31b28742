import type { AccessRequest } from '@postern/shared';
import { apply, askOf, type Demo } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';

/** Somebody approved for an account of a server of his own, so that each test breaks its own. */
export interface Case {
  readonly login: string;
  readonly user_id: string;
  readonly server_id: string;
  readonly hostname: string;
  readonly group_id: string;
  readonly policy: Record<string, unknown> & { readonly name: string };
  readonly request: AccessRequest;
  readonly method: Record<string, unknown>;
}

interface Change {
  readonly name: string;
  readonly act: (demo: Demo, c: Case, kit: Kit) => Promise<unknown>;
  /** What opening a session is refused with afterwards. */
  readonly refused: string;
  /** Why a live session is cut; undefined: it goes on. */
  readonly cut: string | undefined;
}

export const call = (demo: Demo, login: string, ...args: [never, string, unknown?]) =>
  demo.service.call(demo.tokens[login], ...args).then(must);
const patchServer = (patch: Record<string, unknown>) => (demo: Demo, c: Case) =>
  call(demo, 'sam', 'PATCH' as never, `/inventory/servers/${c.server_id}`, patch);
const OTHER_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';

/** The clock was moved: all gateways have renewed their leases since. */
export const heard = (kit: Kit) =>
  kit.db.sql.updateTable('gateways').set({ last_lease_at: kit.clock.now() }).execute();

export const withRules = (
  c: Case,
  change: (rule: Record<string, unknown>) => object | undefined,
) => ({
  ...c.policy,
  rules: (c.policy.rules as Record<string, unknown>[]).map(change).filter((r) => r !== undefined),
});

/** Everything that takes a granted access away. */
export const CHANGES: readonly Change[] = [
  {
    name: 'revoked by the approver',
    act: (demo, c) =>
      call(demo, 'dana', 'POST' as never, `/access_requests/${c.request.id}/revoke`, {}),
    refused: 'approval_required',
    cut: 'revoked',
  },
  {
    name: 'revoked by security_admin',
    act: (demo, c) =>
      call(demo, 'sam', 'POST' as never, `/access_requests/${c.request.id}/revoke`, {}),
    refused: 'approval_required',
    cut: 'revoked',
  },
  {
    name: 'dropped by its person',
    act: (demo, c) => call(demo, c.login, 'POST' as never, `/access_requests/${c.request.id}/drop`),
    refused: 'approval_required',
    cut: 'dropped',
  },
  {
    name: 'over by the clock',
    act: async (_demo, _c, kit) => {
      kit.clock.advance(1800);
      await heard(kit);
    },
    refused: 'approval_required',
    cut: 'expired',
  },
  {
    name: 'user disabled',
    act: (demo, c) =>
      call(demo, 'pat', 'PATCH' as never, `/users/${c.user_id}`, { status: 'DISABLED' }),
    refused: 'unauthenticated',
    cut: 'user_disabled',
  },
  {
    name: 'user deleted',
    act: (demo, c) =>
      call(demo, 'pat', 'PATCH' as never, `/users/${c.user_id}`, { status: 'DELETED' }),
    refused: 'unauthenticated',
    cut: 'user_disabled',
  },
  {
    name: 'user disabled and enabled again',
    act: async (demo, c) => {
      for (const status of ['DISABLED', 'ACTIVE'])
        await call(demo, 'pat', 'PATCH' as never, `/users/${c.user_id}`, { status });
    },
    refused: 'unauthenticated',
    cut: 'user_disabled',
  },
  {
    name: 'group left',
    act: (demo, c) =>
      call(demo, 'pat', 'DELETE' as never, `/groups/${c.group_id}/users/${c.user_id}`),
    refused: 'not_found',
    cut: 'policy_changed',
  },
  {
    name: 'policy: its rule removed',
    act: (demo, c) =>
      apply(demo, 'sam', [
        withRules(c, (rule) => ({ ...rule, name: 'Another', conditions: [], ...elsewhere })),
      ]),
    refused: 'not_found',
    cut: 'policy_changed',
  },
  {
    name: 'policy: not active',
    act: (demo, c) => apply(demo, 'sam', [{ ...c.policy, active: false }]),
    refused: 'not_found',
    cut: 'policy_changed',
  },
  {
    name: 'policy: another group’s',
    act: (demo, c) =>
      apply(demo, 'sam', [{ ...c.policy, principals: { user_groups: [{ name: 'linux-users' }] } }]),
    refused: 'not_found',
    cut: 'policy_changed',
  },
  {
    name: 'policy: a shorter period, which is over',
    act: async (demo, c, kit) => {
      kit.clock.advance(120);
      await heard(kit);
      await apply(demo, 'sam', [
        withRules(c, (rule) => ({ ...rule, conditions: conditions({ seconds: 60 }) })),
      ]);
    },
    refused: 'approval_required',
    cut: 'policy_changed',
  },
  {
    name: 'policy: a source address that is not his',
    act: (demo, c) =>
      apply(demo, 'sam', [
        withRules(c, (rule) => ({
          ...rule,
          conditions: [
            ...conditions(),
            { condition_type: 'source_address', cidrs: ['203.0.113.0/24'] },
          ],
        })),
      ]),
    refused: 'not_permitted',
    cut: 'policy_changed',
  },
  {
    name: 'policy: a second factor asked for',
    act: (demo, c) =>
      apply(demo, 'sam', [
        withRules(c, (rule) => ({
          ...rule,
          conditions: [
            ...conditions(),
            { condition_type: 'mfa', re_auth_frequency_in_seconds: 900, acr_values: 'phr' },
          ],
        })),
      ]),
    refused: 'mfa_required',
    cut: 'policy_changed',
  },
  {
    name: 'request type: a new version that does not accept the old one',
    act: (demo) => askOf(demo, { any: 1, of: ['manager'] }, { name: `Step ${Math.random()}` }),
    refused: 'approval_required',
    cut: 'policy_changed',
  },
  {
    name: 'server: another address',
    act: patchServer({ access_address: '192.0.2.99' }),
    refused: 'unavailable',
    cut: 'server_changed',
  },
  {
    name: 'server: another port',
    act: patchServer({ access_port: 2200 }),
    refused: 'unavailable',
    cut: 'server_changed',
  },
  {
    name: 'server: another host key',
    act: patchServer({ host_keys: [OTHER_KEY] }),
    refused: 'unavailable',
    cut: 'server_changed',
  },
  {
    name: 'server: moved and moved back',
    act: async (demo, c) => {
      await patchServer({ access_port: 2200 })(demo, c);
      await patchServer({ access_port: 22 })(demo, c);
      await call(demo, 'sam', 'PUT' as never, `/inventory/servers/${c.server_id}/accounts/root`, {
        credential: { type: 'password', password: 'entered anew' },
      });
    },
    refused: 'approval_required',
    cut: 'server_changed',
  },
  {
    name: 'server: labels that the policy does not select',
    act: patchServer({ labels: { env: 'elsewhere' } }),
    refused: 'not_found',
    cut: 'policy_changed',
  },
  {
    name: 'server: not active',
    act: patchServer({ state: 'INACTIVE' }),
    refused: 'not_found',
    cut: 'server_changed',
  },
  {
    name: 'server: removed',
    act: (demo, c) => call(demo, 'sam', 'DELETE' as never, `/inventory/servers/${c.server_id}`),
    refused: 'not_found',
    cut: 'server_changed',
  },
  {
    name: 'account: removed',
    act: (demo, c) =>
      call(demo, 'sam', 'DELETE' as never, `/inventory/servers/${c.server_id}/accounts/root`),
    refused: 'not_found',
    cut: 'server_changed',
  },
  {
    name: 'account: removed and made again under its name',
    act: async (demo, c) => {
      const path = `/inventory/servers/${c.server_id}/accounts/root`;
      await call(demo, 'sam', 'DELETE' as never, path);
      await call(demo, 'sam', 'PUT' as never, path, {
        credential: { type: 'password', password: 'another one' },
      });
    },
    refused: 'not_found',
    cut: 'server_changed',
  },
];

const elsewhere = {
  resource_selector: {
    selectors: [
      {
        selector_type: 'server_label',
        server_selector: { labels: { nowhere: 'at-all' } },
        account_selector_type: 'username',
        account_selector: { usernames: ['root'] },
      },
    ],
  },
};
export const conditions = ({ seconds = 1800 } = {}) => [
  {
    condition_type: 'access_request',
    request_type: { name: 'Server access approval' },
    expires_after_seconds: seconds,
  },
];
