import { type Seconds, seconds } from '@postern/shared';

export type Provider = 'github' | 'gitlab' | 'generic';

/** Which jobs are which service user: every claim must be there and equal. */
export interface Rule {
  readonly service_user: { readonly id: string; readonly login: string };
  readonly claims: Readonly<Record<string, string>>;
  /** `*` stands for any characters but `/`. Compared with the claim `ref`. */
  readonly ref_pattern?: string;
}

/** An issuer that is trusted to say which job somebody is. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly provider: Provider;
  readonly issuer: string;
  readonly jwks_url: string;
  readonly audience: string;
  readonly unnamed_people: 'need_two' | 'accepted';
  readonly rules: readonly Rule[];
}

/** What a provider's token says, once its signature, issuer, audience and times hold. */
export type Claims = Readonly<Record<string, unknown>>;

/** How long after it was issued a provider's token is believed, whatever its own end: they last hours. */
export const BELIEVED_FOR: Seconds = seconds(15 * 60);
/** How long a job, or a service user with his key, is logged in: it may wait for people. */
export const LOGIN_LASTS: Seconds = seconds(60 * 60);
/** What clocks may differ by. */
export const TOLERANCE: Seconds = seconds(30);
/** The longest life of an assertion that a service user signs. */
export const ASSERTION_LASTS: Seconds = seconds(5 * 60);
/** No symmetric one: whoever checks could sign. */
export const ALGORITHMS = ['RS256', 'ES256', 'PS256', 'EdDSA', 'Ed25519'];

/** Why somebody is not believed: for the log only. To him it is one answer. */
export class NotBelieved extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.name = 'NotBelieved';
    this.reason = reason;
  }
}
