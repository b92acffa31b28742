import { type Static, Type } from 'typebox';
import { DateTime, Nullable, Strict } from './common.ts';

/** Who somebody is at the OpenID provider (OIDC Core 2: `iss`, `sub`). */
export const Identity = Strict({
  issuer: Type.String({ pattern: '^https?://[^\\s?#@]+$', maxLength: 2048 }),
  subject: Type.String({ pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]{0,253}[\\x21-\\x7e])?$' }),
});
export type Identity = Static<typeof Identity>;

/** Sets its person's password, once. Shown this once. */
export const Invitation = Strict({
  code: Type.String(),
  /** Where it is used; null where the service does not know where a browser reaches it. */
  url: Nullable(Type.String()),
  expires_at: DateTime,
});
export type Invitation = Static<typeof Invitation>;
