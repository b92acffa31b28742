import { createHash } from 'node:crypto';
import type { AccessMethod, NewAccessRequest, ReachableServer } from '@postern/shared';

/** A way into a server that policy offers somebody once a request is approved. */
export interface Offer {
  /** Names it in a form, in Slack's 75 characters. */
  readonly value: string;
  readonly server: { readonly id: string; readonly name: string };
  readonly request_type: { readonly id: string; readonly name: string };
  readonly target: Extract<NewAccessRequest['target'], { type: 'server_access' }>;
}

/** What a person may ask for on one server: each account once for each request type. */
export function offersIn(server: ReachableServer, methods: readonly AccessMethod[]): Offer[] {
  const found = new Map<string, Offer>();
  for (const { identity, access_credential, conditionals } of methods)
    for (const c of conditionals) {
      if (c.type !== 'access_request' || c.condition_is_met || c.pending_request_id !== null)
        continue;
      const { request_type } = c;
      const value = nameIn(server.id, [identity, access_credential, request_type.id]);
      found.set(value, {
        value,
        server: { id: server.id, name: server.name },
        request_type,
        target: { type: 'server_access', server_id: server.id, identity, access_credential },
      });
    }
  return [...found.values()];
}

/** The server, and a digest of the rest: who gets it back looks for it among the offers again. */
const nameIn = (server_id: string, rest: unknown): string =>
  `${server_id}.${createHash('sha256').update(JSON.stringify(rest)).digest('base64url').slice(0, 22)}`;

/** @returns undefined for what {@link Offer.value} never is. */
export const serverOfValue = (value: string): string | undefined =>
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[A-Za-z0-9_-]{22}$/.exec(value)?.[1];
