import type { Access, Instant, Relation, Role } from '@postern/shared';

/** Who calls, as read from the database in the transaction that acts. */
export interface Caller {
  readonly user_id: string;
  readonly login: string;
  readonly name: string;
  readonly type: 'human' | 'service';
  readonly roles: ReadonlySet<Role>;
  readonly token_id: string;
  /** Who issued the token, when it was somebody else. */
  readonly token_issued_by: string | null;
  readonly token_expires_at: Instant;
}

/** Every account behind a change that this caller makes: himself, and who issued his token. */
export const makersOf = (caller: Caller): string[] =>
  caller.token_issued_by === null ? [caller.user_id] : [caller.user_id, caller.token_issued_by];

/**
 * The relations in which the caller's roles let him call an operation; empty: not at all.
 * The use case itself then checks that one of them holds for the thing it is about.
 */
export function relationsFor(access: Access, roles: ReadonlySet<Role>): ReadonlySet<Relation> {
  if (access === 'authenticated') return new Set<Relation>(['self']);
  if (access === 'gateway' || access === 'public') return new Set();
  return new Set(access.filter(([role]) => roles.has(role)).map(([, relation]) => relation));
}
