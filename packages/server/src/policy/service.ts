import type { Answer } from '@postern/shared';
import canonicalize from 'canonicalize';
import { refuseUnnamedSources } from '../directory/index.ts';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpPolicy } from '../platform/locks.ts';
import type { PageRequest } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import type { SecurityPolicy } from './model.ts';
import { directory } from './references.ts';
import {
  deletePolicyRow,
  findPolicy,
  findPolicyByName,
  insertPolicy,
  listPolicies,
  loadReferences,
  type PolicyRow,
  updatePolicy,
} from './store.ts';
import { identify, type PolicyDraft, validate } from './validate.ts';

type Stored = Answer<'getSecurityPolicy'>;

export const describePolicy = (row: PolicyRow): Stored => ({
  etag: String(row.version),
  policy: row.definition as Stored['policy'],
});

const noSuchPolicy = () =>
  new Refusal('not_found', 'There is no such security policy.', {
    next: 'See them: GET /security_policy, or apply the file that holds it.',
  });

/** @throws Refusal `policy_invalid`, every fault with its JSON pointer */
async function check(
  tx: Tx,
  input: unknown,
  previous: PolicyRow | undefined,
): Promise<PolicyDraft> {
  const references = await loadReferences(tx.sql, previous?.id);
  const result = validate(input, {
    groups: directory(references.groups),
    resource_groups: directory(references.resource_groups),
    servers: directory(references.servers),
    request_types: directory(
      references.request_types.map((t) => ({
        id: t.id,
        name: t.name,
        published_version: t.published_version,
        purpose: (t.draft as { purpose: 'server_access' | 'group_membership' }).purpose,
      })),
    ),
    taken_names: new Set(references.names),
    previous: previous === undefined ? null : (previous.definition as SecurityPolicy),
  });
  if (result.ok) return result.policy;
  throw new Refusal('policy_invalid', result.errors[0]?.detail ?? 'The policy is not valid.', {
    errors: result.errors,
    next: 'Correct what the errors point at and send the policy again.',
  });
}

export async function getPolicy(tx: Tx, id: string): Promise<Stored> {
  const row = await findPolicy(tx.sql, id);
  if (row === undefined) throw noSuchPolicy();
  return describePolicy(row);
}

/** Newest first, one more than the page holds when there is a next one. */
export const listPolicyRows = (tx: Tx, name: string | undefined, page: PageRequest) =>
  listPolicies(tx.sql, {
    limit: page.limit,
    ...(page.after === undefined ? {} : { before: page.after }),
    ...(name === undefined ? {} : { name }),
  });

/** Everybody's access may change: the policy set's lock first, the signal at the end. */
export async function createPolicy(tx: Tx, caller: Caller, input: unknown): Promise<Stored> {
  await bumpPolicy(tx.sql);
  const policy = identify(await check(tx, input, undefined), tx.ids.uuid(), tx.ids.uuid);
  const row = await insertPolicy(tx.sql, {
    id: policy.id,
    name: policy.name,
    active: policy.active,
    definition: json(policy),
    created_at: tx.now,
    updated_at: tx.now,
  });
  await refuseUnnamedSources(tx, groupsOf(policy));
  await tell(tx, caller, 'pam.security_policy.create', policy);
  return describePolicy(row);
}

/** @param etag of the version that was read; undefined: whatever is there (apply). */
export async function replacePolicy(
  tx: Tx,
  caller: Caller,
  id: string,
  input: unknown,
  etag: string | undefined,
): Promise<Stored> {
  await bumpPolicy(tx.sql);
  const before = await findPolicy(tx.sql, id);
  if (before === undefined) throw noSuchPolicy();
  if (etag !== undefined && etag !== String(before.version))
    throw new Refusal('precondition_failed', 'The policy has changed since you read it.', {
      next: 'Read it again, and make your change to what is there now.',
    });
  const policy = identify(await check(tx, input, before), id, tx.ids.uuid);
  const row = await updatePolicy(tx.sql, id, {
    name: policy.name,
    active: policy.active,
    version: before.version + 1,
    definition: json(policy),
    updated_at: tx.now,
  });
  await refuseUnnamedSources(tx, groupsOf(policy));
  await tell(tx, caller, 'pam.security_policy.update', policy);
  return describePolicy(row);
}

export async function deletePolicy(tx: Tx, caller: Caller, id: string): Promise<void> {
  await bumpPolicy(tx.sql);
  const before = await findPolicy(tx.sql, id);
  if (before === undefined) throw noSuchPolicy();
  await deletePolicyRow(tx.sql, id);
  await tell(tx, caller, 'pam.security_policy.delete', before.definition as SecurityPolicy);
}

/** For `apply`: creates or replaces by name; tells what happened. */
export async function applyPolicy(
  tx: Tx,
  caller: Caller,
  input: Readonly<Record<string, unknown>>,
) {
  const { kind: _kind, ...policy } = input;
  const before =
    typeof policy.name === 'string' ? await findPolicyByName(tx.sql, policy.name) : undefined;
  const name = String(policy.name);
  if (before === undefined) {
    await createPolicy(tx, caller, policy);
    return { kind: 'SecurityPolicy', name, action: 'create' as const, details: [] };
  }
  const draft = identify(await check(tx, policy, before), before.id, () => 'new');
  if (canonicalize(draft) === canonicalize(before.definition))
    return { kind: 'SecurityPolicy', name, action: 'unchanged' as const, details: [] };
  await replacePolicy(tx, caller, before.id, policy, undefined);
  return {
    kind: 'SecurityPolicy',
    name,
    action: 'update' as const,
    details: ['rules or principals'],
  };
}

const groupsOf = (policy: PolicyDraft): string[] =>
  policy.principals.user_groups.map((group) => group.id);

async function tell(
  tx: Tx,
  caller: Caller,
  type: `pam.security_policy.${'create' | 'update' | 'delete'}`,
  policy: SecurityPolicy,
): Promise<void> {
  await tx.audit({
    type,
    actor: userRef(caller),
    targets: [{ type: 'security_policy', id: policy.id, name: policy.name }],
    outcome: SUCCESS,
    rule_ids: policy.rules.map((rule) => rule.id),
    details: { policy },
  });
  await tx.signal({ kind: 'policy' });
}
