import { connect, createServer, type Socket } from 'node:net';

export interface Tap {
  readonly port: number;
  /** All bytes that passed, both ways, as they came. */
  bytes(): Buffer;
  close(): Promise<void>;
}

/** Listens on a loopback port of its own, passes everything on to `port`, and keeps it. */
export async function tapInFrontOf(port: number): Promise<Tap> {
  const kept: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => kept.push(data));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    bytes: () => Buffer.concat(kept),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
