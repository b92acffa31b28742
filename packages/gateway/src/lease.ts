import { END_REASONS, type EndReason, type GatewaySignal } from '@postern/shared';
import type { LeaseAnswer } from './service-port.ts';

/** What must happen to a session now. */
export type Due =
  | {
      readonly id: string;
      readonly do: 'end';
      readonly reason: EndReason;
      readonly message: string;
    }
  | { readonly id: string; readonly do: 'warn'; readonly secondsLeft: number };

export interface Renewal {
  readonly startedAt: number;
  readonly ids: readonly string[];
}

interface Entry {
  endsAt: number;
  /** When a signal set the end: an answer to an earlier question must not undo it. */
  signaledAt: number;
  /** Thresholds (seconds) that were announced, or lay in the past when the end was set. */
  warned: Set<number>;
}

const WARN_AT_SECONDS = [300, 60];
/** How long a cut of a session that is not here yet is remembered: its admission is under way. */
const REMEMBER_CUT_MS = 120_000;

/**
 * The gateway's view of what it may keep open. Pure: instants of a monotonic clock, in
 * milliseconds, are arguments; what must happen is returned. Every bound is counted from
 * the moment a question was *sent*, so that a slow answer never lengthens anything.
 */
export class Leases {
  readonly #leaseMs: number;
  readonly #sessions = new Map<string, Entry>();
  readonly #cutEarly = new Map<string, { readonly due: Due; readonly at: number }>();
  #validUntil: number;

  constructor(leaseMs: number, startedAt: number) {
    this.#leaseMs = leaseMs;
    this.#validUntil = startedAt + leaseMs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  isLost(at: number): boolean {
    return at >= this.#validUntil;
  }

  /** @returns the cut that overtook the admission, if there was one. */
  add(id: string, secondsLeft: number, askedAt: number): Due | undefined {
    const early = this.#cutEarly.get(id)?.due;
    if (early !== undefined) return early;
    this.#sessions.set(id, entryOf(askedAt, secondsLeft));
    return undefined;
  }

  remove(id: string): void {
    this.#sessions.delete(id);
  }

  startRenewal(at: number): Renewal {
    return { startedAt: at, ids: [...this.#sessions.keys()] };
  }

  /** A session of the renewal that the answer does not list is not allowed any more. */
  renewed(renewal: Renewal, answer: LeaseAnswer): Due[] {
    const leaseMs = Math.min(answer.lease_seconds * 1000, this.#leaseMs);
    this.#validUntil = Math.max(this.#validUntil, renewal.startedAt + leaseMs);
    const listed = new Map(answer.sessions.map((s) => [s.id, s.seconds_left]));
    const cut = new Map(answer.cut.map((c) => [c.id, c]));
    return renewal.ids.flatMap((id): Due[] => {
      const entry = this.#sessions.get(id);
      if (entry === undefined) return [];
      const order = cut.get(id);
      if (order !== undefined) return [endBecause(id, order.reason, order.message)];
      const left = listed.get(id);
      if (left === undefined)
        return [endBecause(id, 'terminated', 'the service does not allow it any more')];
      if (entry.signaledAt < renewal.startedAt) move(entry, renewal.startedAt, left);
      return [];
    });
  }

  signaled(signal: GatewaySignal, at: number): Due[] {
    if (signal.type === 'hello' || signal.type === 'opening') return [];
    const entry = this.#sessions.get(signal.session_id);
    if (signal.type === 'cut') {
      const due = endBecause(signal.session_id, signal.reason, signal.message);
      if (entry !== undefined) return [due];
      this.#cutEarly.set(signal.session_id, { due, at });
      return [];
    }
    if (entry === undefined) return [];
    entry.signaledAt = at;
    move(entry, at, signal.seconds_left);
    return [];
  }

  /** Everything that is due at `at`; a warning is returned once. */
  tick(at: number): Due[] {
    for (const [id, { at: cutAt }] of this.#cutEarly)
      if (at - cutAt > REMEMBER_CUT_MS) this.#cutEarly.delete(id);
    const lost = this.isLost(at);
    return [...this.#sessions].flatMap(([id, entry]): Due[] => {
      if (lost) return [endBecause(id, 'lease_lost', 'the policy service cannot be reached')];
      if (at >= entry.endsAt) return [endBecause(id, 'expired', 'its time is over')];
      const secondsLeft = Math.ceil((entry.endsAt - at) / 1000);
      const crossed = WARN_AT_SECONDS.filter((t) => secondsLeft <= t && !entry.warned.has(t));
      for (const threshold of crossed) entry.warned.add(threshold);
      return crossed.length === 0 ? [] : [{ id, do: 'warn', secondsLeft }];
    });
  }
}

function entryOf(from: number, secondsLeft: number): Entry {
  const warned = new Set(WARN_AT_SECONDS.filter((t) => secondsLeft <= t));
  return { endsAt: from + secondsLeft * 1000, signaledAt: Number.NEGATIVE_INFINITY, warned };
}

/** A later end makes its warnings due again. */
function move(entry: Entry, from: number, secondsLeft: number): void {
  entry.endsAt = from + secondsLeft * 1000;
  for (const threshold of WARN_AT_SECONDS)
    if (secondsLeft > threshold) entry.warned.delete(threshold);
}

function endBecause(id: string, reason: string, message: string): Due {
  const known = (END_REASONS as readonly string[]).includes(reason);
  return { id, do: 'end', reason: known ? (reason as EndReason) : 'terminated', message };
}
