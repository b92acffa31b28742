import type { AccessCredential, Instant } from '@postern/shared';
import { mfaFactsOf } from '../mfa/index.ts';
import type { Tx } from '../platform/tx.ts';
import { compile } from './compile.ts';
import { evaluate } from './evaluate.ts';
import type { Facts, UserFacts } from './facts.ts';
import type { AccessMethod, PendingRequest } from './method.ts';
import type { Acr } from './model.ts';
import {
  loadApprovals,
  loadPoliciesFor,
  loadRequestTypes,
  loadServerFacts,
  loadUserFacts,
  type NamedServerFacts,
  type PendingRow,
} from './store.ts';

/** Who is evaluated on what. */
export interface Who {
  readonly user_id: string;
  readonly server_id: string;
  /** undefined: unknown, which meets no condition on it. */
  readonly client_address: string | undefined;
  /** The job whose login it is; null: it is no job's. */
  readonly binding: string | null;
  /** Whose proofs of MFA count; left out: nobody's. */
  readonly login?: {
    readonly token_id: string;
    /** Whose proof for one connection counts; null: one that no session has used. */
    readonly session_id: string | null;
  };
  /**
   * The rules that a live session was opened by. MFA is a condition of opening: these rules do
   * not ask for it again, whatever they say of it now. Others do.
   */
  readonly opened_by?: readonly string[];
}

export interface Evaluation {
  readonly user: UserFacts;
  readonly server: NamedServerFacts;
  /** Empty: as if there were no such server. */
  readonly methods: readonly AccessMethod[];
}

/**
 * Evaluates one person on one server on facts read in this transaction: for whoever acts
 * on the answer. The caller holds the revision locks (`lockDeciding`), so that nothing it
 * rests on can change before this commits. Nothing cached takes part.
 *
 * @returns undefined when the person or the server does not exist.
 */
export async function evaluateFresh(
  tx: Pick<Tx, 'sql' | 'now'>,
  who: Who,
): Promise<Evaluation | undefined> {
  const user = await loadUserFacts(tx.sql, who.user_id, tx.now);
  const [server] = await loadServerFacts(tx.sql, [who.server_id]);
  if (user === undefined || server === undefined) return undefined;
  const policies = await loadPoliciesFor(
    tx.sql,
    user.memberships.map((m) => m.group_id),
  );
  const compiled = compile({ policies, request_types: await loadRequestTypes(tx.sql) });
  const { login, opened_by, client_address } = who;
  const approvals = await loadApprovals(tx.sql, user.id, server.id);
  const proofs =
    login === undefined
      ? { mfa_instants: [] }
      : await mfaFactsOf(tx, login.token_id, login.session_id);
  const facts = { approvals, ...proofs, checkouts: [], client_address, binding: who.binding };
  const methods = (some: Facts) => evaluate(compiled, user, server, some, tx.now);
  if (opened_by === undefined) return { user, server, methods: methods(facts) };
  const isOpener = ({ rule_ids }: AccessMethod) => rule_ids.some((id) => opened_by.includes(id));
  return {
    user,
    server,
    methods: [
      ...methods({ ...facts, mfa_is_waived: true }).filter(isOpener),
      ...methods(facts).filter((method) => !isOpener(method)),
    ],
  };
}

export interface Wanted {
  readonly identity: string;
  readonly access_credential: AccessCredential;
}

export const isWanted = (method: AccessMethod, wanted: Wanted): boolean => {
  const [a, b] = [method.access_credential, wanted.access_credential];
  if (method.identity !== wanted.identity || a.type !== b.type) return false;
  return a.type === 'vaulted_account'
    ? a.account_id === (b as typeof a).account_id
    : a.admin_level_permissions === ((b as typeof a).admin_level_permissions ?? false);
};

const endOf = (method: AccessMethod): number => method.session_until ?? Number.POSITIVE_INFINITY;

/** Of the allowed methods that are wanted, the one whose session lasts longest. */
export function bestAllowed(
  methods: readonly AccessMethod[],
  wanted: Wanted,
): AccessMethod | undefined {
  return methods
    .filter((method) => method.allowed && isWanted(method, wanted))
    .reduce<AccessMethod | undefined>(
      (best, method) => (best === undefined || endOf(method) > endOf(best) ? method : best),
      undefined,
    );
}

/** The access request and its approval that meet a method's condition; null when it needs none. */
export function approvalUsed(
  method: AccessMethod,
): { request_id: string; approval_id: string } | null {
  for (const c of method.conditionals)
    if (c.type === 'access_request' && c.request_id !== null && c.approval_id !== null)
      return { request_id: c.request_id, approval_id: c.approval_id };
  return null;
}

/** The proof for one connection that meets a method's condition; null when it needs none. */
export function proofUsed(method: AccessMethod): { id: string; acr: Acr } | null {
  for (const c of method.conditionals)
    if (c.type === 'mfa' && c.proof_id !== null) return { id: c.proof_id, acr: c.acr_values };
  return null;
}

export const isRecorded = (method: AccessMethod): boolean =>
  method.conditionals.some((c) => c.type === 'gateway' && c.session_recording);

/** When an evaluation's answer stops being true by the clock alone. */
export const earliest = (...ends: readonly (Instant | null)[]): Instant | null =>
  ends.reduce<Instant | null>((a, b) => (a === null ? b : b === null || a < b ? a : b), null);

/** Finds the caller's pending request for a method, by ids. */
export function pendingFor(rows: readonly PendingRow[], binding: string | null): PendingRequest {
  return (method, requestTypeId) => {
    const credential = method.access_credential;
    const admin = credential.type === 'principal_account' && credential.admin_level_permissions;
    const row = rows.find(
      (r) =>
        r.binding === binding &&
        r.server_id === method.server_id &&
        r.identity === method.identity &&
        r.credential_type === credential.type &&
        r.privilege === method.privilege &&
        r.admin_level === admin &&
        r.request_type_id === requestTypeId,
    );
    return row?.id ?? null;
  };
}
