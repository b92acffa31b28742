import type { AccessRequest } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import type { World } from '../context.ts';
import { Failure, interrupted, usage } from '../failure.ts';
import { parseDuration } from '../render/duration.ts';
import { stillNeeded } from '../render/needed.ts';
import { ranOut, settled } from './outcome.ts';
import { type Spinner, spinner } from './spinner.ts';

const DEFAULT_TIMEOUT = '10m';
/** How often a request is read again while no event tells that it changed. */
const POLL_MS = 5000;

/** @throws Failure 64 */
export function timeoutOf(text: string | undefined): number {
  const ms = parseDuration(text ?? DEFAULT_TIMEOUT);
  if (ms !== undefined) return ms;
  throw usage(`--timeout ${text} is no length of time.`, 'Pass e.g. --timeout 90s, 10m or 2h.');
}

/**
 * Waits until a request is decided, and says meanwhile who is needed. It listens to the
 * service's events and reads the request every 5 s as well: events may be lost on the way.
 * @returns the approved request.
 * @throws Failure 77 not approved, 75 out of time, 69 unreachable to the end, 130 Ctrl-C.
 */
export async function waitForDecision(
  { api, world }: Pick<Ctx, 'api' | 'world'>,
  id: string,
  timeout: string | undefined,
): Promise<AccessRequest> {
  const limit = timeoutOf(timeout);
  const wait = new Wait(await api(), world, id, world.clock.now() + limit);
  try {
    return await wait.decided();
  } finally {
    wait.stop();
  }
}

class Wait {
  private readonly spinner: Spinner;
  private readonly listening = new AbortController();
  private readonly api: Api;
  private readonly world: World;
  private readonly id: string;
  private readonly deadline: number;
  private last: AccessRequest | undefined;
  private fault: Failure | undefined;
  private changed = Promise.withResolvers<void>();

  constructor(api: Api, world: World, id: string, deadline: number) {
    this.api = api;
    this.world = world;
    this.id = id;
    this.deadline = deadline;
    this.spinner = spinner(world);
  }

  async decided(): Promise<AccessRequest> {
    let listening = false;
    for (;;) {
      await this.read();
      const done = this.last && settled(this.last);
      if (done !== undefined) return done;
      if (!listening) void this.listen();
      listening = true;
      await this.pause();
    }
  }

  stop(): void {
    this.listening.abort();
    this.spinner.stop();
  }

  /** A service that is away for a while is not the end of waiting. */
  private async read(): Promise<void> {
    try {
      this.last = await this.api.call('getAccessRequest', { params: { id: this.id } });
      this.fault = undefined;
      if (this.last.state === 'pending') this.spinner.show(`Waiting for ${stillNeeded(this.last)}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'interrupted') throw this.gaveUp();
      if (error.exit !== 69 || this.last === undefined) throw error;
      this.fault = error;
      this.spinner.show('The service cannot be reached; trying again');
    }
  }

  /** Until an event, the next poll, the deadline or Ctrl-C, whichever is first. */
  private async pause(): Promise<void> {
    const left = this.deadline - this.world.clock.now();
    if (left <= 0) throw this.fault ?? ranOut(this.last as AccessRequest);
    const { signal } = this.listening;
    const either = AbortSignal.any([signal, this.world.interrupt]);
    const nap = new AbortController();
    await Promise.race([
      this.changed.promise,
      this.world.clock.sleep(Math.min(POLL_MS, left), AbortSignal.any([either, nap.signal])),
    ]);
    nap.abort();
    this.changed = Promise.withResolvers();
    if (this.world.interrupt.aborted) throw this.gaveUp();
  }

  /** Wakes `pause` at each event. A stream that breaks is opened again at the poll's pace. */
  private async listen(): Promise<void> {
    const { signal } = this.listening;
    const params = { params: { id: this.id } };
    while (!signal.aborted && !this.world.interrupt.aborted) {
      try {
        for await (const _ of this.api.events('accessRequestEvents', params, 'request', signal))
          this.changed.resolve();
      } catch {
        // The polls go on, and say what is wrong if they fail as well.
      }
      await this.world.clock.sleep(POLL_MS, signal);
    }
  }

  private gaveUp(): Failure {
    return interrupted(
      `Stopped waiting; request ${this.id} stays as it is.`,
      `Run the same command again to go on, or \`sft request cancel ${this.id}\` to withdraw it.`,
    );
  }
}
