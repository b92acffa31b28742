import { type Admitted, printable, type TargetAddress } from '@postern/shared';
import type { Limits } from './limits.ts';
import type { Logger } from './log.ts';
import type { Reached } from './reach.ts';

export interface EarlyWorld {
  readonly limits: Pick<Limits, 'earlyMs' | 'early' | 'earlyPerTarget'>;
  readonly log: Logger;
  /** Reaches a target without logging in; closes what it has when `abort` is aborted. */
  readonly reach: (address: TargetAddress, abort: AbortSignal) => Promise<Reached>;
}

interface Entry {
  readonly address: TargetAddress;
  readonly reached: Promise<Reached | undefined>;
  readonly life: AbortController;
  readonly expiry: NodeJS.Timeout;
}

/**
 * Connections to the targets of sessions that are opened and not admitted yet: the target is
 * reached while the client is on its way. They carry no authentication request before the
 * session is admitted.
 *
 * To a target each is a connection that may never log in: sshd counts those against
 * MaxStartups, closes them after LoginGraceTime, and holds them against the address they
 * come from (PerSourcePenalties). So there are few, for a short time, and one that was not
 * used keeps its place until that time is over: opening and ending sessions in a loop makes
 * no more of them.
 */
export class EarlyDials {
  readonly #world: EarlyWorld;
  readonly #entries = new Map<string, Entry>();

  constructor(world: EarlyWorld) {
    this.#world = world;
  }

  /** @param secondsLeft until the session can no longer be admitted. */
  opened(id: string, address: TargetAddress, secondsLeft: number): void {
    const { limits, reach } = this.#world;
    const entries = [...this.#entries.values()];
    const there = entries.filter((entry) => isSamePlace(entry.address, address));
    if (this.#entries.has(id) || secondsLeft <= 0) return;
    if (entries.length >= limits.early || there.length >= limits.earlyPerTarget) return;
    const life = new AbortController();
    const reached = reach(address, life.signal).catch((error: Error) => {
      this.#world.log.debug({ session_id: id, why: printable(error.message) }, 'not reached early');
      return undefined;
    });
    const ms = Math.min(secondsLeft * 1000, limits.earlyMs);
    const expiry = setTimeout(() => {
      this.#entries.delete(id);
      life.abort();
    }, ms).unref();
    this.#entries.set(id, { address, reached, life, expiry });
  }

  /**
   * The connection for an admitted session, if one was made to exactly where the admission
   * says, trusting exactly the host keys that it says.
   * @param abort closes it from now on.
   */
  async take({ session_id, target }: Admitted, abort: AbortSignal): Promise<Reached | undefined> {
    const entry = this.#entries.get(session_id);
    if (entry === undefined) return undefined;
    clearTimeout(entry.expiry);
    this.#entries.delete(session_id);
    if (isSame(entry.address, target)) {
      if (abort.aborted) entry.life.abort();
      abort.addEventListener('abort', () => entry.life.abort());
      return entry.reached;
    }
    entry.life.abort();
    return undefined;
  }

  /** The session has ended: closes its connection, whose place stays taken until its time is over. */
  close(id: string): void {
    this.#entries.get(id)?.life.abort();
  }

  closeAll(): void {
    for (const { life } of this.#entries.values()) life.abort();
  }
}

const isSamePlace = (a: TargetAddress, b: TargetAddress): boolean =>
  a.host === b.host && a.port === b.port;

const isSame = (a: TargetAddress, b: TargetAddress): boolean =>
  isSamePlace(a, b) &&
  a.allow_local_address === b.allow_local_address &&
  a.host_keys.length === b.host_keys.length &&
  a.host_keys.every((line, i) => line === b.host_keys[i]);
