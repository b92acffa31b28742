import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { evaluateFresh, isWanted, type Wanted } from './service-evaluate.ts';

/** One way into one server, by ids: what is fixed of it whatever its conditions say. */
export interface Connection {
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  readonly account_id: string | null;
  readonly admin_level: boolean;
  readonly privilege: string;
}

/** The way into a server that is wanted, where policy offers it on whatever condition. */
export async function connectionOf(
  tx: Tx,
  who: { readonly user_id: string; readonly client_address: string },
  wanted: Wanted & { readonly server_id: string },
): Promise<Connection | undefined> {
  await lockDeciding(tx.sql, [who.user_id, wanted.server_id]);
  // Which way it is does not hang on whether it is open: nobody's approvals count here.
  const evaluation = await evaluateFresh(tx, {
    ...{ ...who, server_id: wanted.server_id },
    binding: null,
  });
  const method = evaluation?.methods.find((m) => isWanted(m, wanted));
  if (evaluation === undefined || method === undefined) return undefined;
  const { identity, privilege, access_credential: credential } = method;
  return {
    server_id: evaluation.server.id,
    server_identity_revision: evaluation.server.identity_revision,
    identity,
    credential_type: credential.type,
    account_id: credential.type === 'vaulted_account' ? credential.account_id : null,
    admin_level: credential.type === 'principal_account' && credential.admin_level_permissions,
    privilege,
  };
}
