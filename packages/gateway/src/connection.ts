import type { Socket } from 'node:net';
import { type Admitted, type EndReason, printable } from '@postern/shared';
import type { Client, Connection as SshConnection } from 'ssh2';
import { plainAddress } from './address.ts';
import { Authentication } from './admission.ts';
import { SERVER_ALGORITHMS } from './algorithms.ts';
import { Channels } from './channels.ts';
import { type Ending, recordingFailed, TARGET_CLOSED, targetFailed } from './ending.ts';
import { gone, quietly, within } from './patience.ts';
import type { Reached } from './reach.ts';
import { NOT_RECORDED, openRecording, type Recording } from './recording.ts';
import { Rekeying } from './rekey.ts';
import { disconnect, rekeyTarget, sendBanner } from './ssh-seams.ts';
import { Server } from './ssh2.ts';
import { connectTarget, type Target } from './target.ts';
import type { Guard, World } from './world.ts';

/** What the gateway keeps about its connections. */
export interface Registry {
  /** @returns undefined when it may live, else why it must end at once. */
  admitted(connection: Connection, admitted: Admitted, askedAt: number): Ending | undefined;
  /** The connection to the admitted session's target that was made before, if there is one. */
  early(admitted: Admitted, abort: AbortSignal): Promise<Reached | undefined>;
  loggedIn(connection: Connection): void;
  /** Called once for every connection that was admitted. */
  ended(connection: Connection, ended: Ended): void;
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
 * alone: every handler runs under a guard.
 */
export class Connection {
  readonly #world: World;
  readonly #registry: Registry;
  readonly #socket: Socket;
  readonly #clientAddress: string;
  readonly #onAuthenticated: () => void;
  /** Aborted when the session ends. */
  readonly #life = new AbortController();
  readonly #overdue: NodeJS.Timeout;
  #client: SshConnection | undefined;
  #admitted: Admitted | undefined;
  #recording: Recording = NOT_RECORDED;
  #target: Promise<Target> | undefined;
  #channels: Channels | undefined;
  #ending: Promise<void> | undefined;

