import type { EventType } from '@postern/shared';
import { SUCCESS, userRef } from '../platform/actor.ts';
import type { EventReference, NewEvent } from '../platform/audit.ts';
import type { Caller } from './caller.ts';

/** A thing of that type, as an event names it. */
export const refTo = (
  type: string,
  thing: { readonly id: string; readonly name: string },
): EventReference => ({ type, id: thing.id, name: thing.name });

/** The event of a change that a caller made. */
export const eventBy = (
  caller: Caller,
  type: EventType,
  targets: readonly EventReference[],
  details: Readonly<Record<string, unknown>> = {},
): NewEvent => ({
  type,
  actor: userRef(caller),
  targets,
  outcome: SUCCESS,
  details,
});
