import type { EventType } from '@postern/shared';
import { SUCCESS } from '../platform/actor.ts';
import type { EventReference, NewEvent } from '../platform/audit.ts';
import { type Actor, type Author, authorOf } from './caller.ts';

/** A thing of that type, as an event names it. */
export const refTo = (
  type: string,
  thing: { readonly id: string; readonly name: string },
): EventReference => ({ type, id: thing.id, name: thing.name });

/** The event of a change that a caller made. */
export const eventBy = (
  caller: Actor,
  type: EventType,
  targets: readonly EventReference[],
  details: Readonly<Record<string, unknown>> = {},
): NewEvent => eventFrom(authorOf(caller), type, targets, details);

/** The event of a change, whoever made it: a caller, a connection, the service itself. */
export const eventFrom = (
  author: Pick<Author, 'actor'>,
  type: EventType,
  targets: readonly EventReference[],
  details: Readonly<Record<string, unknown>> = {},
): NewEvent => ({ type, actor: author.actor, targets, outcome: SUCCESS, details });
