import { type Instant, type Seconds, seconds } from '@postern/shared';

/** What oidc-provider keeps with us. Whatever else it asks for does not exist here. */
export const KINDS = [
  'Session',
  'Interaction',
  'AuthorizationCode',
  'DeviceCode',
  'Grant',
  'AccessToken',
  'RefreshToken',
  'ReplayDetection',
] as const;
export type Kind = (typeof KINDS)[number];

export const isKind = (name: string): name is Kind => KINDS.some((kind) => kind === name);

/** The only client: our own program, which can keep no secret (RFC 8252). */
export const CLIENT_ID = 'sft';
export const CLIENT_NAME = 'sft, the Postern command line';
export const SCOPE = 'openid';

/** Loopback with any port (RFC 8252, 7.3). */
export const REDIRECT_URIS = ['http://127.0.0.1/callback', 'http://[::1]/callback'];

export const ACCESS_TOKEN_SECONDS = seconds(300);
export const CODE_SECONDS = seconds(60);
export const DEVICE_CODE_SECONDS = seconds(600);
export const INTERACTION_SECONDS = seconds(900);
/** How long a login waits for its program to come and fetch it. */
export const UNCLAIMED_SECONDS = seconds(120);
export const LONGEST_LOGIN_SECONDS = seconds(12 * 3600);

/** What the browser's login says of the person; the login feature gives it. */
export interface BrowserLogin {
  readonly session_id: string;
  readonly user_id: string;
  readonly auth_time: Instant;
  /** RFC 8176. */
  readonly amr: readonly string[];
  readonly mfa: 'none' | 'any' | 'phr';
  readonly mfa_at: Instant | null;
  readonly csrf: string;
  /** Who stands behind it, when it is somebody else. */
  readonly issued_by?: string | null;
}

export interface OauthSettings {
  readonly login_seconds: Seconds;
}
