import type { Socket } from 'node:net';

/** Every number the gateway lives by; tests shorten them. Times are in milliseconds. */
export interface Limits {
  /** From the TCP connection to the end of authentication, the service's answer included. */
  readonly authenticateMs: number;
  readonly unauthenticated: number;
  readonly unauthenticatedPerAddress: number;
  /** Received before authentication is over: a key exchange and a few attempts need a tenth. */
  readonly unauthenticatedBytes: number;
  readonly failedAttempts: number;
  readonly connections: number;
  readonly channels: number;
  readonly remoteForwards: number;
  /** Refused channels and requests after which a connection is ended. */
  readonly refusals: number;
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
  readonly rekeyBytes: number;
  readonly rekeyMs: number;
  readonly connectMs: number;
  /** Targets reached for sessions that are not admitted yet: in all, and of one target. */
  readonly early: number;
  readonly earlyPerTarget: number;
  /** How long such a connection waits for its session's admission. */
  readonly earlyMs: number;
  /** What is not reached by then is reached anew once the session is admitted. */
  readonly earlyReachMs: number;
  readonly renewMs: number;
  readonly leaseMs: number;
  readonly tickMs: number;
  /** What a person is given to read the last line before the connection is torn down. */
  readonly farewellMs: number;
  /** A target that cannot be used is told on the client's channel: how long to wait for one. */
  readonly tellMs: number;
  /** After a target has closed: how long its last output may take to reach the client. */
  readonly drainMs: number;
  /** Bytes that may wait in this process for one socket before its sources are paused. */
  readonly socketBacklog: number;
  /** Bytes a peer may have sent on one channel that nobody has read: a window and some. */
  readonly channelBacklog: number;
  /** What a command without a terminal may write into the recording, per channel. */
  readonly recordedCommandBytes: number;
}

export const LIMITS: Limits = {
  authenticateMs: 10_000,
  unauthenticated: 256,
  unauthenticatedPerAddress: 64,
  unauthenticatedBytes: 64 * 1024,
  failedAttempts: 3,
  connections: 2000,
  channels: 10,
  remoteForwards: 10,
  refusals: 100,
  keepaliveMs: 15_000,
  keepaliveCount: 3,
  rekeyBytes: 2 ** 30,
  rekeyMs: 3_600_000,
  connectMs: 10_000,
  early: 32,
  earlyPerTarget: 2,
  earlyMs: 10_000,
  earlyReachMs: 2_000,
  renewMs: 5_000,
  leaseMs: 15_000,
  tickMs: 250,
  farewellMs: 400,
  tellMs: 3_000,
  drainMs: 5_000,
  socketBacklog: 4 * 1024 * 1024,
  channelBacklog: 8 * 1024 * 1024,
  recordedCommandBytes: 1024 * 1024,
};

/**
 * Who may knock: counts the connections that have not authenticated yet, in all and per
 * address, so that they can never crowd out the sessions (compare sshd's MaxStartups).
 */
export class Door {
  readonly #limits: Limits;
  readonly #waiting = new Map<string, number>();
  #unauthenticated = 0;
  #connections = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @returns undefined when the socket must be dropped; else call it once authenticated. */
  enter(socket: Socket): (() => void) | undefined {
    const address = socket.remoteAddress ?? '';
    const waiting = this.#waiting.get(address) ?? 0;
    if (this.#connections >= this.#limits.connections) return undefined;
    if (this.#unauthenticated >= this.#limits.unauthenticated) return undefined;
    if (waiting >= this.#limits.unauthenticatedPerAddress) return undefined;
    this.#connections += 1;
    this.#unauthenticated += 1;
    this.#waiting.set(address, waiting + 1);
    let inside = false;
    const pass = () => {
      if (inside) return;
      inside = true;
      this.#unauthenticated -= 1;
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(address);
      else this.#waiting.set(address, left);
    };
    socket.once('close', () => {
      pass();
      this.#connections -= 1;
    });
    return pass;
  }

  get unauthenticated(): number {
    return this.#unauthenticated;
  }
}
