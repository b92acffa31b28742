import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { oneForAll } from './one-for-all.ts';

export interface Metrics {
  readonly registry: Registry;
  /** A number read whenever the metrics are. */
  gauge(name: string, help: string, read: () => number): void;
  /** @returns what adds one, for the values of these labels. */
  counter<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
  ): (values: Readonly<Record<L, string>>) => void;
}

/** A registry of its own, so that two services in one process (tests) do not share one. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  return {
    registry,
    gauge: (name, help, read) => {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    counter: (name, help, labelNames) => {
      const counter = new Counter({ name, help, labelNames, registers: [registry] });
      return (values) => counter.inc(values);
    },
  };
}

/** Adds what the process itself uses. It is observed until it ends, so once in a process. */
export const observeProcess = ({ registry }: Metrics): void =>
  collectDefaultMetrics({ register: registry });

/** Times every request by its route's pattern, never by its path: paths hold ids. */
export function registerMetrics(app: FastifyInstance, { registry }: Metrics): void {
  const duration = new Histogram({
    name: 'postern_http_request_duration_seconds',
    help: 'From the request to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  // As many as there are methods, routes and statuses; looking one up hashes its labels.
  const known = new Map<string, Histogram.Internal<string>>();
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const { statusCode: status } = reply;
    const route = request.routeOptions.url ?? 'none';
    const key = `${status} ${method} ${route}`;
    let timed = known.get(key);
    if (timed === undefined) {
      timed = duration.labels({ method, route, status });
      known.set(key, timed);
    }
    timed.observe(reply.elapsedTime / 1000);
    done();
  });
  const text = oneForAll(async () => Buffer.from(await registry.metrics()));
  app.get('/metrics', { schema: { hide: true } }, async (_, reply) =>
    reply.type(registry.contentType).send(await text()),
  );
}
