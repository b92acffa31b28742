import { createHash } from 'node:crypto';
import type { AccessCredential } from '@postern/shared';
import canonicalize from 'canonicalize';
import type { Job } from '../workload/index.ts';
import type { GroupTarget } from './membership.ts';

/**
 * What the approver is shown, fixed when the request is raised. The approval is bound to
 * its digest: what changed afterwards was not approved.
 */
export interface Card {
  readonly requester: { readonly id: string; readonly name: string; readonly login: string };
  readonly request_type: {
    readonly id: string;
    readonly name: string;
    readonly version: number;
    readonly digest: string;
  };
  readonly target: ServerTarget | GroupTarget;
  readonly answers: Readonly<Record<string, string>>;
  /** The job that asks; absent: it is no job. */
  readonly job?: Job & {
    /** Somebody behind it is not known: each step then takes two. */
    readonly needs_two: boolean;
  };
}

export interface ServerTarget {
  readonly type: 'server_access';
  readonly server: {
    readonly id: string;
    readonly name: string;
    readonly os_type: string;
    readonly project_name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly identity_revision: number;
  };
  readonly identity: string;
  readonly access_credential: AccessCredential;
  readonly privilege: string;
  readonly channels: readonly string[];
  /** Rule id → for how many seconds. */
  readonly periods: Readonly<Record<string, number>>;
}

/** SHA-256 (hex) of the canonical JSON (RFC 8785) of a value. */
export function digestOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a JSON form has no digest');
  return createHash('sha256').update(text).digest('hex');
}

/** The longest period on the card, in seconds: no approval lasts longer. */
export const longestPeriod = ({ periods }: Pick<ServerTarget, 'periods'>): number =>
  Math.max(0, ...Object.values(periods));
