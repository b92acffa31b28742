import type { Socket } from 'node:net';
import { printable } from '@postern/shared';
import type { Client, Session, Connection as SshConnection } from 'ssh2';
import { type Ask, mayOpen, type Verdict } from './channel-policy.ts';
import { type Ending, recordingFailed } from './ending.ts';
import { Forwards } from './forwards.ts';
import type { Limits } from './limits.ts';
import { Overrun } from './pipe.ts';
import type { Recording } from './recording.ts';
import { SessionChannel } from './session-channel.ts';
import type { Guard } from './world.ts';

/** What the channels of a connection need of it. */
export interface ChannelsWorld {
  readonly client: SshConnection;
  /** The client's. */
  readonly socket: Socket;
  /** As granted with the admission. */
  readonly granted: readonly string[];
  readonly limits: Limits;
  readonly recording: Recording;
  readonly guard: Guard;
  over(): boolean;
  end(ending: Ending): void;
  /** Calls `use` in the same tick as the target is there; never when it cannot be reached. */
  onTarget(use: (client: Client, socket: Socket) => void): void;
}

/** Everything a client opens on its connection: one place that counts, permits and refuses. */
export class Channels {
  readonly #world: ChannelsWorld;
  readonly #sessions = new Set<SessionChannel>();
  readonly #overrun: Overrun;
  #open = 0;
  #numbers = 0;
  #refusals = 0;
  #exitStatus: number | null = null;
  #targetGone = false;

  constructor(world: ChannelsWorld) {
    this.#world = world;
    const { client, guard, socket, limits } = world;
    this.#overrun = new Overrun(limits.channelBacklog, () =>
      world.end({ reason: 'limit_exceeded', detail: 'more data than its window allows' }),
    );
    this.#overrun.listen(socket);
    const forwards = this.#forwards();
    client.on(
      'session',
      guard((accept, reject) => this.#session(accept, reject)),
    );
    client.on(
      'tcpip',
      guard((accept, reject, info) => {
        if (this.#permit({ kind: 'direct-tcpip' }).allowed) forwards.local(accept, reject, info);
        else reject();
      }),
    );
    client.on(
      'openssh.streamlocal',
      guard((_accept, reject) => {
        this.#permit({ kind: 'streamlocal' });
        reject();
      }),
    );
    client.on(
      'request',
      guard((accept, reject, name, info) => {
        const isForward = name === 'tcpip-forward' || name === 'cancel-tcpip-forward';
        const verdict = this.#permit({ kind: isForward ? name : 'streamlocal' });
        if (!verdict.allowed || !isForward) reject?.();
        else if (name === 'tcpip-forward')
          forwards.bind(accept as (port?: number) => void, reject, info);
        else forwards.unbind(accept as () => void, reject, info);
      }),
    );
  }

  /** Of the command that ended last; null while none has. */
  get exitStatus(): number | null {
    return this.#exitStatus;
  }

  /** The target has let us in, over this socket. */
  reached(socket: Socket): void {
    this.#overrun.listen(socket);
  }

  /** A word on every live terminal. */
  tell(text: string): void {
    for (const channel of this.#sessions) channel.tell(text);
  }

  /** The target is gone. Resolves when what it had sent has been passed on. */
  async targetGone(): Promise<void> {
    this.#targetGone = true;
    await Promise.all([...this.#sessions].map((channel) => channel.settled));
  }

  /** The last lines on every channel, which is then closed. @returns whether somebody was told */
  async endWith(lines: readonly string[]): Promise<boolean> {
    const told = await Promise.all([...this.#sessions].map((channel) => channel.endWith(lines)));
    return told.some(Boolean);
  }

  drop(): void {
    for (const channel of this.#sessions) channel.drop();
  }

  #session(accept: () => Session, reject: () => void): void {
    const number = this.#take();
    if (number === undefined) {
      reject();
      return;
    }
    const { limits, socket, recording, guard, onTarget } = this.#world;
    const channel = new SessionChannel(
      number,
      accept(),
      {
        limits,
        socket,
        recording,
        guard,
        onTarget,
        overrun: this.#overrun,
        targetGone: () => this.#targetGone,
        permit: (ask) => this.#permit(ask),
        exited: (status) => {
          this.#exitStatus = status;
        },
        recordingFailed: (error) => this.#world.end(recordingFailed(error)),
      },
      () => {
        this.#sessions.delete(channel);
        this.#open -= 1;
      },
    );
    this.#sessions.add(channel);
  }

  #forwards(): Forwards {
    const { limits, client, socket, recording, guard, onTarget, over } = this.#world;
    return new Forwards({
      limits,
      client,
      socket,
      recording,
      guard,
      onTarget,
      over,
      overrun: this.#overrun,
      takeChannel: () => this.#take(),
      releaseChannel: () => {
        this.#open -= 1;
      },
    });
  }

  /** Refusals are recorded and counted. */
  #permit(ask: Ask): Verdict {
    const { granted, recording, over } = this.#world;
    if (over()) return { allowed: false, why: 'this session has ended' };
    const verdict = mayOpen(ask, granted);
    if (verdict.allowed) return verdict;
    const what = ask.kind === 'subsystem' ? `subsystem ${ask.name}` : ask.kind;
    // A failure is reported by the recording itself.
    recording.event({ type: 'refused', what: printable(what).slice(0, 100) }).catch(() => {});
    this.#refused();
    return verdict;
  }

  /** @returns the new channel's number; undefined when there are as many as there may be */
  #take(): number | undefined {
    if (this.#world.over()) return undefined;
    if (this.#open >= this.#world.limits.channels) {
      this.#refused();
      return undefined;
    }
    this.#open += 1;
    this.#numbers += 1;
    return this.#numbers;
  }

  #refused(): void {
    this.#refusals += 1;
    if (this.#refusals >= this.#world.limits.refusals)
      this.#world.end({ reason: 'limit_exceeded', lines: ['too many refused requests'] });
  }
}
