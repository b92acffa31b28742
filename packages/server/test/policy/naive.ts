import type { Instant, Seconds } from '@postern/shared';
import type {
  AccessMethod,
  Approval,
  Condition,
  Conditional,
  ConnectionProof,
  Facts,
  Privilege,
  RequestTypeFacts,
  Rule,
  SecurityPolicy,
  Selector,
  ServerFacts,
  UserFacts,
} from '../../src/policy/index.ts';

/**
 * The evaluation as one would say it aloud: policy by policy, rule by rule, with no index,
 * no plan and nothing shared with the code under test but the shapes. Slow on purpose.
 */
export interface NaiveWorld {
  readonly policies: readonly SecurityPolicy[];
  readonly request_types: readonly RequestTypeFacts[];
}

interface Option {
  method: AccessMethod;
  /** End of the membership path; Infinity: none. */
  path: number;
}

export function naiveEvaluate(
  world: NaiveWorld,
  user: UserFacts,
  server: ServerFacts,
  facts: Facts,
  now: Instant,
): AccessMethod[] {
  if (user.status !== 'ACTIVE' || server.state !== 'ACTIVE') return [];
  const options: Option[] = [];
  const rules = world.policies
    .flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
    .sort((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
  for (const { policy, rule } of rules) {
    if (!policy.active) continue;
    const path = membershipEnd(policy, user, now);
    if (path === null) continue;
    if (policy.resource_group && policy.resource_group.id !== server.resource_group_id) continue;
    for (const privilege of rule.privileges)
      for (const who of loginsFor(rule, privilege, user, server)) {
        const conditionals = rule.conditions.map((condition) =>
          judge(condition, { world, rule, privilege, who, user, server, facts, now }),
        );
        const method = methodOf({ rule, privilege, who, conditionals, user, server, facts });
        addOrMerge(options, { method, path });
      }
  }
  return options
    .map(({ method, path }) => ({
      ...method,
      expires_at: endOf(method, path),
      session_until: endOf(
        { ...method, conditionals: method.conditionals.filter((c) => c.type !== 'mfa') },
        path,
      ),
    }))
    .sort(byOrder);
}

/** The end of the latest-ending live membership in one of the policy's groups; null: not a member. */
function membershipEnd(policy: SecurityPolicy, user: UserFacts, now: Instant): number | null {
  const ends = policy.principals.user_groups.flatMap((group) =>
    user.memberships
      .filter((m) => m.group_id === group.id)
      .filter((m) => m.valid_until === null || now < m.valid_until)
      .map((m) => (m.valid_until === null ? Infinity : m.valid_until)),
  );
  return ends.length === 0 ? null : Math.max(...ends);
}

interface Login {
  identity: string;
  account: { id: string; usable: boolean } | null;
}

function loginsFor(rule: Rule, privilege: Privilege, user: UserFacts, server: ServerFacts) {
  const matching = rule.resource_selector.selectors.filter((s) => selects(s, server));
  const logins: Login[] = [];
  if (privilege.privilege_type === 'principal_account_ssh') {
    const isSelected = matching.some((s) => s.selector_type !== 'individual_server_account');
    const name = ownName(privilege.admin_level_permissions, user, server);
    const isVaulted = server.accounts.some((account) => account.username === name);
    if (isSelected && name !== null && !isVaulted) logins.push({ identity: name, account: null });
  }
  if (privilege.privilege_type === 'vaulted_account_ssh') {
    const wanted = new Set(matching.flatMap(usernamesOf));
    for (const account of server.accounts)
      if (wanted.has(account.username)) logins.push({ identity: account.username, account });
  }
  return logins;
}

function selects(selector: Selector, server: ServerFacts): boolean {
  if (selector.selector_type !== 'server_label') return selector.server.id === server.id;
  const wanted = Object.entries(selector.server_selector.labels);
  return wanted.length > 0 && wanted.every(([key, value]) => server.labels[key] === value);
}

function usernamesOf(selector: Selector): readonly string[] {
  if (selector.selector_type === 'individual_server_account') return [selector.username];
  if (selector.selector_type === 'individual_server') return [];
  return selector.account_selector_type === 'none' ? [] : selector.account_selector.usernames;
}

function ownName(admin: boolean, user: UserFacts, server: ServerFacts): string | null {
  const valid = /^[a-z_][a-z0-9_-]{0,31}$/;
  if (user.unix_name === null || !valid.test(user.unix_name)) return null;
  if (!admin) return user.unix_name;
  const [before, after, more] = server.admin_account_template?.split('{unix_name}') ?? [];
  if (before === undefined || after === undefined || more !== undefined) return null;
  if (before + after === '') return null;
  const name = before + user.unix_name + after;
  return valid.test(name) ? name : null;
}

interface Case {
  world: NaiveWorld;
  rule: Rule;
  privilege: Privilege;
  who: Login;
  user: UserFacts;
  server: ServerFacts;
  facts: Facts;
  now: Instant;
}

/** Descriptions are compared elsewhere: they decide nothing. */
function judge(condition: Condition, c: Case): Conditional {
  const { condition_type, ...asked } = condition;
  const result = (met: boolean, end: number | null, more = {}) =>
    ({
      type: condition_type,
      ...asked,
      ...more,
      condition_is_met: met,
      description: '',
      expires_at: met ? end : null,
    }) as unknown as Conditional;
  switch (condition.condition_type) {
    case 'access_request': {
      const best = c.facts.approvals
        .map((approval) => ({ approval, end: approvalEnds(approval, condition, c) }))
        .filter(({ end }) => end !== null && c.now < end)
        .sort((a, b) => (b.end ?? 0) - (a.end ?? 0) || (a.approval.id < b.approval.id ? -1 : 1))[0];
      const ids = {
        approval_id: best?.approval.id ?? null,
        request_id: best?.approval.request_id ?? null,
      };
      return result(best !== undefined, best?.end ?? null, ids);
    }
    case 'mfa': {
      if (condition.re_auth_frequency_in_seconds === 0) {
        const best = (c.facts.connection_proofs ?? [])
          .filter((proof) => isOfConnection(proof, condition.acr_values, c))
          .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))[0];
        const end = best === undefined ? null : best.at + 300_000;
        return result(best !== undefined, end, { proof_id: best?.id ?? null });
      }
      const ends = c.facts.mfa_instants
        .filter((proof) => proof.at <= c.now)
        .filter((proof) => proof.acr === 'phr' || condition.acr_values === 'any')
        .map((proof) => proof.at + condition.re_auth_frequency_in_seconds * 1000)
        .filter((end) => c.now < end);
      return result(ends.length > 0, Math.max(...ends), { proof_id: null });
    }
    case 'gateway':
      return result(c.server.via === 'gateway', null);
    case 'source_address':
      return result(
        condition.cidrs.some((cidr) => inBlock(c.facts.client_address, cidr)),
        null,
      );
    case 'time_window': {
      const end = windowEnd(condition, c.now);
      return result(end !== undefined, end ?? null);
    }
  }
}

