import type { Operation, Relation } from '@postern/shared';
import { type Actor, type ChatCaller, permit } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { tokenIssuer } from '../platform/route.ts';
import { type Transact, type Tx, withEvents } from '../platform/tx.ts';
import type { PolicyCache } from '../policy/index.ts';
import type { SlackApi } from './jobs-slack.ts';
import type { ChatAccount, SlackSettings } from './model.ts';
import { callerIn } from './service.ts';

export interface SlackWorld {
  readonly transact: Transact;
  /** Writes what was refused to the log, in a transaction of its own. */
  refused(
    operation: Pick<Operation, 'id'>,
    refusal: Refusal,
    caller: Actor | undefined,
    address: string,
  ): Promise<void>;
  readonly clock: { assertSafe(): void };
  now(): Tx['now'];
  readonly cache: PolicyCache;
  readonly slack: SlackSettings;
  readonly api: SlackApi;
}

/** Who speaks, as Slack says, and where Slack called from. */
export interface Speaker {
  readonly account: ChatAccount;
  readonly address: string;
}

export type Spoken<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unlinked' };

/**
 * As a call of the API: the person and his roles are read and `act` runs in one transaction,
 * and what is refused goes to the log. Nothing is sent from inside.
 */
export async function spoken<T>(
  world: SlackWorld,
  operation: Operation,
  { account, address }: Speaker,
  act: (tx: Tx, caller: ChatCaller, relations: ReadonlySet<Relation>) => Promise<T>,
): Promise<Spoken<T>> {
  let caller: ChatCaller | undefined;
  try {
    return await world.transact(async (tx): Promise<Spoken<T>> => {
      caller = undefined;
      const person = await callerIn(tx, account);
      if (person === undefined) return { kind: 'unlinked' };
      caller = person;
      const relations = permit(operation, person);
      return { kind: 'done', value: await act(onRecord(person, tx), person, relations) };
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await world.refused(operation, error, caller, address);
    return { kind: 'refused', refusal: error };
  }
}

/** Whence he came stands with what he does: not an address, which is Slack's, but the link. */
const onRecord = (caller: ChatCaller, tx: Tx): Tx =>
  withEvents(tx, (event) =>
    event.actor.id === caller.user_id
      ? {
          ...event,
          details: {
            ...event.details,
            via: 'slack',
            chat_link_id: caller.chat_link_id,
            ...tokenIssuer(caller),
          },
        }
      : event,
  );
