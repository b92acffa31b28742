import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { spawn as spawnPty } from '@lydell/node-pty';
import { generateEd25519, toOpenSshPrivateKey } from '@postern/shared';
import ssh2, { type Connection, type PseudoTtyInfo, type ServerChannel, type Session } from 'ssh2';

/**
 * An SSH server that stands for the gateway and its target in one: it admits any key for
 * any name, and runs commands on this machine, with a terminal of its own when asked.
 */
export class FakeGateway {
  private readonly key = generateEd25519();
  readonly connections = new Set<Connection>();
  /** The terminal sizes it was told, `columns x rows`. */
  readonly sizes: string[] = [];
  readonly signals: string[] = [];
  readonly environment = new Map<string, string>();
  readonly usernames: string[] = [];
  /** Public keys that asked to be admitted, base64. */
  readonly keys: string[] = [];
  /** Takes a session's command over, e.g. to cut it. */
  onExec: ((command: string, channel: ServerChannel) => boolean) | undefined;
  refuses = false;
  private readonly hung: Socket[] = [];
  /** Shown before anybody is admitted. */
  banner = '';
  allowsRemoteForward = true;
  private readonly server = new ssh2.Server(
    { hostKeys: [toOpenSshPrivateKey(this.key.private)] },
    (connection) => this.serve(connection),
  );

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** As when a cable is pulled: nothing is read or answered any more. */
  hang(): void {
    for (const connection of this.connections) {
      const { _sock: socket } = connection as unknown as { _sock: Socket };
      socket.pause();
      this.hung.push(socket);
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.hung) socket.destroy();
    for (const connection of this.connections) connection.end();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  get hostKey(): string {
    return this.key.public_line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private serve(connection: Connection): void {
    this.connections.add(connection);
    // ssh2 takes a banner for all connections only, when the server is made.
    if (this.banner !== '')
      (connection as unknown as { _protocol: { _banner: string } })._protocol._banner = this.banner;
    connection.on('error', () => undefined);
    connection.on('close', () => this.connections.delete(connection));
    connection.on('authentication', (ctx) => {
      if (ctx.method !== 'publickey' || this.refuses) return ctx.reject(['publickey']);
      this.usernames.push(ctx.username);
      this.keys.push(ctx.key.data.toString('base64'));
      ctx.accept();
    });
    connection.on('ready', () => {
      connection.on('session', (accept) => this.session(accept()));
      connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
        const socket = connect({ host: destIP, port: destPort, allowHalfOpen: true });
        socket.once('error', () => reject());
        socket.once('connect', () => {
          const channel = accept();
          socket.pipe(channel).pipe(socket);
        });
      });
      connection.on('request', (accept, reject, name, info) => {
        if (name !== 'tcpip-forward' || !this.allowsRemoteForward) return reject?.();
        accept?.(4022);
        const { bindAddr } = info as { bindAddr: string };
        const port = 'bindPort' in info && info.bindPort ? info.bindPort : 4022;
        this.forwardBack = (bytes) =>
          new Promise((resolve, fail) =>
            connection.forwardOut(bindAddr, port, '192.0.2.1', 999, (error, channel) => {
              if (error) return fail(error);
              let text = '';
              channel.on('data', (chunk: Buffer) => {
                text += chunk.toString();
                if (text.length < bytes.length) return;
                resolve(text);
                channel.end();
              });
              channel.write(bytes);
            }),
          );
      });
    });
  }

  /** Somebody connects to the port that was asked for with -R. */
  forwardBack: (bytes: string) => Promise<string> = () => Promise.reject(new Error('no -R'));

  private session(session: Session): void {
    let pty: PseudoTtyInfo | undefined;
    let resize: (columns: number, rows: number) => void = () => undefined;
    let kill: (signal: string) => void = () => undefined;
    session.on('pty', (accept, _reject, info) => {
      pty = info;
      this.sizes.push(`${info.cols}x${info.rows}`);
      accept?.();
    });
    session.on('env', (accept, _reject, { key, val }) => {
      this.environment.set(key, val);
      accept?.();
    });
    session.on('window-change', (_accept, _reject, { cols, rows }) => {
      this.sizes.push(`${cols}x${rows}`);
      resize(cols, rows);
    });
    session.on('signal', (_accept, _reject, { name }) => {
      this.signals.push(name);
      kill(name);
    });
    const start = (command: string | undefined, channel: ServerChannel) => {
      if (command !== undefined && this.onExec?.(command, channel)) return;
      if (pty === undefined) kill = runPiped(command ?? 'sh', channel);
      else resize = runInTerminal(command, pty, channel);
    };
    session.on('exec', (accept, _reject, { command }) => start(command, accept()));
    session.on('shell', (accept) => start(undefined, accept()));
  }
}

function runPiped(command: string, channel: ServerChannel): (signal: string) => void {
  const child: ChildProcess = spawn('sh', ['-c', command], { stdio: 'pipe' });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
  stdin.on('error', () => undefined);
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code, signal) => {
    if (signal !== null) channel.exit(signal.replace('SIG', ''), false, '');
    else channel.exit(code ?? 1);
    channel.end();
  });
  channel.on('close', () => child.kill('SIGKILL'));
  return (signal) => child.kill(`SIG${signal}` as NodeJS.Signals);
}

function runInTerminal(command: string | undefined, pty: PseudoTtyInfo, channel: ServerChannel) {
  const args = command === undefined ? [] : ['-c', command];
  const { cols, rows } = pty;
  const terminal = spawnPty('/bin/sh', args, {
    cols,
    rows,
    env: { PATH: process.env.PATH ?? '', PS1: 'there$ ' },
  });
  terminal.onData((text) => channel.write(text));
  terminal.onExit(({ exitCode, signal }) => {
    if (signal) channel.exit(signal === 2 ? 'INT' : 'TERM', false, '');
    else channel.exit(exitCode);
    channel.end();
  });
  channel.on('data', (chunk: Buffer) => terminal.write(chunk.toString('latin1')));
  channel.on('close', () => terminal.kill());
  return (columns: number, lines: number) => terminal.resize(columns, lines);
}
