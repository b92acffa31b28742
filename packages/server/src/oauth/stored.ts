import type { Instant } from '@postern/shared';
import type { Kind } from './model.ts';

/** What oidc-provider gives and takes. */
export type Payload = Record<string, unknown>;

/** A payload in the form in which it is kept, and what of it stands in columns. */
export interface Kept {
  readonly payload: Payload;
  readonly user_code: string | null;
  readonly user_id: string | null;
  readonly token_id: string | null;
  readonly jkt: string | null;
}

/** Stands in a kept text for the id of its row, which is not kept. */
const ID = '{id}';

/**
 * @param id what its holder presents: it and the user code go no further
 */
export function keep(kind: Kind, id: string, given: Payload): Kept {
  const { jti: _, userCode, returnTo, consumed: __, ...payload } = given;
  return {
    payload:
      typeof returnTo === 'string'
        ? { ...payload, returnTo: returnTo.replaceAll(id, ID) }
        : payload,
    user_code: typeof userCode === 'string' ? userCode : null,
    user_id: text(given.accountId),
    // A grant is a login: its id is no secret, and everything issued under it names it.
    token_id: kind === 'Grant' ? id : text(given.grantId),
    jkt: text(given.jkt),
  };
}

export interface KeptRow {
  readonly payload: Payload;
  readonly expires_at: Instant;
  readonly consumed_at: Instant | null;
}

/** The payload as it was given. What is over by our clock is over by any. */
export function restore(id: string, row: KeptRow, now: Instant): Payload {
  const { returnTo } = row.payload;
  return {
    ...row.payload,
    ...(typeof returnTo === 'string' && { returnTo: returnTo.replaceAll(ID, id) }),
    ...(row.consumed_at !== null && { consumed: epoch(row.consumed_at) }),
    ...(row.expires_at <= now && { exp: 1 }),
    jti: id,
  };
}

/** Seconds since 1970. */
export const epoch = (at: number): number => Math.floor(at / 1000);

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
