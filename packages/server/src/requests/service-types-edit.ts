import type { Caller } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpPolicy } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { usesOfRequestTypes } from '../policy/index.ts';
import { describeType, noSuchType, readDefinition, tellOfType } from './service-types.ts';
import { deleteType, findType, type TypeRow, updateType } from './store-types.ts';

/** Replaces the draft. What runs stays as it is until the draft is published. */
export async function replaceType(
  tx: Tx,
  caller: Caller,
  id: string,
  input: unknown,
  etag: string | undefined,
) {
  await bumpPolicy(tx.sql);
  const before = await findType(tx.sql, id);
  if (before === undefined) throw noSuchType();
  if (etag !== String(before.etag))
    throw new Refusal('precondition_failed', 'The request type has changed since you read it.', {
      next: 'Read it again, and make your change to what is there now.',
    });
  const definition = await readDefinition(tx, input);
  if (definition.name !== before.name)
    throw new Refusal('invalid_request', '/name: a request type keeps its name.', {
      errors: [{ pointer: '/name', code: 'immutable', detail: 'a request type keeps its name' }],
      next: 'Create another one under the new name, and retire this one.',
    });
  const row = await updateType(tx.sql, id, { draft: json(input), etag: before.etag + 1 });
  await tellOfType(tx, caller, 'pam.request_type.update', row);
  return describeType(tx, row);
}

/**
 * Takes it out of use: nobody raises a request of it any more, and those that run keep
 * their version. One that was never published is removed. Refused while an active policy
 * names it, for its rule would then open nothing.
 */
export async function retireType(tx: Tx, caller: Caller, id: string): Promise<void> {
  await bumpPolicy(tx.sql);
  const before = await findType(tx.sql, id);
  if (before === undefined) throw noSuchType();
  if (before.state === 'retired') return;
  await refuseUsed(tx, before);
  if (before.published_version === null) await deleteType(tx.sql, id);
  else await updateType(tx.sql, id, { state: 'retired', etag: before.etag + 1 });
  await tellOfType(tx, caller, 'pam.request_type.retire', before);
}

async function refuseUsed(tx: Tx, { id, name }: TypeRow): Promise<void> {
  const uses = (await usesOfRequestTypes(tx)).filter((use) => use.request_type_id === id);
  if (uses.length === 0) return;
  const policies = [...new Set(uses.map((use) => use.policy.name))].join(', ');
  throw new Refusal('state_conflict', `${name} is used by active policies: ${policies}.`, {
    next: 'Change or deactivate them first.',
  });
}
