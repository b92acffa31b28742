import type { Socket } from 'node:net';
import { type Admitted, type EndReason, printable } from '@postern/shared';
import type { Client, Session, Connection as SshConnection } from 'ssh2';
import { plainAddress } from './address.ts';
import { Authentication } from './admission.ts';
import { SERVER_ALGORITHMS } from './algorithms.ts';
import { type Ask, mayOpen } from './channel-policy.ts';
import { Forwards } from './forwards.ts';
import { NOT_RECORDED, openRecording, type Recording } from './recording.ts';
import { type ChannelHost, SessionChannel } from './session-channel.ts';
import { disconnect, rekeyTarget, sendBanner, writeBeforeStart } from './ssh-seams.ts';
import { Server } from './ssh2.ts';
import { connectTarget, type Target, TargetFailure } from './target.ts';
import type { World } from './world.ts';

/** What the gateway keeps about its connections. */
export interface Registry {
  /** @returns undefined when it may live, else why it must end at once. */
  admitted(connection: Connection, admitted: Admitted, askedAt: number): Ending | undefined;
  loggedIn(connection: Connection): void;
  ended(connection: Connection, ended: Ended): void;
}

export interface Ending {
  readonly reason: EndReason;
  /** For the person, without prefix; none when there is nobody to tell. */
  readonly lines?: readonly string[];
  /** For the record. */
  readonly detail?: string;
}

export interface Ended {
  readonly reason: EndReason;
  readonly exitStatus: number | null;
  readonly recordingSha256: string | null;
  readonly detail: string | null;
}

const DISCONNECT_BY_APPLICATION = 11;

/**
 * One client connection, from the TCP socket to the end: authentication and admission, the
 * connection to the target, the channels. Whatever goes wrong inside ends this connection
 * alone: every handler runs under `guard`.
 */
export class Connection {
  readonly #world: World;
  readonly #registry: Registry;
  readonly #socket: Socket;
  readonly #channels = new Set<SessionChannel>();
  readonly #abort = new AbortController();
  readonly #onAuthenticated: () => void;
  #client: SshConnection | undefined;
  #admitted: Admitted | undefined;
  #recording: Recording = NOT_RECORDED;
  #target: Promise<Target> | undefined;
  #ending: Promise<void> | undefined;
  #channelCount = 0;
  #channelNumber = 0;
  #refusals = 0;
  #exitStatus: number | null = null;
  #targetGone = false;
  #overdue: NodeJS.Timeout;

  constructor(socket: Socket, world: World, registry: Registry, onAuthenticated: () => void) {
    this.#world = world;
    this.#registry = registry;
    this.#socket = socket;
    this.#onAuthenticated = onAuthenticated;
    this.#overdue = setTimeout(() => socket.destroy(), world.limits.authenticateMs);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => this.#closed());
    this.#greet();
  }

  get sessionId(): string | undefined {
    return this.#admitted?.session_id;
  }

