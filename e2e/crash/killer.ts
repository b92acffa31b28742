import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../world/service.ts';
import type { Random } from './random.ts';

export type Victim = 'service' | 'gateway';

interface Schedule {
  readonly kills: number;
  readonly random: Random;
  /** After each kill, once what was killed runs again. */
  readonly check: (victim: Victim) => Promise<void>;
}

/** The most calls between one kill and the next: about as many as a loop makes. */
const CALLS = 20;
/** How long after the call a kill may come: about what the slowest one takes. */
const LATE_MS = 60;

/**
 * Kills the service and its gateway by turns with SIGKILL, each at a random instant: some
 * milliseconds after some call to the service, so that it falls into somebody's work.
 */
export class Killer {
  readonly killed = { service: 0, gateway: 0 };
  /** What went wrong while something was killed, restarted or checked. */
  failure: unknown;
  #service: Service;
  readonly #schedule: Schedule;
  #calls = 0;
  #nextAt: number;
  #busy: Promise<void> = Promise.resolve();
  #isBusy = false;
  #down: Promise<void> = Promise.resolve();

  constructor(service: Service, schedule: Schedule) {
    this.#service = service;
    this.#schedule = schedule;
    this.#nextAt = schedule.random.int(5, CALLS);
  }

  service(): Service {
    return this.#service;
  }

  /** Resolves when nothing of the service is killed on purpose just now. */
  async up(): Promise<void> {
    await this.#down;
    if (this.failure !== undefined) throw this.failure;
  }

  beat(): void {
    this.#calls++;
    const { service, gateway } = this.killed;
    if (this.#isBusy || service + gateway >= this.#schedule.kills || this.#calls < this.#nextAt)
      return;
    this.#isBusy = true;
    const { random } = this.#schedule;
    const victim: Victim = service <= gateway ? 'service' : 'gateway';
    this.#busy = sleep(random.int(0, LATE_MS))
      .then(() => this.#kill(victim))
      .catch((error: unknown) => {
        this.failure = error;
      })
      .finally(() => {
        this.#nextAt = this.#calls + random.int(5, CALLS);
        this.#isBusy = false;
      });
  }

  /** Resolves when no kill is going on any more. */
  async done(): Promise<void> {
    await this.#busy;
    if (this.failure !== undefined) throw this.failure;
  }

  async #kill(victim: Victim): Promise<void> {
    this.killed[victim]++;
    if (victim === 'service') {
      const restarted = this.#service.stop('SIGKILL').then(() => this.#service.restart());
      this.#down = restarted.then(
        () => undefined,
        () => undefined, // told by `failure`
      );
      this.#service = await restarted;
    } else {
      const { pid } = this.#service;
      const gateway = await gatewayOf(pid);
      process.kill(gateway, 'SIGKILL');
      await gatewayOf(pid, gateway);
    }
    await this.#schedule.check(victim);
  }
}

/** The process id of the service's gateway, other than that of the one that was killed. */
async function gatewayOf(pid: number, not = 0): Promise<number> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    const found = children.map(Number).find((child) => child > 0 && child !== not);
    if (found !== undefined) return found;
  }
  throw new Error(`the service ${pid} has no gateway`);
}
