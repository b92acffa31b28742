import type { Instant } from '@postern/shared';
import type { Defaulted } from './columns.ts';

/** Tables of MFA; see migrations/0015-mfa.sql. */
export interface MfaTables {
  mfa_challenges: {
    id: string;
    user_id: string;
    token_id: string;
    hash: string;
    acr: 'any' | 'phr';
    server_id: string | null;
    server_identity_revision: number | null;
    identity: string | null;
    credential_type: 'vaulted_account' | 'principal_account' | null;
    account_id: string | null;
    admin_level: boolean | null;
    privilege: string | null;
    request_id: string | null;
    state: Defaulted<'pending' | 'approved' | 'failed'>;
    wrong_codes: Defaulted<number>;
    client_address: string;
    created_at: Instant;
    expires_at: Instant;
  };
  mfa_proofs: {
    id: string;
    user_id: string;
    token_id: string;
    acr: 'any' | 'phr';
    at: Instant;
    challenge_id: Defaulted<string | null>;
    session_id: Defaulted<string | null>;
  };
}
