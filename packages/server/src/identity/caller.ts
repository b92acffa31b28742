import type { Access, Instant, Relation, Role } from '@postern/shared';
import { userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';

/**
 * Who acts, as read from the database in the transaction that acts. What takes an Actor can
 * be done from a chat as well; what takes a {@link Caller} needs a token.
 */
export interface Actor {
  readonly user_id: string;
  readonly login: string;
  readonly name: string;
  readonly type: 'human' | 'service';
  readonly roles: ReadonlySet<Role>;
  /** null: he came through a chat, or with a login in a browser. */
  readonly token_id: string | null;
  /**
   * Who issued the token, or the one that the link to his chat was made with, or what he logged
   * in with in his browser, when it was somebody else.
   */
  readonly token_issued_by: string | null;
  /** Who stands behind his token besides: who a job's token was made by, and whoever says whom to believe. */
  readonly token_made_by: readonly string[];
  /** The job that the token is for, as a digest; null: it is for no job. */
  readonly binding: string | null;
  /** Of a login in a browser, and of nothing else. */
  readonly browser_proofs?: readonly BrowserProof[];
}

/** Who came with a token. Nothing else opens a session, reveals a secret or makes a token. */
export interface Caller extends Actor {
  readonly token_id: string;
  readonly token_kind: TokenKind;
  readonly token_expires_at: Instant;
}

/** What somebody logged in with; see 0011-logins.sql. */
export type TokenKind = 'static' | 'login' | 'service' | 'workload';

/** Who is logged in with a browser. */
export interface BrowserCaller extends Actor {
  readonly token_id: null;
  readonly browser_proofs: readonly BrowserProof[];
}

/** MFA that was given at the login itself: there is no token that it could belong to. */
export interface BrowserProof {
  readonly acr: 'any' | 'phr';
  readonly at: Instant;
}

/** Who came through a chat account that he linked. */
export interface ChatCaller extends Actor {
  readonly token_id: null;
  readonly chat_link_id: string;
}

/** Every account behind a change that this caller makes: himself, and who is behind his token. */
export const makersOf = (caller: Actor): string[] => [
  ...new Set([
    caller.user_id,
    ...(caller.token_issued_by === null ? [] : [caller.token_issued_by]),
    ...caller.token_made_by,
  ]),
];

/** Who stands behind a change of facts that decide: for the event, and for who may approve what. */
export interface Author {
  readonly actor: EventReference;
  /** Every account behind it; empty: the service itself. */
  readonly made_by: readonly string[];
}

export const authorOf = (caller: Actor): Author => ({
  actor: userRef(caller),
  made_by: makersOf(caller),
});

/**
 * The relations in which the caller's roles let him call an operation; empty: not at all.
 * The use case itself then checks that one of them holds for the thing it is about.
 */
export function relationsFor(access: Access, roles: ReadonlySet<Role>): ReadonlySet<Relation> {
  if (access === 'authenticated') return new Set<Relation>(['self']);
  if (access === 'gateway' || access === 'public') return new Set();
  return new Set(access.filter(([role]) => roles.has(role)).map(([, relation]) => relation));
}
