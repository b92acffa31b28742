import { connect, createServer, type Server, type Socket } from 'node:net';
import { printable } from '@postern/shared';
import type { Client, ClientChannel } from 'ssh2';
import { type Failure, usage } from '../failure.ts';
import type { Console } from '../streams.ts';
import { serveSocks } from './dynamic.ts';
import type { DynamicSpec, ForwardSpec } from './port.ts';

/** A port that is listened at before anything is connected; what arrives waits until then. */
export interface Listener {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  serve(client: Client): void;
}

/** @throws Failure 64 when a port is taken. */
export async function listenLocal(
  specs: readonly ForwardSpec[],
  world: Console,
): Promise<Listener[]> {
  return await Promise.all(
    specs.map((spec) =>
      listen('-L', spec, (socket, client) => {
        openForward(client, socket, spec.host, spec.host_port, (error, channel) => {
          if (channel !== undefined) return join(socket, channel);
          warn(world, `${spec.host}:${spec.host_port}`, error);
          socket.destroy();
        });
      }),
    ),
  );
}

/** @throws Failure 64 when a port is taken. */
export async function listenDynamic(
  specs: readonly DynamicSpec[],
  world: Console,
): Promise<Listener[]> {
  return await Promise.all(
    specs.map((spec) =>
      listen('-D', spec, (socket, client) =>
        serveSocks(socket, (host, port, done) =>
          openForward(client, socket, host, port, (error, channel) => {
            if (channel === undefined) warn(world, `${host}:${port}`, error);
            done(channel);
          }),
        ),
      ),
    ),
  );
}

/**
 * Has the server listen for each spec, and connects from here what arrives there.
 * @returns why one is refused; undefined when all are in place.
 */
export async function requestRemote(
  client: Client,
  specs: readonly ForwardSpec[],
  world: Console,
): Promise<string | undefined> {
  const ports = new Map<number, ForwardSpec>();
  client.on('tcp connection', (details, accept, reject) => {
    const spec = ports.get(details.destPort);
    if (spec === undefined) return reject();
    const channel = accept();
    const socket = connect({ host: spec.host, port: spec.host_port, allowHalfOpen: true });
    socket.once('error', (error) => warn(world, `${spec.host}:${spec.host_port}`, error));
    join(socket, channel);
  });
  for (const spec of specs) {
    const port = await new Promise<number | Error>((resolve) =>
      client.forwardIn(spec.bind, spec.port, (error, real) => resolve(error ?? real)),
    );
    if (typeof port !== 'number')
      return `Listening at ${spec.bind}:${spec.port} over there is refused.`;
    ports.set(port, spec);
    if (spec.port === 0) world.stderr.write(`Listening at port ${port} over there.\n`);
  }
  return undefined;
}

export function closeAll(listeners: readonly Listener[]): void {
  for (const { server, sockets } of listeners) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

function listen(
  flag: string,
  { bind, port }: DynamicSpec,
  handle: (socket: Socket, client: Client) => void,
): Promise<Listener> {
  const ready = Promise.withResolvers<Client>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    ready.promise.then((client) => handle(socket, client));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(notFree(flag, bind, port, error)),
    );
    server.listen(port, bind, () => resolve({ server, sockets, serve: ready.resolve }));
  });
}

function notFree(flag: string, bind: string, port: number, error: NodeJS.ErrnoException): Failure {
  const why = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code})`;
  return usage(`Port ${port} at ${bind} ${why}.`, `Pass another one with ${flag}.`);
}

function openForward(
  client: Client,
  socket: Socket,
  host: string,
  port: number,
  done: (error: Error | undefined, channel: ClientChannel | undefined) => void,
): void {
  const from = [socket.remoteAddress ?? '127.0.0.1', socket.remotePort ?? 0] as const;
  try {
    client.forwardOut(...from, host, port, (error, channel) =>
      done(error, error ? undefined : channel),
    );
  } catch (error) {
    done(error as Error, undefined);
  }
}

/** Both ways, an end of one side ends that direction only. */
function join(socket: Socket, channel: ClientChannel): void {
  socket.pipe(channel).pipe(socket);
  socket.on('close', () => channel.close());
  socket.on('error', () => channel.close());
  channel.on('close', () => socket.destroySoon());
  channel.on('error', () => socket.destroy());
}

function warn({ stderr }: Console, where: string, error: Error | undefined): void {
  stderr.write(`sft: ${printable(`Forward to ${where}: ${error?.message ?? 'refused'}.`)}\n`);
}
