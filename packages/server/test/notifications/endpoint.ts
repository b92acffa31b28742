import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Posted {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP receiver on loopback that answers as it is told to. */
export interface Endpoint {
  readonly url: URL;
  readonly posted: Posted[];
  /** How often somebody connected. */
  connections(): number;
  answer: (response: http.ServerResponse, socket: Socket) => void;
  stop(): Promise<void>;
}

export async function endpoint(path = '/hook'): Promise<Endpoint> {
  const posted: Posted[] = [];
  let connections = 0;
  const server = http.createServer(async (request, response) => {
    const chunks = (await request.toArray()) as Buffer[];
    posted.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    made.answer(response, request.socket);
  });
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const made: Endpoint = {
    url: new URL(`http://127.0.0.1:${port}${path}`),
    posted,
    connections: () => connections,
    answer: (response) => void response.writeHead(204).end(),
    stop: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return made;
}
