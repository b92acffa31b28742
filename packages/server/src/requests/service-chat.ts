import type { Relation } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import type { Decision, Field } from './model.ts';
import { runningVersion, versionOf } from './service-running.ts';
import { findVisible } from './service-view.ts';
import { findType } from './store-types.ts';

/**
 * Refuses a decision from a chat unless the version of its type that the request runs on, and
 * the published one, which an administrator may have changed since, both say `chat: true`. A
 * stranger is told the same as for a request that does not exist.
 */
export async function refuseOutsideChat(
  tx: Tx,
  caller: Actor,
  relations: ReadonlySet<Relation>,
  id: string,
  decision: Decision,
): Promise<void> {
  // The requester may see it, and is told by the decision itself why he cannot decide.
  const { row, definition } = await findVisible(
    tx,
    caller,
    new Set([...relations, 'self' as const]),
    id,
  );
  const running = await runningVersion(tx, row.request_type_id);
  if (allowsChat(definition) && (running === undefined || allowsChat(running))) return;
  throw new Refusal('not_permitted', 'Requests of this type are not decided from a chat.', {
    next: `Decide it in a terminal: sft-admin ${decision} ${id}`,
  });
}

/** A version from before there was such a field says nothing of it. */
const allowsChat = (definition: { readonly chat?: boolean }): boolean => definition.chat === true;

export interface PublishedForm {
  readonly name: string;
  readonly version: number;
  readonly fields: readonly Field[];
}

/** What a published request type asks. */
export async function publishedForm(tx: Tx, id: string): Promise<PublishedForm | undefined> {
  const type = await findType(tx.sql, id);
  const version = type?.state === 'published' ? type.published_version : null;
  const definition = await versionOf(tx, id, version);
  if (definition === undefined || version === null) return undefined;
  return { name: definition.name, version, fields: definition.fields };
}
