import type { TSchema } from 'typebox';

export const ROLES = [
  'end_user',
  'resource_admin',
  'security_admin',
  'pam_admin',
  'auditor',
] as const;
export type Role = (typeof ROLES)[number];

/** What the caller is to the thing the operation is about. */
export type Relation = 'self' | 'approver_of' | 'owner_of' | 'any';

/** A role that may call, and for which things. */
export type Grant = readonly [Role, Relation];

/**
 * Who may call.
 * - grants: a person or service user with one of these roles, in that relation;
 * - `authenticated`: anybody with a valid token, about himself only;
 * - `gateway`: a gateway's signature (RFC 9421), no token;
 * - `public`: nobody is asked for credentials.
 */
export type Access = readonly Grant[] | 'authenticated' | 'gateway' | 'public';

export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** RFC 6570 level 1; `{team}` is the team's name. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: Access;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Success statuses and their bodies. */
  readonly ok: Readonly<Record<number, TSchema>>;
  /** `required`: If-Match must name the ETag that was read (RFC 9110 §13.1.1). */
  readonly if_match?: 'required';
  /** The answer is a stream of server-sent events. */
  readonly sse?: true;
  /** The answer holds a secret or moves one: no Idempotency-Key, `Cache-Control: no-store`. */
  readonly secret?: true;
  /** Only reads: cached authentication (at most 1 s old) is enough. */
  readonly cached_auth?: true;
  /**
   * It changes the groups of the caller himself: his lock is taken for that from the start.
   * Two calls that both held it for reading would wait for one another.
   */
  readonly changes_caller?: true;
}

export const operation = <const T extends Operation>(spec: T): T => spec;

export const TEAM = '/v1/teams/{team}';
