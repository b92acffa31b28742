import { type Operation, operations } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import { authorized, fastifyPath, type RouteWorld, route, routeSchema } from '../platform/route.ts';
import type { Signals } from '../platform/signals.ts';
import { type EventStream, openStream } from '../platform/sse.ts';
import { readCard } from './service-card.ts';
import { listCatalogue } from './service-catalogue.ts';
import { commentRequest } from './service-comment.ts';
import { decideRequest } from './service-decide.ts';
import { describeInFull } from './service-detail.ts';
import { cancelRequest, dropRequest, revokeRequest } from './service-end.ts';
import { escalateRequest } from './service-escalate.ts';
import { lintRequestTypes } from './service-lint.ts';
import { listAccessRequests } from './service-list.ts';
import { raiseRequest } from './service-raise.ts';
import { createType, getType, listRequestTypes, publishType } from './service-types.ts';
import { replaceType, retireType } from './service-types-edit.ts';
import { describeRequest, findVisible } from './service-view.ts';

export interface RequestRouteWorld extends RouteWorld<Caller> {
  readonly signals: Pick<Signals, 'on'>;
  readonly streams: Set<{ close(): void }>;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

export function registerRequestRoutes(app: FastifyInstance, world: RequestRouteWorld): void {
  route(app, world, 'createAccessRequest', async ({ tx, caller, body, client_address }) => {
    const { created, request } = await raiseRequest(tx, caller, body, client_address);
    return { status: created ? 201 : 200, body: request, etag: request.etag };
  });
  route(app, world, 'listAccessRequests', async ({ tx, caller, relations, query }) => {
    const rows = await listAccessRequests(tx, caller, relations, query);
    const { list, ...next } = cutPage(rows, pageOf(query));
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'getAccessRequest', async ({ tx, caller, relations, params }) => {
    const { row } = await findVisible(tx, caller, relations, params.id);
    const body = await describeInFull(tx, row);
    return { status: 200, body, etag: body.etag };
  });
  route(app, world, 'getAccessRequestCard', async ({ tx, caller, relations, params }) => {
    const body = await readCard(tx, caller, relations, params.id);
    return { status: 200, body, etag: body.etag };
  });
  route(app, world, 'decideAccessRequest', async (call) => {
    const { tx, caller, relations, params, body, if_match } = call;
    // An approval counts from now: with a wrong clock it would hold at another time.
    if (body.decision === 'approve') world.clock.assertSafe();
    const request = await decideRequest(tx, caller, relations, params.id, body, if_match);
    return { status: 200, body: request, etag: request.etag };
  });
  route(app, world, 'cancelAccessRequest', async ({ tx, caller, relations, params }) => ({
    status: 200,
    body: await cancelRequest(tx, caller, relations, params.id),
  }));
  route(app, world, 'revokeAccessRequest', async ({ tx, caller, relations, params, body }) => ({
    status: 200,
    body: await revokeRequest(tx, caller, relations, params.id, body.reason),
  }));
  route(app, world, 'dropAccessRequest', async ({ tx, caller, relations, params }) => ({
    status: 200,
    body: await dropRequest(tx, caller, relations, params.id),
  }));
  route(app, world, 'escalateAccessRequest', async ({ tx, caller, relations, params, body }) => {
    // It counts the votes again: those that were given may then approve.
    world.clock.assertSafe();
    const request = await escalateRequest(tx, caller, relations, params.id, body.reason);
    return { status: 200, body: request };
  });
  route(app, world, 'commentAccessRequest', async ({ tx, caller, relations, params, body }) => ({
    status: 201,
    body: await commentRequest(tx, caller, relations, params.id, body.text),
  }));
  registerTypes(app, world);
  events(app, world);
}

function registerTypes(app: FastifyInstance, world: RequestRouteWorld): void {
  route(app, world, 'listCatalog', async ({ tx, caller }) => ({
    status: 200,
    body: { list: await listCatalogue(tx, caller) },
  }));
  route(app, world, 'listRequestTypes', async ({ tx, query }) => {
    const { list, ...next } = cutPage(await listRequestTypes(tx, query), pageOf(query));
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'createRequestType', async ({ tx, caller, body }) => ({
    status: 201,
    body: await createType(tx, caller, body),
  }));
  route(app, world, 'getRequestType', async ({ tx, caller, params }) => ({
    status: 200,
    body: await getType(tx, caller, params.id),
  }));
  route(app, world, 'lintRequestTypes', async ({ tx }) => ({
    status: 200,
    body: { list: await lintRequestTypes(tx) },
  }));
  route(app, world, 'replaceRequestType', async ({ tx, caller, params, body, if_match }) => ({
    status: 200,
    body: await replaceType(tx, caller, params.id, body, if_match),
  }));
  route(app, world, 'retireRequestType', async ({ tx, caller, params }) => {
    await retireType(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'publishRequestType', async ({ tx, caller, params }) => ({
    status: 200,
    body: await publishType(tx, caller, params.id),
  }));
}

/** A lost signal is made good by reading again this often. */
const REREAD_MS = 5_000;

/**
 * The request each time it changes. Who reads is authenticated again with every read, so a
 * disabled user or an ended token closes the stream.
 */
function events(app: FastifyInstance, world: RequestRouteWorld): void {
  const operation: Operation = operations.accessRequestEvents;
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      const { id } = request.params as { id: string };
      const read = () =>
        authorized(world, operation, request, async (tx, caller, relations) =>
          describeRequest(tx, (await findVisible(tx, caller, relations, id)).row),
        );
      const first = await read();
      const stream = openStream(request, reply);
      world.streams.add(stream);
      stream.send('request', first);
      const stop = follow(stream, read, first.etag, (again) =>
        world.signals.on('request', (signal) => {
          if (signal.id === id) again();
        }),
      );
      stream.onClose(() => {
        stop();
        world.streams.delete(stream);
      });
    },
  });
}

/** Reads again when told to, and every 5 s; sends what has another ETag; one read at a time. */
function follow<T extends { etag: string }>(
  stream: EventStream,
  read: () => Promise<T>,
  etag: string,
  listen: (again: () => void) => () => void,
): () => void {
  let last = etag;
  let reading = false;
  let asked = false;
  const again = (): void => {
    asked = true;
    if (reading || stream.closed) return;
    reading = true;
    void (async () => {
      while (asked && !stream.closed) {
        asked = false;
        const now = await read();
        if (now.etag !== last) stream.send('request', now);
        last = now.etag;
      }
    })()
      .catch(() => stream.close())
      .finally(() => {
        reading = false;
      });
  };
  const timer = setInterval(again, REREAD_MS);
  timer.unref();
  const off = listen(again);
  return () => {
    clearInterval(timer);
    off();
  };
}
