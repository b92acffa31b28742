import type { AccessRequest, Body, Relation } from '@postern/shared';
import type { ChatCaller } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';
import { decideRequest, describePending, refuseOutsideChat } from '../requests/index.ts';
import type { Decided } from './parse.ts';

type Pending = NonNullable<Awaited<ReturnType<typeof describePending>>>;

export interface DecidedInChat {
  readonly person: ChatCaller;
  readonly request: AccessRequest;
  /** What is left to decide, as anybody may read it. */
  readonly pending: Pending | undefined;
}

/** A decision from a chat: where its type allows that, and then like every other. */
export async function decideInChat(
  tx: Tx,
  person: ChatCaller,
  relations: ReadonlySet<Relation>,
  { request_id, etag }: Decided,
  body: Body<'decideAccessRequest'>,
): Promise<DecidedInChat> {
  await refuseOutsideChat(tx, person, relations, request_id, body.decision);
  const request = await decideRequest(tx, person, relations, request_id, body, etag);
  return { person, request, pending: await describePending(tx, request_id, null) };
}

/** What this person is asked to decide of it now, as anybody may read it; nothing where he is not asked. */
export async function pendingFor(
  tx: Tx,
  person: ChatCaller,
  request_id: string,
): Promise<Pending | undefined> {
  const asked = await describePending(tx, request_id, person.user_id);
  return asked === undefined ? undefined : await describePending(tx, request_id, null);
}
