import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import type { PostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where workers ask for a database; nothing is started before the first one asks. */
    posternTestDatabases: string;
  }
}

/**
 * Started once per run, in vitest's own process; what it starts it also ends. The server's
 * code is loaded only when somebody asks, so that other packages' tests do not depend on it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let template: Promise<string> | undefined;
  let postgres: Promise<PostgresServer> | undefined;
  const answers: Record<string, (template: string) => Promise<string>> = {
    '/pglite': () => {
      template ??= import('./pglite-template.ts').then((m) => m.pgliteTemplate());
      return template;
    },
    '/postgres': async (name) => {
      postgres ??= import('./postgres-server.ts').then((m) => m.startPostgres());
      return (await postgres).createDatabase(name);
    },
  };
  const server = http.createServer(async (request, response) => {
    response.setHeader('connection', 'close'); // a kept one may close under the next question
    try {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
      const answer = answers[pathname];
      response.end(answer ? await answer(searchParams.get('template') ?? '') : '');
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  project.provide('posternTestDatabases', `http://127.0.0.1:${port}`);
  return async () => {
    server.close();
    await (await postgres)?.stop();
  };
}
