import { failure } from '../platform/actor.ts';
import type { NewEvent } from '../platform/audit.ts';

/** A login, or a proof, that failed; for the log. */
export interface Failed {
  readonly why: string;
  /** Whose; undefined: of nobody here. What was typed is never said: it may be a password. */
  readonly user?: { readonly id: string; readonly name: string } | undefined;
  readonly address: string;
}

/** Of a login with a browser: nobody is known to have acted, only whose login was tried. */
export const failureOf = ({ why, user, address }: Failed): NewEvent => ({
  type: 'pam.login.fail',
  actor: { type: 'unknown', id: null, name: null },
  targets: user === undefined ? [] : [{ type: 'user', id: user.id, name: user.name }],
  outcome: failure(why),
  client_address: address,
});
