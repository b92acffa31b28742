import type { Socket } from 'node:net';
import type {
  Client,
  ClientChannel,
  PseudoTtyInfo,
  ServerChannel,
  Session,
  SessionAccept,
} from 'ssh2';
import { type Ask, mayPassVariable, signalToPass, type Verdict } from './channel-policy.ts';
import type { Limits } from './limits.ts';
import { feed, type Overrun, type Piece, Printer } from './pipe.ts';
import type { Recording, Track } from './recording.ts';
import { exitAfterEof, forgetStalledChunk, keepUntilClosed } from './ssh-seams.ts';
import type { Guard } from './world.ts';

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly limits: Limits;
  /** The client's socket. */
  readonly socket: Socket;
  readonly recording: Recording;
  /** Asks the policy, records and counts a refusal. */
  permit(ask: Ask): Verdict;
  /** Calls `use` in the same tick as the target is there; never when it cannot be reached. */
  onTarget(use: (client: Client, socket: Socket) => void): void;
  /** A channel's last words: the status its command ended with. */
  exited(status: number | null): void;
  recordingFailed(error: unknown): void;
  targetGone(): boolean;
  readonly overrun: Overrun;
  readonly guard: Guard;
}

type Start =
  | { readonly type: 'shell' }
  | { readonly type: 'exec'; readonly command: string }
  | { readonly type: 'subsystem'; readonly command: string };

interface Exit {
  readonly status: number | null;
  readonly signal: string | null;
  readonly coreDumped: boolean;
  readonly description: string;
}

/** What OpenSSH exits with when it could not do what was asked. */
const REFUSED_STATUS = 255;
const MAX_VARIABLES = 32;
const MAX_VARIABLE_BYTES = 1024;
/** How long an exit status may trail the end of the output before the end is passed on. */
const EOF_GRACE_MS = 100;

/** One `session` channel: at most one shell, command or sftp, piped to the same on the target. */
export class SessionChannel {
  readonly number: number;
  readonly #host: ChannelHost;
  readonly #variables: Record<string, string> = {};
  #terminal: PseudoTtyInfo | undefined;
  #down: ServerChannel | undefined;
  #up: ClientChannel | undefined;
  #printer: Printer | undefined;
  #track: Track | undefined;
  #exit: Exit | undefined;
  #upClosed = false;
  #drained = false;
  #over = false;
  #settle: () => void = () => {};
  /** Resolves when everything its target sent on it has been passed on, or it is dropped. */
  readonly settled: Promise<void>;

