import type { ReachableServer, AccessMethod as WireMethod } from '@postern/shared';
import { type Instant, matchesLabels, parseLabelSelector } from '@postern/shared';
import type { MfaFacts } from '../mfa/index.ts';
import { Refusal } from '../platform/errors.ts';
import { evaluatePlanned } from './evaluate.ts';
import { listServers } from './list.ts';
import { toWire } from './method.ts';
import type { Landscape, Person, PolicyCache } from './service-cache.ts';
import { pendingFor } from './service-evaluate.ts';
import type { NamedServerFacts } from './store.ts';

/** Who asks, from where, and when: everything that an answer depends on besides the cache. */
export interface Asking {
  readonly user_id: string;
  /** The login whose proofs of MFA count; undefined: none. */
  readonly token_id: string | undefined;
  /** undefined: unknown, which meets no condition on it. */
  readonly client_address: string | undefined;
  /** The job whose login asks; null: it is no job's. */
  readonly binding: string | null;
  readonly now: Instant;
}

/** A server as whoever can reach it sees it. */
export const describeServer = (server: NamedServerFacts): ReachableServer => ({
  id: server.id,
  name: server.hostname,
  os_type: server.os_type,
  project_name: server.project_name,
  access_address: server.access_address,
  access_port: server.access_port,
  via: server.via,
  labels: { ...server.labels },
});

const NO_PROOFS: MfaFacts = { mfa_instants: [] };

function methodsOn(
  land: Landscape,
  person: Person,
  serverId: string,
  asking: Asking,
): WireMethod[] {
  const plan = land.index.byId.get(serverId);
  if (plan === undefined) return [];
  const facts = {
    approvals: person.approvals.get(serverId) ?? [],
    ...(asking.token_id === undefined
      ? NO_PROOFS
      : (person.proofs.get(asking.token_id) ?? NO_PROOFS)),
    checkouts: [],
    client_address: asking.client_address,
    binding: asking.binding,
  };
  const pending = pendingFor(person.pending, asking.binding);
  return evaluatePlanned(person.plan, plan, facts, asking.now).map((m) => toWire(m, pending));
}

/** Forbidden and unknown names stand alike in `unresolved_names`, and take the same way there. */
export async function resolveNames(cache: PolicyCache, asking: Asking, names: readonly string[]) {
  const { land, person } = await cache.view(asking.user_id);
  const servers: ReachableServer[] = [];
  const unresolved_names: string[] = [];
  const user_access_methods: WireMethod[] = [];
  for (const name of new Set(names)) {
    const id = land.names.get(name.toLowerCase());
    const server = id === undefined ? undefined : land.servers.get(id);
    const methods = server && person ? methodsOn(land, person, server.id, asking) : [];
    if (server === undefined || methods.length === 0) unresolved_names.push(name);
    else {
      servers.push(describeServer(server));
      user_access_methods.push(...methods);
    }
  }
  return { servers, unresolved_names, user_access_methods };
}

export async function listReachable(
  cache: PolicyCache,
  asking: Asking,
  selectorText: string | undefined,
): Promise<ReachableServer[]> {
  const selector = selectorText === undefined ? undefined : parseLabelSelector(selectorText);
  if (selector?.ok === false)
    throw new Refusal(
      'invalid_request',
      `The selector is not valid at ${selector.at}: ${selector.expected}.`,
      {
        errors: [{ pointer: '/selector', code: 'selector', detail: selector.expected }],
        next: 'Write it like env=prod,region in (eu,us),!legacy',
      },
    );
  const { land, person } = await cache.view(asking.user_id);
  if (person === undefined) return [];
  return listServers(person.plan, land.index, asking.now)
    .map((server) => server as NamedServerFacts)
    .filter((server) => selector === undefined || matchesLabels(selector.selector, server.labels))
    .map(describeServer);
}

/** @throws Refusal `not_found` where there is no method: exactly as for no such server */
export async function evaluateOn(
  cache: PolicyCache,
  asking: Asking,
  serverId: string,
): Promise<WireMethod[]> {
  const { land, person } = await cache.view(asking.user_id);
  const methods = person === undefined ? [] : methodsOn(land, person, serverId, asking);
  if (methods.length === 0)
    throw new Refusal('not_found', 'There is no such server, or no access to it.', {
      next: 'See what you can reach: sft list-servers',
    });
  return methods;
}
