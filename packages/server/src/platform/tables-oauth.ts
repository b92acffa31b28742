import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/** The authorization server's tables as Kysely sees them; 0014-oauth.sql is the truth. */
export interface OauthTables {
  oauth_models: {
    hash: string;
    kind:
      | 'Session'
      | 'Interaction'
      | 'AuthorizationCode'
      | 'DeviceCode'
      | 'Grant'
      | 'AccessToken'
      | 'RefreshToken'
      | 'ReplayDetection';
    payload: Jsonb<Record<string, unknown>>;
    user_code_hash: Defaulted<string | null>;
    user_id: Defaulted<string | null>;
    token_id: Defaulted<string | null>;
    jkt: Defaulted<string | null>;
    created_at: Instant;
    expires_at: Instant;
    consumed_at: Defaulted<Instant | null>;
  };
  dpop_proofs: { hash: string; expires_at: Instant };
}
