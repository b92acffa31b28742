import type { FastifyInstance } from 'fastify';
import { oneForAll } from './one-for-all.ts';

/** One thing without which the service cannot serve. */
export interface HealthCheck {
  readonly name: string;
  /** @returns undefined when all is well, else what is wrong, in words anybody may read. */
  check(): Promise<string | undefined> | string | undefined;
}

const TIMEOUT_MS = 2_000;

/**
 * `/healthz`: the process answers. `/readyz`: every check passes; 503 names those that do
 * not. A check that throws or takes too long has failed, and says no more than that.
 */
export function registerHealth(app: FastifyInstance, checks: readonly HealthCheck[]): void {
  const failing = oneForAll(() => failedOf(checks));
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_, reply) => {
    const failed = await failing();
    const ready = Object.keys(failed).length === 0;
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(ready ? { status: 'ready' } : { status: 'not ready', failed });
  });
}

/** What is wrong, by the name of its check. */
async function failedOf(checks: readonly HealthCheck[]): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  await Promise.all(
    checks.map(async (check) => {
      const problem = await outcome(check);
      if (problem !== undefined) failed[check.name] = problem;
    }),
  );
  return failed;
}

async function outcome({ check }: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('took too long'), TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}
