import type { EventType } from '@postern/shared';
import { failure } from './actor.ts';
import type { EventReference, NewEvent } from './audit.ts';

/** Somebody who is refused: a person by his id, everybody else by his address. */
export interface Refused {
  readonly type: EventType;
  readonly actor: EventReference;
  readonly address: string;
}

/**
 * Whoever may be refused as often as he likes must not fill the log, or the disk, with it:
 * so many refusals a minute are events of their own, the others are counted.
 */
export interface Refusals {
  /** @returns whether this one is put on record by itself; if not it is counted. */
  take(refused: Refused): boolean;
  /** Events of what was counted in minutes that are over, or with `all` so far; once each. */
  counted(all?: boolean): NewEvent[];
}

const MINUTE_MS = 60_000;
const OF_ONE = 60;
const OF_ALL = 600;
/** Of whom it is known who they are; the counts of further ones stand together. */
const MAX_KNOWN = 1_000;

interface Tally extends Refused {
  recorded: number;
  counted: number;
}

/** @param monotonic milliseconds that only ever grow */
export function createRefusals(monotonic: () => number): Refusals {
  let since = monotonic();
  let recorded = 0;
  let tallies = new Map<string, Tally>();
  let over: NewEvent[] = [];

  const turn = (all = false): void => {
    if (!all && monotonic() - since < MINUTE_MS) return;
    over.push(...[...tallies.values()].filter(({ counted }) => counted > 0).map(eventOf));
    tallies = new Map();
    recorded = 0;
    since = monotonic();
  };
  const tallyOf = (refused: Refused): Tally => {
    const { type, actor, address } = refused;
    const own = `${type} ${actor.type === 'user' ? actor.id : address}`;
    const isKnown = tallies.has(own) || tallies.size < MAX_KNOWN;
    const key = isKnown ? own : type;
    const who = isKnown ? refused : { type, actor: OTHERS, address: '' };
    const tally = tallies.get(key) ?? { ...who, recorded: 0, counted: 0 };
    tallies.set(key, tally);
    return tally;
  };
  return {
    take: (refused) => {
      turn();
      const tally = tallyOf(refused);
      if (tally.recorded < OF_ONE && recorded < OF_ALL) {
        tally.recorded += 1;
        recorded += 1;
        return true;
      }
      tally.counted += 1;
      return false;
    },
    counted: (all) => {
      turn(all);
      const events = over;
      over = [];
      return events;
    },
  };
}

const OTHERS: EventReference = { type: 'unknown', id: null, name: null };

const eventOf = ({ type, actor, address, counted }: Tally): NewEvent => ({
  type,
  actor,
  targets: [],
  outcome: failure('too_many_to_record'),
  client_address: address === '' ? null : address,
  details: { count: counted },
});
