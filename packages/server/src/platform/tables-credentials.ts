import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/**
 * The tables of credentials and browser logins as Kysely sees them; 0012-credentials.sql and
 * 0013-browser-logins.sql are the truth.
 */
export interface CredentialTables {
  password_credentials: {
    user_id: string;
    sealed: Jsonb<unknown>;
    version: number;
    issued_by: string | null;
    set_at: Instant;
  };
  totp_credentials: {
    user_id: string;
    id: string;
    sealed: Jsonb<unknown>;
    issued_by: string | null;
    confirmed_at: Defaulted<Instant | null>;
    begun_with: Defaulted<string | null>;
    last_step: Defaulted<number | null>;
    created_at: Instant;
  };
  passkeys: {
    id: string;
    user_id: string;
    credential_id: string;
    public_key: string;
    counter: number;
    transports: Jsonb<string[]>;
    name: string;
    synced: boolean;
    issued_by: string | null;
    created_at: Instant;
    last_used_at: Defaulted<Instant | null>;
  };
  passkey_challenges: {
    hash: string;
    purpose: 'registration' | 'assertion';
    binding: string;
    user_id: string | null;
    expires_at: Instant;
  };
  invitations: {
    user_id: string;
    id: string;
    hash: string;
    issued_by: string | null;
    created_at: Instant;
    expires_at: Instant;
  };
  browser_logins: {
    id: string;
    hash: string | null;
    user_id: string;
    issued_by: string | null;
    amr: Jsonb<string[]>;
    mfa: 'none' | 'any' | 'phr';
    mfa_at: Instant | null;
    authenticated_at: Instant;
    proved_at: Instant;
    last_seen_at: Instant;
    expires_at: Instant;
    ended_at: Defaulted<Instant | null>;
    secure: boolean;
    client_address: string;
    user_agent: string;
  };
  pending_logins: {
    hash: string;
    user_id: string;
    password_version: number;
    issued_by: string | null;
    expires_at: Instant;
  };
  login_attempts: { key: string; count: number; next_at: Instant; forget_at: Instant };
  known_clients: { user_id: string; client: string; last_seen_at: Instant };
}