function isOfConnection(
  proof: ConnectionProof,
  wanted: string,
  { privilege, who, user, server, now }: Case,
): boolean {
  const age = now - proof.at;
  return (
    (proof.acr === 'phr' || wanted === 'any') &&
    age >= 0 &&
    age < 300_000 &&
    proof.user_id === user.id &&
    proof.server_id === server.id &&
    proof.server_identity_revision === server.identity_revision &&
    proof.identity === who.identity &&
    proof.credential_type === (who.account ? 'vaulted_account' : 'principal_account') &&
    proof.account_id === (who.account?.id ?? null) &&
    proof.admin_level ===
      ('admin_level_permissions' in privilege && privilege.admin_level_permissions) &&
    proof.privilege === privilege.privilege_type
  );
}

function approvalEnds(
  approval: Approval,
  condition: { request_type: { id: string }; expires_after_seconds: Seconds },
  { world, rule, privilege, who, user, server, facts, now }: Case,
): number | null {
  if (privilege.privilege_type === 'reveal_password') return null;
  if (privilege.privilege_type === 'rotate_password') return null;
  const isAdmin =
    privilege.privilege_type === 'principal_account_ssh' && privilege.admin_level_permissions;
  const type = world.request_types.find((t) => t.id === condition.request_type.id);
  if (!type || type.published_version === null) return null;
  const versions = [type.published_version, ...type.accepts];
  const holds =
    approval.user_id === user.id &&
    approval.binding === (facts.binding ?? null) &&
    approval.server_id === server.id &&
    approval.server_identity_revision === server.identity_revision &&
    approval.identity === who.identity &&
    approval.credential_type === (who.account ? 'vaulted_account' : 'principal_account') &&
    approval.account_id === (who.account?.id ?? null) &&
    approval.admin_level === isAdmin &&
    approval.privilege === privilege.privilege_type &&
    approval.request_type_id === type.id &&
    versions.includes(approval.request_type_version) &&
    approval.revoked_at === null &&
    approval.ended_at === null &&
    approval.approved_at <= now;
  if (!holds) return null;
  for (const channel of privilege.channels) if (!approval.channels.includes(channel)) return null;
  const carded =
    approval.periods[rule.id] ?? Object.values(approval.periods).sort((a, b) => b - a)[0];
  if (carded === undefined) return null;
  const period = Math.min(carded, condition.expires_after_seconds);
  return approval.approved_at + period * 1000;
}

