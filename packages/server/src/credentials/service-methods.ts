import type { Instant } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { findPassword, findTotp } from './store.ts';
import { passkeysOf } from './store-passkeys.ts';

export interface PasskeyView {
  readonly id: string;
  readonly name: string;
  readonly created_at: Instant;
  readonly last_used_at: Instant | null;
}

/** What a person can prove himself with here. */
export interface Methods {
  readonly password: boolean;
  readonly totp: boolean;
  readonly passkeys: readonly PasskeyView[];
}

export async function methodsOf(tx: Tx, userId: string): Promise<Methods> {
  const totp = await findTotp(tx.sql, userId);
  const passkeys = await passkeysOf(tx.sql, userId);
  return {
    password: (await findPassword(tx.sql, userId)) !== undefined,
    totp: totp?.confirmed_at != null,
    passkeys: passkeys.map(({ id, name, created_at, last_used_at }) => ({
      id,
      name,
      created_at,
      last_used_at,
    })),
  };
}

export const hasSecondFactor = ({ totp, passkeys }: Methods): boolean =>
  totp || passkeys.length > 0;
