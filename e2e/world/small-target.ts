import { spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { type IPty, spawn as spawnInPty } from '@lydell/node-pty';
import { generateEd25519, toOpenSshPrivateKey } from '@postern/shared';
import ssh2, {
  type AuthContext,
  type Connection,
  type PseudoTtyInfo,
  type ServerChannel,
  type Session,
} from 'ssh2';
import { ACCOUNTS, type Target } from './target.ts';

/**
 * A small SSH server for where there is no sshd or no root. It cannot change user: it runs
 * every command as whoever started it, with LOGNAME set to the account that logged in.
 */
export async function startSmallTarget(): Promise<Target> {
  const passwords = Object.fromEntries(
    ACCOUNTS.map((name) => [name, randomBytes(18).toString('base64url')]),
  );
  const connections = new Set<Connection>();
  const server = new ssh2.Server(
    { hostKeys: [toOpenSshPrivateKey(generateEd25519().private)] },
    (connection) => {
      connections.add(connection);
      serve(connection, passwords);
      connection.on('close', () => connections.delete(connection));
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  return {
    port,
    passwords,
    description:
      'a small SSH server that runs commands as you, not as the account (it cannot change user)',
    stop: async () => {
      for (const connection of connections) connection.end();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

function serve(connection: Connection, passwords: Readonly<Record<string, string>>): void {
  let account = '';
  connection.on('error', () => undefined);
  connection.on('authentication', (ctx: AuthContext) => {
    const expected = passwords[ctx.username];
    if (ctx.method !== 'password' || expected === undefined) return ctx.reject(['password']);
    const [a, b] = [Buffer.from(ctx.password), Buffer.from(expected)];
    if (a.length !== b.length || !timingSafeEqual(a, b)) return ctx.reject(['password']);
    account = ctx.username;
    ctx.accept();
  });
  connection.on('session', (accept) => serveSession(accept(), () => account));
}

function serveSession(session: Session, account: () => string): void {
  let window: Window | undefined;
  let terminal: IPty | undefined;
  session.on('pty', (accept, _reject, info) => {
    window = info;
    accept?.();
  });
  session.on('env', (accept) => accept?.());
  session.on('window-change', (accept, _reject, info) => {
    window = info;
    terminal?.resize(...sizeOf(info));
    accept?.();
  });
  const start = (channel: ServerChannel, args: readonly string[]): void => {
    if (window === undefined) startPiped(channel, account(), args);
    else terminal = startInPty(channel, account(), args, window);
  };
  session.on('exec', (accept, _reject, info) => start(accept(), ['-c', info.command]));
  session.on('shell', (accept) => start(accept(), ['-i']));
}

type Window = Pick<PseudoTtyInfo, 'cols' | 'rows'>;

/** A client that has no size for its terminal says 0. */
const sizeOf = ({ cols, rows }: Window): [number, number] => [cols || 80, rows || 24];

const environmentOf = (account: string, term: string): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/',
  LOGNAME: account,
  USER: account,
  PS1: `${account}@opa-demo-linux$ `,
  TERM: term,
});

function startPiped(channel: ServerChannel, account: string, args: readonly string[]): void {
  const child = spawn('/bin/sh', args, {
    env: environmentOf(account, 'dumb'),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code, signal) => {
    if (signal) channel.exit(signal.replace(/^SIG/, ''));
    else channel.exit(code ?? 0);
    channel.end();
  });
  channel.on('close', () => child.kill('SIGHUP'));
}

/** Whoever works at a terminal needs one at the other end: it echoes, and ends lines. */
function startInPty(
  channel: ServerChannel,
  account: string,
  args: readonly string[],
  window: Window,
): IPty {
  const [cols, rows] = sizeOf(window);
  const terminal = spawnInPty('/bin/sh', [...args], {
    name: 'xterm',
    cols,
    rows,
    env: environmentOf(account, 'xterm'),
  });
  let isOver = false;
  terminal.onData((text) => channel.write(text));
  terminal.onExit(({ exitCode, signal }) => {
    isOver = true;
    channel.exit(signal ? 128 + signal : exitCode);
    channel.end();
  });
  const typed = new StringDecoder('utf8');
  channel.on('data', (bytes: Buffer) => terminal.write(typed.write(bytes)));
  channel.on('close', () => {
    if (!isOver) terminal.kill('SIGHUP');
  });
  return terminal;
}