  constructor(socket: Socket, world: World, registry: Registry, onAuthenticated: () => void) {
    this.#world = world;
    this.#registry = registry;
    this.#socket = socket;
    this.#clientAddress = plainAddress(socket.remoteAddress ?? '');
    this.#onAuthenticated = onAuthenticated;
    this.#overdue = setTimeout(() => socket.destroy(), world.limits.authenticateMs);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(this.#overdue);
      void this.end({ reason: 'client_closed' });
    });
    this.#greet();
  }

  get sessionId(): string | undefined {
    return this.#admitted?.session_id;
  }

  /** A word on every live terminal. */
  tell(text: string): void {
    this.#recording.event({ type: 'told', text }).catch(() => {});
    this.#channels?.tell(text);
  }

  /**
   * Ends the session: the target's connection at once, the client's after its last line.
   * Resolves when the recording is finished and the end is reported. Safe to call again.
   */
  end(ending: Ending): Promise<void> {
    if (this.#ending === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // Before anything that could call back in here.
      this.#ending = promise;
      void this.#end(ending).finally(resolve);
    }
    return this.#ending;
  }

  readonly #over = (): boolean => this.#ending !== undefined;

  readonly #guard: Guard =
    (handler) =>
    (...args) => {
      try {
        handler(...args);
      } catch (error) {
        this.#world.log.error({ session_id: this.sessionId, err: error }, 'connection failed');
        const detail = String(error);
        void this.end({ reason: 'protocol_error', lines: ['the gateway failed'], detail });
      }
    };

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
      const isKnown = this.#admitted !== undefined;
      if (!isKnown && this.#socket.bytesRead > limits.unauthenticatedBytes) this.#socket.destroy();
    });
  }

  #serve(client: SshConnection): void {
    this.#client = client;
    const { service, limits, monotonic, log } = this.#world;
    const authentication = new Authentication({
      service,
      clientAddress: this.#clientAddress,
      failedAttempts: limits.failedAttempts,
      monotonic,
      onAdmitted: (admitted, askedAt) => this.#onAdmitted(admitted, askedAt),
      onRefused: (line) => sendBanner(client, printable(line)),
      onExhausted: (why) => {
        const facts = { client_address: this.#clientAddress, why: printable(why) };
        log.info(facts, 'login refused');
        this.#hangUp(client);
      },
    });
    client.on(
      'authentication',
      this.#guard((ctx) => authentication.on(ctx)),
    );
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'client-timeout') void this.end({ reason: 'keepalive_lost' });
      else if (error.level === 'socket') void this.end({ reason: 'client_closed' });
      else void this.end({ reason: 'protocol_error', detail: error.message });
    });
    client.on(
      'ready',
      this.#guard(() => this.#ready(client)),
    );
  }

  async #onAdmitted(admitted: Admitted, askedAt: number): Promise<boolean> {
    this.#admitted = admitted;
    clearTimeout(this.#overdue);
    const refuse = (ending: Ending): false => {
      for (const line of ending.lines ?? [])
        if (this.#client !== undefined) sendBanner(this.#client, `sft: ${printable(line)}`);
      void this.end({ ...ending, lines: [] });
      return false;
    };
    // It left while the service was asked: only the service has to learn that it is over.
    if (this.#over()) {
      this.#registry.ended(this, endedBy({ reason: 'client_closed' }));
      return false;
    }
    const refusal = this.#registry.admitted(this, admitted, askedAt);
    if (refusal !== undefined) return refuse(refusal);
    if (admitted.recorded) {
      try {
        this.#recording = await this.#openRecording(admitted);
      } catch (error) {
        return refuse(recordingFailed(error));
      }
      if (this.#over()) {
        // Ended meanwhile, without it.
        await this.#recording.finish().catch(() => {});
        return false;
      }
    }
    this.#target = this.#connect(admitted);
    this.#target.catch(() => {});
    return true;
  }

  #openRecording(admitted: Admitted): Promise<Recording> {
    const { openSink, monotonic, now, recordingDirectory, limits } = this.#world;
    const { session_id, user_name, server_name, identity, request_id } = admitted;
    const client_address = this.#clientAddress;
    return openRecording(
      { session_id, user_name, server_name, identity, request_id, client_address },
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
    const abort = this.#life.signal;
    try {
      const early = await this.#registry.early(admitted, abort);
      const reachMs = limits.connectMs;
      const world = { limits, reachMs, listener: listener(), ownHostKey: hostKey.blob, abort };
      const target = await connectTarget(admitted, world, early);
      target.client.once(
        'close',
        this.#guard(() => {
          // What the target has sent is passed on first.
          const settled = this.#channels?.targetGone() ?? Promise.resolve();
          void within(limits.drainMs, settled).then(() => this.end(TARGET_CLOSED));
        }),
      );
      this.#recording.event({ type: 'login' }).catch(() => {});
      this.#registry.loggedIn(this);
      return target;
    } catch (error) {
      // The person is told on his channel, which he is about to open.
      const wait = setTimeout(() => void this.end(targetFailed(error)), limits.tellMs);
      abort.addEventListener('abort', () => clearTimeout(wait));
      throw error;
    }
  }

  #ready(client: SshConnection): void {
    this.#onAuthenticated();
    const { limits, monotonic } = this.#world;
    const onTarget = (use: (client: Client, socket: Socket) => void) => {
      this.#target?.then(
        (target) => {
          if (!this.#over()) use(target.client, target.socket);
        },
        (error: unknown) => void this.end(targetFailed(error)),
      );
    };
    const rekeying = new Rekeying(limits);
    rekeying.watch(this.#socket, monotonic(), () => client.rekey());
    const ticker = setInterval(
      this.#guard(() => rekeying.tick(monotonic())),
      limits.tickMs,
    );
    this.#life.signal.addEventListener('abort', () => clearInterval(ticker));
    const channels = new Channels({
      client,
      socket: this.#socket,
      granted: this.#admitted?.channels ?? [],
      limits,
      recording: this.#recording,
      guard: this.#guard,
      over: this.#over,
      end: (ending) => void this.end(ending),
      onTarget,
    });
    this.#channels = channels;
    this.#target?.then(
      ({ client: target, socket }) => {
        channels.reached(socket);
        rekeying.watch(socket, monotonic(), () => rekeyTarget(target));
      },
      () => {},
    );
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
    if (this.#admitted === undefined) {
      this.#life.abort();
      this.#socket.destroy();
      return;
    }
    this.#recording.event({ type: 'ended', reason: ending.reason }).catch(() => {});
    const lines = (ending.lines ?? []).map(printable);
    const told = lines.length === 0 ? [] : [`sft: session ended: ${lines[0]}`, ...lines.slice(1)];
    const farewell = this.#farewell(told);
    // From here on nothing reaches the target any more.
    this.#life.abort();
    await this.#close(await within(limits.farewellMs, farewell), told);
    const recordingSha256 = await this.#recording.finish().catch((error: unknown) => {
      log.error({ session_id: this.sessionId, err: error }, 'recording not finished');
      return null;
    });
    const exitStatus = this.#channels?.exitStatus ?? null;
    this.#registry.ended(this, { ...endedBy(ending), exitStatus, recordingSha256 });
  }

  async #farewell(lines: readonly string[]): Promise<boolean> {
    if (this.#socket.destroyed) return false;
    return (await this.#channels?.endWith(lines)) ?? false;
  }

  async #close(heard: boolean | undefined, told: readonly string[]): Promise<void> {
    const { farewellMs } = this.#world.limits;
    // A client that is disconnected at once shows nothing of what has just arrived; one whose
    // last channel was closed leaves by itself.
    if (heard === true) await within(farewellMs, gone(this.#socket));
    const client = this.#client;
    if (client !== undefined && !this.#socket.destroyed)
      quietly(() => {
        if (heard !== true && told.length > 0)
          disconnect(client, DISCONNECT_BY_APPLICATION, told.join(' '));
        if (heard === true || told.length === 0) client.end();
        else this.#socket.end();
      });
    quietly(() => this.#channels?.drop());
    const destroy = setTimeout(() => this.#socket.destroy(), farewellMs);
    this.#socket.once('close', () => clearTimeout(destroy));
  }
}

function endedBy(ending: Ending): Ended {
  const detail = ending.detail === undefined ? null : printable(ending.detail).slice(0, 500);
  return { reason: ending.reason, exitStatus: null, recordingSha256: null, detail };
}
