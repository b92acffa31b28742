import {
  type Answer,
  type Body,
  type Instant,
  type Operation,
  type OperationId,
  operations,
  type Query,
  type Relation,
} from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type Credentials, credentialsOf } from '../platform/credentials.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import {
  checkTeam,
  fastifyPath,
  type RouteWorld,
  route,
  routeSchema,
  sendPage,
} from '../platform/route.ts';
import {
  createPolicy,
  deletePolicy,
  describePolicy,
  getPolicy,
  listPolicyRows,
  replacePolicy,
} from './service.ts';
import type { PolicyCache } from './service-cache.ts';
import { type Asking, evaluateOn, listReachable, resolveNames } from './service-read.ts';

export interface PolicyRouteWorld extends RouteWorld<Caller> {
  readonly cache: PolicyCache;
  readonly cachedAuth: (credentials: Credentials | undefined) => Promise<Caller>;
  readonly now: () => Instant;
}

export function registerPolicyRoutes(app: FastifyInstance, world: PolicyRouteWorld): void {
  reading(app, world, 'resolve', async ({ asking, body }) => ({
    body: await resolveNames(world.cache, asking, body.names),
  }));
  reading(app, world, 'evaluate', async ({ asking, body, relations }) => {
    const user_id = body.user_id ?? asking.user_id;
    // Somebody else's access is for those who may see everybody's; to others he does not exist.
    if (user_id !== asking.user_id && !relations.has('any'))
      throw new Refusal('not_found', 'There is no such user, or no access of his to see.');
    // Proofs are of a login, and of somebody else's none is known.
    const own = user_id === asking.user_id;
    const user_access_methods = await evaluateOn(
      world.cache,
      own ? asking : { ...asking, user_id, token_id: undefined, binding: null },
      body.server_id,
    );
    return { body: { user_access_methods } };
  });
  reading(app, world, 'listServers', async ({ asking, query }) => {
    const page = pageOf(query);
    const all = await listReachable(world.cache, asking, query.selector);
    const after = page.after === undefined ? 0 : all.findIndex((s) => s.id === page.after) + 1;
    const { list, ...next } = cutPage(all.slice(after, after + page.limit + 1), page);
    return { body: { list }, ...next };
  });
  route(app, world, 'listSecurityPolicies', async ({ tx, query }) => {
    const page = pageOf(query);
    const rows = await listPolicyRows(tx, query.name, page);
    const { list, ...next } = cutPage(rows, page);
    return { status: 200, body: { list: list.map(describePolicy) }, ...next };
  });
  route(app, world, 'createSecurityPolicy', async ({ tx, caller, body }) => {
    const stored = await createPolicy(tx, caller, body);
    return { status: 201, body: stored, etag: stored.etag };
  });
  route(app, world, 'getSecurityPolicy', async ({ tx, params }) => {
    const stored = await getPolicy(tx, params.id);
    return { status: 200, body: stored, etag: stored.etag };
  });
  route(app, world, 'replaceSecurityPolicy', async ({ tx, caller, params, body, if_match }) => {
    const stored = await replacePolicy(tx, caller, params.id, body, if_match);
    return { status: 200, body: stored, etag: stored.etag };
  });
  route(app, world, 'deleteSecurityPolicy', async ({ tx, caller, params }) => {
    await deletePolicy(tx, caller, params.id);
    return { status: 204, body: null };
  });
}

interface Reading<K extends OperationId> {
  readonly asking: Asking;
  readonly relations: ReadonlySet<Relation>;
  readonly body: Body<K>;
  readonly query: Query<K>;
}

/** An operation that only reads, on cached facts and a caller at most a second old: no transaction. */
function reading<K extends OperationId>(
  app: FastifyInstance,
  world: PolicyRouteWorld,
  id: K,
  handler: (call: Reading<K>) => Promise<{ body: Answer<K>; next_cursor?: string }>,
): void {
  const operation: Operation = operations[id];
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    // These answers are made field by field from the cache, so that there is nothing for the
    // schema to leave out; its test holds them to it.
    serializerCompiler: () => JSON.stringify,
    handler: async (request, reply) => {
      let caller: Caller | undefined;
      try {
        checkTeam(world, request);
        caller = await world.cachedAuth(credentialsOf(request));
        const relations = world.permit(operation, caller);
        const answer = await handler({
          asking: {
            user_id: caller.user_id,
            token_id: caller.token_id,
            client_address: request.ip,
            binding: caller.binding,
            now: world.now(),
          },
          relations,
          body: request.body as Body<K>,
          query: request.query as Query<K>,
        });
        return await sendPage(request, reply, answer);
      } catch (error) {
        if (error instanceof Refusal) await world.refused(operation, error, caller, request.ip);
        throw error;
      }
    },
  });
}
