import type { Socket } from 'node:net';
import type {
  Channel,
  Client,
  Connection,
  ServerChannel,
  TcpConnectionDetails,
  TcpipBindInfo,
  TcpipRequestInfo,
} from 'ssh2';
import type { Limits } from './limits.ts';
import { feed, type Overrun } from './pipe.ts';
import type { Recording } from './recording.ts';
import type { Guard } from './world.ts';

export interface ForwardHost {
  readonly limits: Limits;
  readonly client: Connection;
  readonly socket: Socket;
  readonly recording: Recording;
  readonly over: () => boolean;
  /** A number for a new channel; undefined when there are as many as there may be. */
  takeChannel(): number | undefined;
  releaseChannel(): void;
  onTarget(use: (client: Client, socket: Socket) => void): void;
  readonly overrun: Overrun;
  readonly guard: Guard;
}

type Reject = () => void;

/** Forwarded TCP connections. The target opens and binds; the gateway only pipes. */
export class Forwards {
  readonly #host: ForwardHost;
  readonly #bound = new Set<string>();
  #listening = false;

  constructor(host: ForwardHost) {
    this.#host = host;
  }

  /** `ssh -L`, `-D`, `-W`: the target connects to where the client asks. */
  local(accept: () => Channel, reject: Reject, info: TcpipRequestInfo): void {
    const host = this.#host;
    const number = host.takeChannel();
    if (number === undefined) {
      reject();
      return;
    }
    const release = once(() => host.releaseChannel());
    const destination = place(info.destIP, info.destPort);
    const origin = place(info.srcIP, info.srcPort);
    const recorded = host.recording.event({
      type: 'local_forward',
      channel: number,
      destination,
      origin,
    });
    const give = () => {
      release();
      if (!host.over()) reject();
    };
    const open = host.guard((client: Client, socket: Socket) => {
      if (host.over()) return release();
      client.forwardOut(
        info.srcIP,
        info.srcPort,
        info.destIP,
        info.destPort,
        host.guard((error, up) => {
          if (error !== undefined) return give();
          if (host.over()) {
            release();
            return up.close();
          }
          this.#join(number, accept() as ServerChannel, up, socket, release);
        }),
      );
    });
    recorded.then(() => host.onTarget(open), give);
  }

  /** `ssh -R`: the target listens. */
  bind(
    accept: ((port?: number) => void) | undefined,
    reject: Reject | undefined,
    info: TcpipBindInfo,
  ): void {
    const host = this.#host;
    if (this.#bound.size >= host.limits.remoteForwards) {
      reject?.();
      return;
    }
    const wanted = place(info.bindAddr, info.bindPort);
    this.#bound.add(wanted);
    const refuse = () => {
      this.#bound.delete(wanted);
      if (!host.over()) reject?.();
    };
    const open = host.guard((client: Client, socket: Socket) => {
      this.#listen(client, socket);
      client.forwardIn(
        info.bindAddr,
        info.bindPort,
        host.guard((error, port) => {
          if (error !== undefined || host.over()) return refuse();
          this.#bound.delete(wanted);
          const bind = place(info.bindAddr, port ?? info.bindPort);
          this.#bound.add(bind);
          // Recorded before the client learns of it, and so before it can be used by name.
          host.recording.event({ type: 'remote_forward_opened', bind }).then(() => {
            if (!host.over()) accept?.(port ?? info.bindPort);
          }, refuse);
        }),
      );
    });
    host.onTarget(open);
  }

  unbind(accept: (() => void) | undefined, reject: Reject | undefined, info: TcpipBindInfo): void {
    const host = this.#host;
    const bind = place(info.bindAddr, info.bindPort);
    if (!this.#bound.delete(bind)) {
      reject?.();
      return;
    }
    host.onTarget(
      host.guard((client) => {
        client.unforwardIn(
          info.bindAddr,
          info.bindPort,
          host.guard((error?: Error | null) => {
            if (host.over()) return;
            if (error !== undefined) return reject?.();
            accept?.();
          }),
        );
      }),
    );
    host.recording.event({ type: 'remote_forward_canceled', bind }).catch(ignore);
  }

  #listen(client: Client, socket: Socket): void {
    if (this.#listening) return;
    this.#listening = true;
    client.on(
      'tcp connection',
      this.#host.guard((details, accept, reject) => {
        this.#incoming(details, accept as () => Channel, reject as Reject, socket);
      }),
    );
  }

  #incoming(
    details: TcpConnectionDetails,
    accept: () => Channel,
    reject: Reject,
    socket: Socket,
  ): void {
    const host = this.#host;
    const number = host.takeChannel();
    if (number === undefined) {
      reject();
      return;
    }
    const release = once(() => host.releaseChannel());
    const give = () => {
      release();
      if (!host.over()) reject();
    };
    const recorded = host.recording.event({
      type: 'remote_forward',
      channel: number,
      destination: place(details.destIP, details.destPort),
      origin: place(details.srcIP, details.srcPort),
    });
    const { destIP, destPort, srcIP, srcPort } = details;
    const open = host.guard(() => {
      if (host.over()) return give();
      host.client.forwardOut(
        destIP,
        destPort,
        srcIP,
        srcPort,
        host.guard((error, down) => {
          if (error !== undefined || host.over()) return give();
          this.#join(number, down as ServerChannel, accept(), socket, release);
        }),
      );
    });
    recorded.then(open, give);
  }

  #join(
    number: number,
    down: ServerChannel,
    up: Channel,
    upSocket: Socket,
    release: () => void,
  ): void {
    const host = this.#host;
    down.on('error', ignore);
    up.on('error', ignore);
    host.overrun.watch(down);
    host.overrun.watch(up);
    const { socketBacklog } = host.limits;
    const state = { outDone: false, intoDone: false, upClosed: false, downClosed: false };
    // A side is closed once the other has closed, or both directions have ended; never
    // before what it is owed has been written.
    const settle = () => {
      const bothDone = state.outDone && state.intoDone;
      if (state.outDone && (state.upClosed || bothDone)) down.close();
      if (state.intoDone && (state.downClosed || bothDone)) up.close();
    };
    // Not end(): on a server's channel that would close the other direction as well.
    const onOutEnd = () => {
      state.outDone = true;
      down.eof();
      settle();
    };
    const onIntoEnd = () => {
      state.intoDone = true;
      up.end();
      settle();
    };
    const out = feed(up, down, { socket: host.socket, socketBacklog, onEnd: onOutEnd });
    const into = feed(down, up, { socket: upSocket, socketBacklog, onEnd: onIntoEnd });
    const closed = once(() => {
      release();
      host.recording
        .event({
          type: 'forward_closed',
          channel: number,
          bytes_in: into.bytes,
          bytes_out: out.bytes,
        })
        .catch(ignore);
    });
    const onClose = (side: 'upClosed' | 'downClosed') =>
      host.guard(() => {
        state[side] = true;
        settle();
        if (state.upClosed && state.downClosed) closed();
      });
    up.once('close', onClose('upClosed'));
    down.once('close', onClose('downClosed'));
  }
}

const place = (host: string, port: number): string => `${host}:${port}`;

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}

const ignore = (): void => {};