/** IPv4 by text in binary; IPv6 is covered by the table tests. */
function inBlock(address: string | undefined, cidr: string): boolean {
  if (address === undefined || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return false;
  const binary = (a: string) =>
    a
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [base = '', prefix = ''] = cidr.split('/');
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(base)) return false;
  return binary(address).slice(0, Number(prefix)) === binary(base).slice(0, Number(prefix));
}

/** undefined: closed. null: never closes. Remembered, because it is slow. */
const ends = new Map<string, number | null | undefined>();

function windowEnd(window: Window, now: Instant): number | null | undefined {
  const key = JSON.stringify([window, now]);
  if (!ends.has(key)) ends.set(key, findWindowEnd(window, now));
  return ends.get(key);
}

interface Window {
  zone: string;
  days: readonly string[];
  from: string;
  to: string;
}

/** Minute by minute until the wall clock is outside: no arithmetic with zones. */
function findWindowEnd(window: Window, now: Instant): number | null | undefined {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: window.zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const week = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const isOpen = (at: number) => {
    const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
    const time = `${parts.hour}:${parts.minute}`;
    const today = parts.weekday?.toLowerCase() ?? '';
    const yesterday = week[(week.indexOf(today) + 6) % 7] ?? '';
    if (window.from < window.to)
      return window.days.includes(today) && window.from <= time && time < window.to;
    return (
      (window.days.includes(today) && window.from <= time) ||
      (window.days.includes(yesterday) && time < window.to)
    );
  };
  let at = Math.floor(now / 60_000) * 60_000;
  if (!isOpen(at)) return undefined;
  while (isOpen(at) && at - now < 9 * 86_400_000) at += 60_000;
  return at - now < 9 * 86_400_000 ? at : null;
}

function methodOf(c: {
  rule: Rule;
  privilege: Privilege;
  who: Login;
  conditionals: Conditional[];
  user: UserFacts;
  server: ServerFacts;
  facts: Facts;
}): AccessMethod {
  const { rule, privilege, who, conditionals, user, server, facts } = c;
  const users = facts.checkouts.filter((x) => x.account_id === who.account?.id);
  const status =
    who.account && !who.account.usable
      ? 'unavailable'
      : users.some((x) => x.user_id !== user.id)
        ? 'checked_out_by_other_user'
        : users.length > 0
          ? 'checked_out'
          : 'available';
  return {
    server_id: server.id,
    identity: who.identity,
    access_credential: who.account
      ? { type: 'vaulted_account', account_id: who.account.id }
      : {
          type: 'principal_account',
          admin_level_permissions:
            'admin_level_permissions' in privilege && privilege.admin_level_permissions,
        },
    privilege: privilege.privilege_type as AccessMethod['privilege'],
    channels: 'channels' in privilege ? privilege.channels : [],
    allowed:
      conditionals.every((x) => x.condition_is_met) &&
      status !== 'unavailable' &&
      status !== 'checked_out_by_other_user',
    expires_at: null,
    session_until: null,
    resource_status: status,
    rule_ids: [rule.id],
    conditionals,
  };
}

function addOrMerge(options: Option[], option: Option): void {
  const same = options.find((o) => sameness(o.method) === sameness(option.method));
  if (same === undefined) options.push(option);
  else {
    const ids = [...same.method.rule_ids, ...option.method.rule_ids];
    same.method = { ...same.method, rule_ids: [...new Set(ids)].sort() };
    same.path = Math.max(same.path, option.path);
  }
}

const sameness = ({ rule_ids: _, ...rest }: AccessMethod) => JSON.stringify(rest);

function endOf(method: AccessMethod, path: number): Instant | null {
  if (!method.allowed) return null;
  const ends = method.conditionals.flatMap((c) => (c.expires_at === null ? [] : [c.expires_at]));
  const end = Math.min(path, ...ends);
  return end === Infinity ? null : (end as Instant);
}

function byOrder(a: AccessMethod, b: AccessMethod): number {
  const unmet = (m: AccessMethod) => m.conditionals.filter((c) => !c.condition_is_met).length;
  return (
    Number(b.allowed) - Number(a.allowed) ||
    unmet(a) - unmet(b) ||
    (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0)
  );
}
