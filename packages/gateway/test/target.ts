import { spawn } from 'node:child_process';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { generateEd25519, publicKeyOf, toOpenSshPrivateKey } from '@postern/shared';
import {
  type Connection,
  type PseudoTtyInfo,
  type PublicKeyAuthContext,
  Server,
  type ServerChannel,
  type Session,
  utils,
} from 'ssh2';
import { exitAfterEof, forgetStalledChunk } from '../src/ssh-seams.ts';
import { serveSftp } from './target-sftp.ts';

export interface TargetOptions {
  readonly username?: string;
  readonly password?: string;
  /** OpenSSH line of the key that may log in. */
  readonly publicKey?: string;
  readonly auth?: 'password' | 'keyboard-interactive' | 'publickey';
  readonly hostKey?: string;
  readonly sftpDirectory?: string;
  /** Refuse every exec, shell and subsystem, after login. */
  readonly refuseSessions?: boolean;
  readonly host?: string;
}

export interface TestTarget {
  readonly port: number;
  readonly hostKeyLine: string;
  readonly seen: {
    logins: number;
    attempts: number;
    /** Authentication requests of any kind, `none` included. */
    asked: number;
    connections: number;
    /** Commands whose channel was closed while they ran. */
    hungUp: number;
    readonly commands: string[];
    readonly env: Record<string, string>;
    readonly ptys: PseudoTtyInfo[];
    readonly sizes: Array<{ cols: number; rows: number }>;
    readonly signals: string[];
    readonly channels: string[];
    readonly input: string[];
  };
  /** How many connections are open now. */
  open(): number;
  /** Drops every connection, as a crashed host would. */
  crash(): void;
  close(): Promise<void>;
}

/**
 * A small sshd for tests: `exec` runs /bin/sh, `shell` echoes lines (`exit N` ends it, `size`
 * prints the window), sftp serves a folder, forwards connect and listen on loopback.
 */
export async function startTarget(options: TargetOptions = {}): Promise<TestTarget> {
  const hostKey = options.hostKey ?? toOpenSshPrivateKey(generateEd25519().private);
  const parsed = utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  const seen: TestTarget['seen'] = {
    logins: 0,
    attempts: 0,
    asked: 0,
    connections: 0,
    hungUp: 0,
    commands: [],
    env: {},
    ptys: [],
    sizes: [],
    signals: [],
    channels: [],
    input: [],
  };
  const sockets = new Set<Socket>();
  const listeners = new Set<NetServer>();
  const server = new Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {});
    authenticate(client, options, seen);
    client.on('ready', () => {
      seen.logins += 1;
      client.on('session', (accept) => serveSession(accept(), options, seen));
      client.on('tcpip', (accept, reject, info) => {
        seen.channels.push(`direct-tcpip ${info.destIP}:${info.destPort}`);
        const out = connect({ port: info.destPort, host: info.destIP, allowHalfOpen: true });
        out.once('error', () => reject());
        out.once('connect', () => join(accept() as ServerChannel, out));
      });
      client.on('request', (accept, reject, name, info) => {
        seen.channels.push(name);
        if (name === 'cancel-tcpip-forward') return accept?.();
        if (name !== 'tcpip-forward') return reject?.();
        const { bindAddr, bindPort } = info as { bindAddr: string; bindPort: number };
        const listener = createServer({ allowHalfOpen: true }, (socket) => {
          const { port } = listener.address() as { port: number };
          const from = [socket.remoteAddress ?? '', socket.remotePort ?? 0] as const;
          client.forwardOut(bindAddr, port, ...from, (error, channel) => {
            if (error) socket.destroy();
            else join(channel as ServerChannel, socket);
          });
        });
        listeners.add(listener);
        listener.listen(bindPort, '127.0.0.1', () => {
          (accept as (port: number) => void)?.((listener.address() as { port: number }).port);
        });
      });
    });
  });
  const net = createServer((socket) => {
    sockets.add(socket);
    seen.connections += 1;
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => net.listen(0, options.host ?? '127.0.0.1', resolve));
  return {
    port: (net.address() as { port: number }).port,
    hostKeyLine: `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`,
    seen,
    open: () => sockets.size,
    crash: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const listener of listeners) listener.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => net.close(() => resolve()));
    },
  };
}

function authenticate(client: Connection, options: TargetOptions, seen: TestTarget['seen']): void {
  const { auth = 'password', username = 'pamadmin1', password = 'vault-secret' } = options;
  client.on('authentication', (ctx) => {
    seen.asked += 1;
    if (ctx.method === 'none') return ctx.reject([auth]);
    seen.attempts += 1;
    if (ctx.username !== username || ctx.method !== auth) return ctx.reject([auth]);
    if (ctx.method === 'password')
      return ctx.password === password ? ctx.accept() : ctx.reject([auth]);
    if (ctx.method === 'keyboard-interactive')
      return ctx.prompt([{ prompt: 'Password: ', echo: false }], (answers) =>
        (answers as unknown as string[])[0] === password ? ctx.accept() : ctx.reject([auth]),
      );
    const { key: shown, signature, blob } = ctx as PublicKeyAuthContext;
    const key = utils.parseKey(options.publicKey ?? '');
    if (key instanceof Error || !key.getPublicSSH().equals(shown.data)) return ctx.reject([auth]);
    if (signature === undefined || blob === undefined) return ctx.accept();
    return key.verify(blob, signature) === true ? ctx.accept() : ctx.reject([auth]);
  });
}

