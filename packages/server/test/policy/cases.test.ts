import { readdirSync, readFileSync } from 'node:fs';
import { instant, type Seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  type AccountFacts,
  type Approval,
  compile,
  compileUser,
  directory,
  evaluate,
  type Facts,
  indexServers,
  listServers,
  type RequestTypeFacts,
  type ServerFacts,
  type UserFacts,
} from '../../src/policy/index.ts';
import { comparable, line, policyOf, references } from './kit.ts';
import { naiveEvaluate } from './naive.ts';

/** Decision cases: see cases/README.md for how to read and write one. */
interface File {
  now: string;
  users: Record<
    string,
    { unix_name?: string; status?: string; memberships: Record<string, string> }
  >;
  servers: Record<string, Partial<ServerFacts> & { accounts?: (string | AccountFacts)[] }>;
  request_types?: Record<string, Partial<RequestTypeFacts>>;
  policies: object[];
  cases: Case[];
}

interface Case {
  name: string;
  user: string;
  server: string;
  at?: string;
  approvals?: (Partial<Approval> & { ago: string; type: string; for?: string; account?: string })[];
  mfa?: { acr: 'any' | 'phr'; ago: string }[];
  checkouts?: Facts['checkouts'];
  address?: string;
  expect: string[];
}

const folder = new URL('cases/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

for (const name of files)
  describe(name, () => {
    const file: File = parse(readFileSync(new URL(name, folder), 'utf8'), { merge: true });
    const world = worldOf(file);
    test.each(file.cases)('$name', (c) => {
      const now = instant(Date.parse(c.at ?? file.now));
      const [user, server] = [world.users.get(c.user), world.servers.get(c.server)];
      if (!user || !server) throw new Error('the case names somebody or something unknown');
      const facts = factsOf(c, now, server);
      const methods = evaluate(world.compiled, user, server, facts, now);
      expect(methods.map(line)).toEqual(c.expect);
      const naive = naiveEvaluate(world.set, user, server, facts, now);
      expect(comparable(methods)).toEqual(comparable(naive));
      const index = indexServers(world.compiled, [...world.servers.values()]);
      const listed = listServers(compileUser(world.compiled, user), index, now);
      expect(listed.includes(server)).toBe(c.expect.length > 0);
    });
  });

test('there are case files, and every case expects something on purpose', () => {
  expect(files.length).toBeGreaterThan(4);
});

function worldOf(file: File) {
  const users = new Map(Object.entries(file.users).map(([id, u]) => [id, userOf(id, u)]));
  const servers = new Map(Object.entries(file.servers).map(([id, s]) => [id, serverOf(id, s)]));
  const request_types = Object.entries(file.request_types ?? {}).map(([id, type]) => ({
    id,
    name: id,
    published_version: 1,
    accepts: [],
    ...type,
  }));
  const groups = Object.values(file.users).flatMap((u) => Object.keys(u.memberships));
  const everything = references({
    groups: directory([...new Set(groups)].map((id) => ({ id, name: id }))),
    servers: directory([...servers.values()].map((s) => ({ ...s, name: s.id }))),
    request_types: directory(
      request_types.map((t) => ({ ...t, published_version: 1, purpose: 'server_access' as const })),
    ),
  });
  const set = { policies: file.policies.map((p) => policyOf(p, everything)), request_types };
  return { users, servers, set, compiled: compile(set) };
}

function userOf(id: string, user: File['users'][string]): UserFacts {
  const memberships = Object.entries(user.memberships).map(([group_id, until]) => ({
    group_id,
    valid_until: until === 'standing' ? null : instant(Date.parse(until)),
  }));
  return { id, status: user.status ?? 'ACTIVE', unix_name: user.unix_name ?? null, memberships };
}

function serverOf(id: string, server: File['servers'][string]): ServerFacts {
  return {
    id,
    identity_revision: 1,
    resource_group_id: 'demo',
    state: 'ACTIVE',
    via: 'gateway',
    os_type: 'linux',
    labels: {},
    admin_account_template: null,
    ...server,
    accounts: (server.accounts ?? []).map((account) =>
      typeof account === 'string'
        ? { id: `${account}@${id}`, username: account, usable: true }
        : account,
    ),
  };
}

function factsOf(c: Case, now: number, server: ServerFacts): Facts {
  const approvals = (c.approvals ?? []).map((approval, i): Approval => {
    const { ago, type, for: period, account, ...rest } = approval;
    return {
      id: `approval-${i}`,
      request_id: `request-${i}`,
      user_id: c.user,
      server_id: server.id,
      server_identity_revision: 1,
      identity: account ?? '',
      credential_type: 'vaulted_account',
      account_id: server.accounts.find((a) => a.username === account)?.id ?? null,
      privilege: 'vaulted_account_ssh',
      admin_level: false,
      channels: ['shell', 'exec', 'sftp'],
      request_type_id: type,
      request_type_version: 1,
      approved_at: instant(now - ms(ago)),
      binding: null,
      revoked_at: null,
      ended_at: null,
      periods: {
        'on the card': ((period === undefined ? ms('30d') : ms(period)) / 1000) as Seconds,
      },
      ...rest,
    };
  });
  const proofs = (c.mfa ?? []).map(({ acr, ago }) => ({ acr, at: instant(now - ms(ago)) }));
  return {
    approvals,
    mfa_instants: proofs,
    checkouts: c.checkouts ?? [],
    client_address: c.address,
  };
}

/** `35m`, `2h`, `-5m` in milliseconds. */
function ms(text: string): number {
  const match = /^(-?\d+)([smhd])$/.exec(text);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  if (!match || unit === undefined) throw new Error(`not a duration: ${text}`);
  return Number(match[1]) * unit;
}
