import { createServer, request } from 'node:http';

export interface Rewriter {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A service that says something else than ours would: answers pass through it, and wherever
 * a JSON text holds `mark`, it holds `text` instead.
 */
export async function rewriterOf(port: number, mark: string, text: string): Promise<Rewriter> {
  const escaped = JSON.stringify(text).slice(1, -1);
  const server = createServer((incoming, outgoing) => {
    const onward = request(
      {
        host: '127.0.0.1',
        port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        const { 'content-length': _, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        const isStream = String(headers['content-type']).startsWith('text/event-stream');
        const whole: Buffer[] = [];
        answer.on('data', (data: Buffer) =>
          isStream ? outgoing.write(data.toString().replaceAll(mark, escaped)) : whole.push(data),
        );
        answer.on('end', () =>
          outgoing.end(Buffer.concat(whole).toString().replaceAll(mark, escaped)),
        );
      },
    );
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