function serveSession(session: Session, options: TargetOptions, seen: TestTarget['seen']): void {
  let signal: (name: string) => void = () => {};
  let size = { cols: 0, rows: 0 };
  let onResize: () => void = () => {};
  session.on('env', (accept, _reject, { key, val }) => {
    seen.env[key] = val;
    accept?.();
  });
  session.on('pty', (accept, _reject, info) => {
    seen.ptys.push(info);
    size = info;
    accept?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    size = info;
    seen.sizes.push({ cols: info.cols, rows: info.rows });
    onResize();
    accept?.();
  });
  session.on('signal', (_accept, _reject, { name }) => {
    seen.signals.push(name);
    signal(name);
  });
  session.on('x11', (_accept, reject) => {
    seen.channels.push('x11');
    reject?.();
  });
  session.on('auth-agent', (_accept, reject) => {
    seen.channels.push('agent');
    reject?.();
  });
  session.on('exec', (accept, reject, { command }) => {
    seen.commands.push(command);
    if (options.refuseSessions === true) return reject();
    const channel = accept();
    signal = runCommand(channel, command, seen);
  });
  session.on('shell', (accept, reject) => {
    seen.channels.push('shell');
    if (options.refuseSessions === true) return reject();
    const channel = accept();
    onResize = () => channel.write(`resized ${size.cols}x${size.rows}\r\n`);
    echoShell(channel, () => size, seen);
  });
  session.on('subsystem', (_accept, reject, { name }) => {
    seen.channels.push(`subsystem ${name}`);
    reject();
  });
  if (options.sftpDirectory !== undefined) {
    const directory = options.sftpDirectory;
    session.on('sftp', (accept) => {
      seen.channels.push('sftp');
      serveSftp(accept(), directory);
    });
  }
}

/** @returns what delivers a signal to it. */
function runCommand(
  channel: ServerChannel,
  command: string,
  seen: TestTarget['seen'],
): (name: string) => void {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'pipe' });
  child.stdin.on('error', () => {});
  channel.on('error', () => {});
  channel.pipe(child.stdin);
  channel.once('close', () => {
    if (child.exitCode === null && child.signalCode === null) seen.hungUp += 1;
    child.kill('SIGHUP');
  });
  // ssh2's server mixes up two waiting streams, so that this target waits for each piece.
  let order: Promise<void> = Promise.resolve();
  const print = (stream: NodeJS.ReadableStream, write: (b: Buffer, done: () => void) => void) => {
    stream.on('data', (bytes: Buffer) => {
      stream.pause();
      order = order.then(
        () =>
          new Promise<void>((resolve) => {
            write(bytes, () => {
              forgetStalledChunk(channel);
              stream.resume();
              resolve();
            });
          }),
      );
    });
  };
  print(child.stdout, (bytes, done) => channel.write(bytes, () => done()));
  print(child.stderr, (bytes, done) => channel.stderr.write(bytes, () => done()));
  let open = 2;
  const ended = () => {
    open -= 1;
    // As sshd does: the end of the output is told before the command is over.
    if (open === 0) order = order.then(() => channel.eof());
  };
  child.stdout.once('end', ended);
  child.stderr.once('end', ended);
  child.once('close', (code, name) => {
    void order.then(() => {
      exitAfterEof(channel, () => {
        if (name !== null) channel.exit(name.replace(/^SIG/, ''), false, 'killed');
        else channel.exit(code ?? 1);
      });
      channel.end();
    });
  });
  child.once('error', () => seen.commands.push('failed to start'));
  return (name) => child.kill(`SIG${name}` as NodeJS.Signals);
}

function echoShell(
  channel: ServerChannel,
  size: () => { cols: number; rows: number },
  seen: TestTarget['seen'],
): void {
  channel.on('error', () => {});
  channel.write('$ ');
  let line = '';
  const run = (text: string) => {
    seen.input.push(text);
    const exit = /^exit (\d+)$/.exec(text);
    if (exit?.[1] !== undefined) {
      channel.exit(Number(exit[1]));
      channel.end();
      return;
    }
    if (text === 'size') channel.write(`${size().cols}x${size().rows}\r\n$ `);
    else channel.write(`you said ${text}\r\n$ `);
  };
  channel.on('data', (bytes: Buffer) => {
    line += bytes.toString('utf8');
    for (let at = line.search(/[\r\n]/); at >= 0; at = line.search(/[\r\n]/)) {
      const text = line.slice(0, at);
      line = line.slice(at + 1);
      run(text);
    }
  });
  channel.on('end', () => {
    channel.exit(0);
    channel.end();
  });
}

function join(channel: ServerChannel, socket: Socket): void {
  channel.on('error', () => {});
  socket.on('error', () => {});
  channel.on('data', (bytes: Buffer) => {
    if (!socket.write(bytes)) {
      channel.pause();
      socket.once('drain', () => channel.resume());
    }
  });
  channel.once('end', () => socket.end());
  socket.on('data', (bytes: Buffer) => {
    socket.pause();
    channel.write(bytes, () => socket.resume());
  });
  let ended = false;
  socket.once('end', () => {
    ended = true;
    channel.write(Buffer.alloc(0), () => channel.eof());
  });
  socket.once('close', () => channel.close());
  channel.once('close', () => {
    if (!ended) socket.destroy();
  });
}

export function freshHostKey(): { readonly openssh: string; readonly line: string } {
  const pair = generateEd25519();
  return { openssh: toOpenSshPrivateKey(pair.private), line: publicKeyOf(pair.private).line };
}