  constructor(number: number, session: Session, host: ChannelHost, onClosed: () => void) {
    this.number = number;
    this.#host = host;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    session.once(
      'close',
      host.guard(() => this.#closed(onClosed)),
    );
    session.on(
      'env',
      host.guard((accept, _reject, info) => {
        this.#setVariable(info.key, info.val);
        accept?.();
      }),
    );
    session.on(
      'pty',
      host.guard((accept, reject, info) => {
        if (this.#down !== undefined) return reject?.();
        this.#terminal = { ...info };
        accept?.();
      }),
    );
    session.on(
      'window-change',
      host.guard((accept, _reject, size) => {
        this.#resize(size);
        accept?.();
      }),
    );
    session.on(
      'signal',
      host.guard((accept, reject, { name }) => {
        const signal = signalToPass(name);
        if (signal === undefined || this.#up === undefined) return reject?.();
        this.#up.signal(signal);
        accept?.();
      }),
    );
    session.on(
      'x11',
      host.guard((_accept, reject) => this.#refuse({ kind: 'x11' }, reject)),
    );
    session.on(
      'auth-agent',
      host.guard((_accept, reject) => this.#refuse({ kind: 'agent' }, reject)),
    );
    session.on(
      'shell',
      host.guard((accept) => this.#start(accept, { kind: 'shell' }, { type: 'shell' })),
    );
    session.on(
      'exec',
      host.guard((accept, _reject, { command }) =>
        this.#start(accept, { kind: 'exec' }, { type: 'exec', command }),
      ),
    );
    // ssh2 brings sftp here too, as long as nobody listens for 'sftp'.
    session.on(
      'subsystem',
      host.guard((accept, _reject, { name }) =>
        this.#start(accept, { kind: 'subsystem', name }, { type: 'subsystem', command: name }),
      ),
    );
  }

  /** A word to the person at the terminal, between what the target prints. */
  tell(text: string): void {
    if (this.#terminal !== undefined) this.#printer?.say(`\r\n${text}\r\n`);
  }

  /**
   * The last line, after what the target has printed; then the channel is closed without an
   * exit status, which every client reports as 255.
   * @returns whether there was anybody to tell.
   */
  async endWith(lines: readonly string[]): Promise<boolean> {
    const down = this.#down;
    if (down === undefined || this.#over) return false;
    this.#over = true;
    // Whatever the client still sends goes nowhere.
    down.removeAllListeners('data');
    down.resume();
    const newline = this.#terminal === undefined ? '\n' : '\r\n';
    await this.#printer?.finish();
    this.#printer?.stop();
    const start = this.#terminal === undefined ? '' : newline;
    const text = start + lines.map((line) => line + newline).join('');
    if (lines.length > 0)
      await new Promise<void>((resolve) => down.stderr.write(text, () => resolve()));
    down.eof();
    down.close();
    return lines.length > 0;
  }

  #setVariable(name: string, value: string): void {
    if (!mayPassVariable(name) || Buffer.byteLength(value) > MAX_VARIABLE_BYTES) return;
    if (Object.keys(this.#variables).length >= MAX_VARIABLES) return;
    this.#variables[name] = value;
  }

  #resize(size: { rows: number; cols: number; height: number; width: number }): void {
    if (this.#terminal === undefined) return;
    Object.assign(this.#terminal, size);
    this.#up?.setWindow(size.rows, size.cols, size.height, size.width);
    this.#track?.resize(size.cols, size.rows);
  }

  #refuse(ask: Ask, reject: (() => void) | undefined): void {
    this.#host.permit(ask);
    reject?.();
  }

  #start(accept: SessionAccept | (() => ServerChannel), ask: Ask, start: Start): void {
    const verdict = this.#host.permit(ask);
    // In this very tick: once the client has sent its EOF, ssh2 accepts nothing.
    const down = accept() as ServerChannel | undefined;
    if (down === undefined) return;
    this.#down = down;
    this.#host.overrun.watch(down);
    down.on('error', ignore);
    down.stderr.on('error', ignore);
    if (!verdict.allowed) {
      this.#turnAway(down, verdict.why);
      return;
    }
    const terminal = this.#terminal;
    const { recording } = this.#host;
    this.#track = recording.track(
      this.number,
      { cols: terminal?.cols ?? 80, rows: terminal?.rows ?? 24, type: terminal?.term ?? '' },
      terminal === undefined || start.type === 'subsystem',
    );
    const { type } = start;
    const recorded = recording.event({
      type,
      channel: this.number,
      ...(start.type === 'shell' ? {} : { command: start.command }),
      terminal: terminal !== undefined,
    });
    // What cannot be recorded is not run: recordingFailed ends the session.
    recorded.then(
      () =>
        this.#host.onTarget(
          this.#host.guard((client, socket) => this.#open(client, socket, down, start)),
        ),
      ignore,
    );
  }

  /**
   * A refused command runs as one that says why and fails. To refuse the request itself would
   * be plainer on the wire, but OpenSSH ends at that reply, and its user may never read why.
   */
  #turnAway(down: ServerChannel, why: string): void {
    this.#over = true;
    this.#settle();
    down.resume();
    down.stderr.write(`sft: ${why}${this.#terminal === undefined ? '\n' : '\r\n'}`, () => {
      down.exit(REFUSED_STATUS);
      down.end();
    });
  }

  #open(client: Client, socket: Socket, down: ServerChannel, start: Start): void {
    if (this.#over) return;
    const opening = this.#terminal === undefined ? undefined : { ...this.#terminal };
    // ssh2 calls back in the tick in which it reads the reply; the exit status may be in the
    // same read, so that its listener is attached here and nowhere later.
    const opened = this.#host.guard((error: Error | undefined, up: ClientChannel) => {
      if (error !== undefined) return void this.endWith([`sft: the server refused: ${start.type}`]);
      if (this.#over) return up.close();
      this.#pipe(down, up, socket, start);
      // It may have been resized while the target was asked.
      const now = this.#terminal;
      if (now !== undefined && (now.cols !== opening?.cols || now.rows !== opening.rows))
        up.setWindow(now.rows, now.cols, now.height, now.width);
    });
    const env = this.#variables;
    if (start.type === 'exec')
      client.exec(start.command, opening ? { env, pty: opening } : { env }, opened);
    else if (start.type === 'subsystem') client.subsys(start.command, opened);
    else client.shell(opening ?? false, { env }, opened);
  }

  #pipe(down: ServerChannel, up: ClientChannel, socket: Socket, start: Start): void {
    this.#up = up;
    keepUntilClosed(up);
    this.#host.overrun.watch(up);
    this.#host.overrun.watch(up.stderr);
    up.on(
      'exit',
      (status: number | null, signal?: string, dump?: unknown, description?: string) => {
        this.#exit = {
          status,
          signal: status === null ? (signal ?? null) : null,
          coreDumped: Boolean(dump),
          description: description ?? '',
        };
      },
    );
    up.on('error', ignore);
    up.stderr.on('error', ignore);
    const { limits } = this.#host;
    const track = this.#track;
    const silent = start.type === 'subsystem';
    this.#printer = new Printer(up, up.stderr, {
      record: (piece) => (silent ? undefined : track?.output(piece.bytes, piece.stderr)),
      show: (piece, done) => show(down, piece, done),
      socket: this.#host.socket,
      socketBacklog: limits.socketBacklog,
      onDrained: this.#host.guard(() => this.#outputEnded(down)),
      onFailed: (error) => this.#host.recordingFailed(error),
    });
    const input = feed(down, up, {
      socket,
      socketBacklog: limits.socketBacklog,
      onEnd: () => up.end(),
    });
    up.once(
      'close',
      this.#host.guard(() => {
        this.#upClosed = true;
        if (this.#drained) this.#finish(down);
        void this.#host.recording
          .event({
            type: 'closed',
            channel: this.number,
            exit_status: this.#exit?.status ?? null,
            exit_signal: this.#exit?.signal ?? null,
            bytes_in: input.bytes,
            bytes_out: this.#printer?.bytes ?? 0,
          })
          .catch(ignore);
      }),
    );
  }

  #outputEnded(down: ServerChannel): void {
    this.#drained = true;
    if (this.#upClosed) {
      this.#finish(down);
      return;
    }
    setTimeout(
      this.#host.guard(() => {
        if (!this.#over) down.eof();
      }),
      EOF_GRACE_MS,
    ).unref();
  }

  /** The target has closed the channel and everything is shown: pass the status on, close. */
  #finish(down: ServerChannel): void {
    if (this.#over) return;
    const exit = this.#exit;
    if (exit === undefined && this.#host.targetGone()) {
      this.#settle();
      return;
    }
    this.#over = true;
    this.#settle();
    if (exit !== undefined) exitAfterEof(down, () => sendExit(down, exit));
    if (exit?.status != null) this.#track?.exit(exit.status);
    this.#host.exited(exit?.status ?? null);
    // On a server's channel ssh2 sends EOF and CLOSE when it has finished.
    down.end();
  }

  /** The connection is gone. */
  drop(): void {
    this.#over = true;
    this.#settle();
    this.#printer?.stop();
    this.#up?.close();
  }

  #closed(onClosed: () => void): void {
    this.drop();
    onClosed();
  }
}

function show(down: ServerChannel, piece: Piece, done: () => void): void {
  const sent = () => {
    forgetStalledChunk(down);
    done();
  };
  if (piece.stderr) down.stderr.write(piece.bytes, sent);
  else down.write(piece.bytes, sent);
}

function sendExit(down: ServerChannel, exit: Exit): void {
  if (exit.status !== null) {
    down.exit(exit.status);
    return;
  }
  if (exit.signal === null) return;
  try {
    down.exit(exit.signal, exit.coreDumped, exit.description);
  } catch {
    // A signal ssh2 has no name for: closing without a status says that it failed.
  }
}

const ignore = (): void => {};
