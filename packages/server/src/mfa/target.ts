import type { AccessCredential, NewMfaApproval } from '@postern/shared';

/** What a person is asked for MFA for. */
export type Target =
  | {
      readonly kind: 'connection';
      readonly server_id: string;
      readonly identity: string;
      readonly access_credential: AccessCredential;
    }
  | { readonly kind: 'decision'; readonly request_id: string };

/** @returns undefined for neither, or both, or half of one. */
export function targetOf(body: NewMfaApproval): Target | undefined {
  const { server_id, identity, access_credential, request_id } = body;
  const parts = [server_id, identity, access_credential].filter((part) => part !== undefined);
  if (request_id !== undefined)
    return parts.length === 0 ? { kind: 'decision', request_id } : undefined;
  if (server_id === undefined || identity === undefined || access_credential === undefined)
    return undefined;
  return { kind: 'connection', server_id, identity, access_credential };
}

/** What is known of a connection that policy offers the person, on whatever condition. */
export interface Connection {
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  readonly account_id: string | null;
  readonly admin_level: boolean;
  readonly privilege: string;
}