  /** A word on every live terminal. */
  tell(text: string): void {
    this.#event({ type: 'told', text });
    for (const channel of this.#channels) channel.tell(text);
  }

  /**
   * Ends the session: the target's connection at once, the client's after its last line.
   * Resolves when the recording is finished and the end is reported. Safe to call again.
   */
  end(ending: Ending): Promise<void> {
    this.#ending ??= this.#end(ending);
    return this.#ending;
  }

  /** One ssh2 server per socket: the two are known to belong together, and fail together. */
  #greet(): void {
    const { limits, hostKey, log } = this.#world;
    const server = new Server(
      {
        hostKeys: [{ key: hostKey.parsed }],
        algorithms: SERVER_ALGORITHMS,
        ident: 'Postern',
        keepaliveInterval: limits.keepaliveMs,
        keepaliveCountMax: limits.keepaliveCount,
      },
      this.#guard((client: SshConnection) => this.#serve(client)),
    );
    server.on('error', (error: Error) => log.warn({ err: error }, 'ssh server'));
    server.injectSocket(this.#socket);
    this.#socket.on('data', () => {
      if (this.#admitted !== undefined) return;
      if (this.#socket.bytesRead > limits.unauthenticatedBytes) this.#socket.destroy();
    });
  }

  #serve(client: SshConnection): void {
    this.#client = client;
    const { service, limits, monotonic, log } = this.#world;
    const clientAddress = plainAddress(this.#socket.remoteAddress ?? '');
    const authentication = new Authentication({
      service,
      clientAddress,
      failedAttempts: limits.failedAttempts,
      monotonic,
      onAdmitted: (admitted, askedAt) => this.#onAdmitted(admitted, askedAt, clientAddress),
      onRefused: (line) => sendBanner(client, printable(line)),
      onExhausted: (why) => {
        log.info({ client_address: clientAddress, why: printable(why) }, 'login refused');
        this.#hangUp(client);
      },
    });
    client.on(
      'authentication',
      this.#guard((ctx) => authentication.on(ctx)),
    );
    client.on('error', (error: Error & { level?: string }) => this.#failed(error));
    client.on(
      'ready',
      this.#guard(() => this.#ready(client)),
    );
  }

  async #onAdmitted(admitted: Admitted, askedAt: number, clientAddress: string): Promise<boolean> {
    this.#admitted = admitted;
    clearTimeout(this.#overdue);
    const end = (ending: Ending) => {
      for (const line of ending.lines ?? [])
        if (this.#client !== undefined) sendBanner(this.#client, line);
      void this.end({ ...ending, lines: [] });
      return false;
    };
    const refusal = this.#registry.admitted(this, admitted, askedAt);
    if (refusal !== undefined) return end(refusal);
    if (admitted.recorded) {
      try {
        this.#recording = await this.#openRecording(admitted, clientAddress);
      } catch (error) {
        return end(recordingFailed(error));
      }
    }
    if (this.#socket.destroyed) return end({ reason: 'client_closed' });
    if (this.#ending !== undefined) return false;
    this.#target = this.#connect(admitted);
    return true;
  }

  #openRecording(admitted: Admitted, clientAddress: string): Promise<Recording> {
    const { openSink, monotonic, now, recordingDirectory, limits } = this.#world;
    const { session_id, user_name, server_name, identity, request_id } = admitted;
    return openRecording(
      { session_id, user_name, server_name, identity, request_id, client_address: clientAddress },
      {
        directory: recordingDirectory,
        openSink,
        monotonic,
        now,
        commandBytes: limits.recordedCommandBytes,
      },
      (error) => void this.end(recordingFailed(error)),
    );
  }

  async #connect(admitted: Admitted): Promise<Target> {
    const { limits, listener, hostKey } = this.#world;
    try {
      const target = await connectTarget(admitted, {
        limits,
        listener: listener(),
        ownHostKey: hostKey.blob,
        abort: this.#abort.signal,
      });
      this.#abort.signal.addEventListener('abort', () => {
        target.client.end();
        target.socket.destroy();
      });
      if (this.#abort.signal.aborted) target.socket.destroy();
      target.client.once(
        'close',
        this.#guard(() => this.#targetClosed()),
      );
      this.#event({ type: 'login' });
      this.#registry.loggedIn(this);
      return target;
    } catch (error) {
      const ending = targetFailed(error);
      // The person is told on his channel, which he is about to open.
      const wait = setTimeout(() => void this.end(ending), limits.tellMs);
      this.#abort.signal.addEventListener('abort', () => clearTimeout(wait));
      throw error;
    }
  }

  /** What the target has printed is shown first, and the statuses it sent are passed on. */
  #targetClosed(): void {
    this.#targetGone = true;
    const settled = Promise.all([...this.#channels].map((channel) => channel.settled));
    void within(this.#world.limits.drainMs, settled).then(() => this.end(TARGET_CLOSED));
  }

  #ready(client: SshConnection): void {
    this.#onAuthenticated();
    this.#target?.catch(() => {});
    const { limits } = this.#world;
    const shared = {
      limits,
      socket: this.#socket,
      recording: this.#recording,
      over: () => this.#ending !== undefined,
      onTarget: (use: (client: Client, socket: Socket) => void) => this.#onTarget(use),
      guard: this.#guard,
    };
    const host: ChannelHost = {
      ...shared,
      targetGone: () => this.#targetGone,
      permit: (ask, session) => this.#permit(ask, session),
      exited: (status) => {
        this.#exitStatus = status;
      },
      recordingFailed: (error) => void this.end(recordingFailed(error)),
    };
    const forwards = new Forwards({
      ...shared,
      client,
      takeChannel: () => this.#takeChannel(),
      releaseChannel: () => this.#releaseChannel(),
    });
    client.on(
      'session',
      this.#guard((accept, reject) => {
        const number = this.#takeChannel();
        if (number === undefined) return reject();
        const session = accept();
        const channel = new SessionChannel(number, session, host, () => {
          this.#channels.delete(channel);
          this.#releaseChannel();
        });
        this.#channels.add(channel);
      }),
    );
    client.on(
      'tcpip',
      this.#guard((accept, reject, info) => {
        if (!this.#permit({ kind: 'direct-tcpip' })) return reject();
        forwards.local(accept, reject, info);
      }),
    );
    client.on(
      'openssh.streamlocal',
      this.#guard((_accept, reject) => {
        this.#permit({ kind: 'streamlocal' });
        reject();
      }),
    );
    client.on(
      'request',
      this.#guard((accept, reject, name, info) => {
        if (name === 'tcpip-forward' || name === 'cancel-tcpip-forward') {
          if (!this.#permit({ kind: name })) return reject?.();
          if (name === 'tcpip-forward')
            forwards.bind(accept as (port?: number) => void, reject, info);
          else forwards.unbind(accept as () => void, reject, info);
          return;
        }
        this.#permit({ kind: 'streamlocal' });
        reject?.();
      }),
    );
    this.#keepFresh(client);
  }

  /** New session keys now and then (RFC 4253 §9): towards the client and the target. */
  #keepFresh(client: SshConnection): void {
    const { limits, monotonic } = this.#world;
    const sides: Array<{ rekey: () => void; socket: Socket; bytes: number; at: number }> = [];
    const watch = (socket: Socket, rekey: () => void) =>
      sides.push({ rekey, socket, bytes: 0, at: monotonic() });
    watch(this.#socket, () => client.rekey());
    this.#target?.then(
      ({ client: up, socket }) => watch(socket, () => rekeyTarget(up)),
      () => {},
    );
    const timer = setInterval(
      this.#guard(() => {
        for (const side of sides) {
          const bytes = side.socket.bytesRead + side.socket.bytesWritten;
          const due =
            bytes - side.bytes >= limits.rekeyBytes || monotonic() - side.at >= limits.rekeyMs;
          if (!due || side.socket.destroyed) continue;
          side.bytes = bytes;
          side.at = monotonic();
          side.rekey();
        }
      }),
      limits.tickMs,
    );
    this.#abort.signal.addEventListener('abort', () => clearInterval(timer));
  }

  #onTarget(use: (client: Client, socket: Socket) => void): void {
    this.#target?.then(
      ({ client, socket }) => {
        if (this.#ending === undefined) use(client, socket);
      },
      (error: unknown) => void this.end(targetFailed(error)),
    );
  }

  #permit(ask: Ask, session?: Session): boolean {
    if (this.#ending !== undefined) return false;
    const verdict = mayOpen(ask, this.#admitted?.channels ?? []);
    if (verdict.allowed) return true;
    const what = ask.kind === 'subsystem' ? `subsystem ${ask.name}` : ask.kind;
    this.#event({ type: 'refused', what: printable(what).slice(0, 100) });
    if (
      session !== undefined &&
      this.#client !== undefined &&
      ask.kind !== 'agent' &&
      ask.kind !== 'x11'
    )
      writeBeforeStart(this.#client, session, `sft: ${verdict.why}\r\n`);
    this.#refusals += 1;
    if (this.#refusals >= this.#world.limits.refusals)
      void this.end({ reason: 'limit_exceeded', lines: ['too many refused requests'] });
    return false;
  }

  #takeChannel(): number | undefined {
    if (this.#ending !== undefined) return undefined;
    if (this.#channelCount >= this.#world.limits.channels) {
      this.#refusals += 1;
      return undefined;
    }
    this.#channelCount += 1;
    this.#channelNumber += 1;
    return this.#channelNumber;
  }

  #releaseChannel(): void {
    this.#channelCount -= 1;
  }

  #event(event: Parameters<Recording['event']>[0]): void {
    // A failure is reported by the recording itself.
    this.#recording.event(event).catch(() => {});
  }

  #failed(error: Error & { level?: string; code?: string }): void {
    if (this.#admitted === undefined) return void this.#socket.destroy();
    if (error.level === 'client-timeout') void this.end({ reason: 'keepalive_lost' });
    else if (error.level === 'socket') void this.end({ reason: 'client_closed' });
    else void this.end({ reason: 'protocol_error', detail: error.message });
  }

  #closed(): void {
    clearTimeout(this.#overdue);
    if (this.#admitted !== undefined) void this.end({ reason: 'client_closed' });
  }

  /** Lets the refusal arrive, then closes. */
  #hangUp(client: SshConnection): void {
    setTimeout(() => {
      quietly(() => client.end());
      setTimeout(() => this.#socket.destroy(), this.#world.limits.farewellMs).unref();
    }, 50).unref();
  }

  async #end(ending: Ending): Promise<void> {
    const { limits, log } = this.#world;
    const lines = (ending.lines ?? []).map(printable);
    const told = lines.length === 0 ? [] : [`sft: session ended: ${lines[0]}`, ...lines.slice(1)];
    this.#event({ type: 'ended', reason: ending.reason });
    const farewell = this.#farewell(told);
    // Nothing reaches the target any more from here on.
    this.#abort.abort();
    const heard = await within(limits.farewellMs, farewell);
    // A client that is disconnected at once shows nothing of what has just arrived; one whose
    // last channel was closed leaves by itself.
    if (heard === true) await within(limits.farewellMs, gone(this.#socket));
    const client = this.#client;
    if (client !== undefined && !this.#socket.destroyed)
      quietly(() => {
        if (heard === true || told.length === 0) client.end();
        else {
          disconnect(client, DISCONNECT_BY_APPLICATION, told.join(' '));
          this.#socket.end();
        }
      });
    for (const channel of this.#channels) quietly(() => channel.drop());
    const destroy = setTimeout(() => this.#socket.destroy(), limits.farewellMs);
    this.#socket.once('close', () => clearTimeout(destroy));
    const recordingSha256 = await this.#recording.finish().catch((error: unknown) => {
      log.error({ session_id: this.sessionId, err: error }, 'recording not finished');
      return null;
    });
    this.#registry.ended(this, {
      reason: ending.reason,
      exitStatus: this.#exitStatus,
      recordingSha256,
      detail: ending.detail === undefined ? null : printable(ending.detail).slice(0, 500),
    });
  }

  /** @returns whether somebody was told. */
  async #farewell(lines: readonly string[]): Promise<boolean> {
    if (this.#socket.destroyed) return false;
    const told = await Promise.all([...this.#channels].map((channel) => channel.endWith(lines)));
    return told.some(Boolean);
  }

  /** Runs a handler so that what it throws ends this connection and no other. */
  readonly #guard =
    <A extends unknown[]>(handler: (...args: A) => void) =>
    (...args: A): void => {
      try {
        handler(...args);
      } catch (error) {
        this.#world.log.error({ session_id: this.sessionId, err: error }, 'connection failed');
        if (this.#admitted === undefined) this.#socket.destroy();
        else
          void this.end({
            reason: 'protocol_error',
            lines: ['the gateway failed'],
            detail: String(error),
          });
      }
    };
}

const TARGET_CLOSED: Ending = {
  reason: 'target_closed',
  lines: ['the server closed the connection'],
};

function targetFailed(error: unknown): Ending {
  const failure = error instanceof TargetFailure ? error : undefined;
  const lines = [failure?.message ?? 'the gateway failed', failure?.next ?? ''];
  return {
    reason: failure?.reason ?? 'target_unreachable',
    lines: lines.filter((line) => line !== ''),
    detail: failure?.message ?? String(error),
  };
}

function recordingFailed(error: unknown): Ending {
  const { code } = error as { code?: string };
  return {
    reason: 'recording_failed',
    lines: ['it cannot be recorded; tell an admin of the gateway'],
    detail: `recording: ${code ?? String(error)}`,
  };
}

/** The promise's value, or undefined once `ms` are over; never rejects. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function gone(socket: Socket): Promise<void> {
  if (!socket.destroyed)
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** ssh2 throws when a connection ends while something is being sent on it. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It is ending anyway.
  }
}
