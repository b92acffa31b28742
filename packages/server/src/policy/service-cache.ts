import { type MfaFacts, mfaFactsByLogin } from '../mfa/index.ts';
import type { Signals } from '../platform/signals.ts';
import type { Transact, Tx } from '../platform/tx.ts';
import { type CompiledPolicies, compile } from './compile.ts';
import type { Approval, ServerFacts, UserFacts } from './facts.ts';
import { compileUser, type UserPlan } from './plan.ts';
import { indexServers, type ServersIndex } from './servers.ts';
import {
  loadApprovals,
  loadPending,
  loadPolicies,
  loadRequestTypes,
  loadServerFacts,
  loadServerNames,
  loadUserFacts,
  type NamedServerFacts,
  type PendingRow,
  policyStamp,
} from './store.ts';

/** The policy set and all servers, compiled: the same for everybody. */
export interface Landscape {
  readonly compiled: CompiledPolicies;
  readonly index: ServersIndex;
  readonly servers: ReadonlyMap<string, NamedServerFacts>;
  /** Every name of a server (hostname, canonical, alternative) → its id. */
  readonly names: ReadonlyMap<string, string>;
}

export interface Person {
  readonly facts: UserFacts;
  readonly plan: UserPlan;
  readonly approvals: ReadonlyMap<string, readonly Approval[]>;
  readonly pending: readonly PendingRow[];
  /** What each login of his has proved, by login. */
  readonly proofs: ReadonlyMap<string, MfaFacts>;
}

export interface View {
  readonly land: Landscape;
  readonly person: Person | undefined;
}

export interface PolicyCache {
  /** Everything about one person's access, all of one policy set. `person` is undefined: no such user. */
  view(userId: string): Promise<View>;
  stop(): void;
}

interface World {
  readonly transact: Transact;
  readonly signals: Pick<Signals, 'on'>;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
}

/** A lost signal is made good by looking again this often. */
const MAX_AGE_MS = 5_000;
const MAX_PEOPLE = 20_000;

interface Entry<T> {
  readonly value: Promise<T>;
  readonly at: number;
}

/**
 * What listing and resolving read, so that they ask the database for nothing when nothing
 * has changed. Signals drop what they are about; what is older than 5 s is read again.
 * Nothing here is ever used to open a session or to decide.
 */
export function createPolicyCache({ transact, signals, monotonic }: World): PolicyCache {
  let land: (Entry<Landscape> & { readonly stamp: Promise<string> }) | undefined;
  let checkedAt = 0;
  const people = new Map<string, Entry<Person | undefined>>();

  const forgetLand = (): void => {
    land = undefined;
    people.clear();
  };
  const off = [
    signals.on('policy', forgetLand),
    signals.on('server', forgetLand),
    signals.on('reload', forgetLand),
    signals.on('group', () => people.clear()),
    signals.on('request', () => people.clear()),
    signals.on('user', ({ id }) => people.delete(id)),
  ];

  const landscape = async (): Promise<Landscape> => {
    const now = monotonic();
    if (land !== undefined && now - checkedAt >= MAX_AGE_MS) {
      checkedAt = now;
      const stamp = await transact((tx) => policyStamp(tx.sql));
      if (land !== undefined && (await land.stamp) !== stamp) forgetLand();
    }
    if (land === undefined) {
      checkedAt = now;
      const both = transact(async (tx) => ({
        stamp: await policyStamp(tx.sql),
        value: await readLandscape(tx),
      }));
      const made = { value: both.then((b) => b.value), stamp: both.then((b) => b.stamp), at: now };
      land = made;
      both.catch(() => {
        if (land === made) land = undefined;
      });
      made.stamp.catch(() => undefined);
    }
    return land.value;
  };

  const personIn = async ({ compiled }: Landscape, userId: string): Promise<Person | undefined> => {
    const now = monotonic();
    const found = people.get(userId);
    if (found !== undefined && now - found.at < MAX_AGE_MS) {
      const value = await found.value;
      if (value?.plan.compiled === compiled) return value;
    }
    if (people.size >= MAX_PEOPLE) people.clear();
    const value = transact((tx) => readPerson(tx, compiled, userId));
    people.set(userId, { value, at: now });
    value.catch(() => people.delete(userId));
    return value;
  };

  return {
    view: async (userId) => {
      const land = await landscape();
      return { land, person: await personIn(land, userId) };
    },
    stop: () => {
      for (const stop of off) stop();
    },
  };
}

async function readLandscape(tx: Tx): Promise<Landscape> {
  const policies = await loadPolicies(tx.sql);
  const compiled = compile({ policies, request_types: await loadRequestTypes(tx.sql) });
  const servers = await loadServerFacts(tx.sql);
  return {
    compiled,
    index: indexServers(compiled, servers as readonly ServerFacts[]),
    servers: new Map(servers.map((server) => [server.id, server])),
    names: await loadServerNames(tx.sql),
  };
}

async function readPerson(
  tx: Tx,
  compiled: CompiledPolicies,
  userId: string,
): Promise<Person | undefined> {
  const facts = await loadUserFacts(tx.sql, userId, tx.now);
  if (facts === undefined) return undefined;
  const approvals = new Map<string, Approval[]>();
  for (const approval of await loadApprovals(tx.sql, userId)) {
    const list = approvals.get(approval.server_id);
    if (list === undefined) approvals.set(approval.server_id, [approval]);
    else list.push(approval);
  }
  const pending = await loadPending(tx.sql, userId);
  const proofs = await mfaFactsByLogin(tx, userId);
  return { facts, plan: compileUser(compiled, facts), approvals, pending, proofs };
}
