import type { FastifyInstance } from 'fastify';

/**
 * Has answers leave at the end of the event loop's turn, one right after the other. Each by
 * itself, between the work for two others, wakes a reader that has gone to sleep: under load
 * that was a third of what a cached read costs.
 */
export function leaveTogether(app: FastifyInstance): void {
  app.addHook('onSend', (_request, _reply, payload, done) => {
    setImmediate(done, null, payload);
  });
}
