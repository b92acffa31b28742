import { type Operation, operations } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import type { Recordings } from '../platform/recordings.ts';
import {
  authorized,
  bytes,
  fastifyPath,
  type RouteWorld,
  route,
  routeSchema,
} from '../platform/route.ts';
import { sessionTargets } from './service-cut.ts';
import { makeNonce, openSession } from './service-open.ts';
import {
  describeSession,
  findVisibleSession,
  listSessions,
  terminateSession,
} from './service-view.ts';
import type { SessionWorld } from './service-world.ts';

export interface SessionRouteWorld extends RouteWorld<Caller> {
  readonly sessions: SessionWorld;
  readonly recordings: Recordings;
}

export function registerSessionRoutes(app: FastifyInstance, world: SessionRouteWorld): void {
  route(app, world, 'createSessionNonce', async ({ tx, caller }) => ({
    status: 201,
    body: await makeNonce(tx, caller),
  }));
  route(app, world, 'openSession', async ({ tx, caller, body, client_address }) => ({
    status: 201,
    body: await openSession(tx, world.sessions, caller, body, client_address),
  }));
  route(app, world, 'listSessions', async ({ tx, caller, relations, query }) => {
    const page = pageOf(query);
    const rows = await listSessions(tx, caller, relations, { ...query, ...page });
    const { list, ...next } = cutPage(rows, page);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'getSession', async ({ tx, caller, relations, params }) => ({
    status: 200,
    body: await describeSession(tx, await findVisibleSession(tx, caller, relations, params.id)),
  }));
  route(app, world, 'terminateSession', async ({ tx, caller, relations, params }) => ({
    status: 200,
    body: await terminateSession(tx, caller, relations, params.id),
  }));
  recording(app, world);
}

/** Viewing is an event, written before the first byte leaves. */
function recording(app: FastifyInstance, world: SessionRouteWorld): void {
  const operation: Operation = operations.getRecording;
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: { ...routeSchema(operation), response: bytes('application/x-asciicast') },
    handler: async (request, reply) => {
      const { id } = request.params as { id: string };
      await authorized(world, operation, request, async (tx, caller, relations) => {
        const row = await findVisibleSession(tx, caller, relations, id);
        await tx.audit({
          type: 'pam.session.recording.view',
          actor: userRef(caller),
          targets: await sessionTargets(tx, row),
          outcome: SUCCESS,
          session_id: row.id,
          request_id: row.request_id,
          client_address: request.ip,
        });
      });
      const bytes = await world.recordings.open(id);
      if (bytes === undefined)
        throw new Refusal('recording_unavailable', 'There is no recording of this session here.', {
          next: 'Only sessions whose rule demands it are recorded; the gateway that did it has the file.',
        });
      return reply.type('application/x-asciicast').header('cache-control', 'no-store').send(bytes);
    },
  });
}
