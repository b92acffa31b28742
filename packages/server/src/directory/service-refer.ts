import { isLogin } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { idsOfLogins } from './store.ts';

/** Ids by login. @throws Refusal when one of them is nobody's */
export async function resolveLogins(
  tx: Tx,
  logins: readonly string[],
  pointer: string,
): Promise<ReadonlyMap<string, string>> {
  const ids = await idsOfLogins(tx.sql, logins.filter(isLogin));
  const unknown = logins.findIndex((login) => !ids.has(login));
  if (unknown !== -1) {
    const at = pointer.endsWith('s') ? `${pointer}/${unknown}` : pointer;
    refuseField(at, 'unknown_user', 'there is no user with this login');
  }
  return ids;
}

export function refuseField(pointer: string, code: string, detail: string): never {
  throw new Refusal('invalid_request', `${pointer}: ${detail}.`, {
    errors: [{ pointer, code, detail }],
  });
}
