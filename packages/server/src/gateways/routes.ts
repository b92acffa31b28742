import {
  type Answer,
  type Body,
  type GatewaySignal,
  type Operation,
  type OperationId,
  operations,
  type Params,
  splitTarget,
} from '@postern/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { userRef } from '../platform/actor.ts';
import { MAX_NESTING, nestsDeeper, tooDeep } from '../platform/body.ts';
import { Refusal } from '../platform/errors.ts';
import type { Refusals } from '../platform/refusals.ts';
import {
  checkTeam,
  fastifyPath,
  type Reply,
  type RouteWorld,
  route,
  routeSchema,
} from '../platform/route.ts';
import type { Signals } from '../platform/signals.ts';
import { openStream } from '../platform/sse.ts';
import type { Transact, Tx } from '../platform/tx.ts';
import {
  admitSession,
  answerLease,
  type GatewayCaller,
  recordRefusedAdmission,
  type SessionWorld,
  takeReport,
} from '../sessions/index.ts';
import {
  authenticateGateway,
  createCode,
  disableGateway,
  enrolWithCode,
  listGateways,
  lockActive,
  requireActive,
} from './service.ts';
import { readSignal, recordLease } from './service-stream.ts';

export interface GatewayWorld extends RouteWorld<Caller> {
  readonly transact: Transact;
  readonly signals: Pick<Signals, 'on'>;
  readonly sessions: SessionWorld;
  readonly refusals: Pick<Refusals, 'take'>;
  readonly streams: Set<{ close(): void }>;
}

/** For admins: gateways, codes. */
export function registerGatewayAdminRoutes(app: FastifyInstance, world: GatewayWorld): void {
  route(app, world, 'listGateways', async ({ tx }) => ({
    status: 200,
    body: { list: await listGateways(tx) },
  }));
  route(app, world, 'createGatewayCode', async ({ tx, caller, body }) => {
    world.sessions.clock.assertSafe();
    return { status: 201, body: await createCode(tx, caller, body.name) };
  });
  route(app, world, 'disableGateway', async ({ tx, caller, params }) => ({
    status: 200,
    body: await disableGateway(tx, userRef(caller), params.id),
  }));
}

interface SignedRequest extends FastifyRequest {
  rawBody?: Buffer;
}

/**
 * For gateways. In a scope of its own, because a signature covers the body's bytes as they
 * came: its JSON parser keeps them.
 */
export async function registerGatewayRoutes(
  app: FastifyInstance,
  world: GatewayWorld,
): Promise<void> {
  await app.register(async (scope) => {
    const parse = scope.getDefaultJsonParser('error', 'error');
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      (request as SignedRequest).rawBody = body as Buffer;
      if (nestsDeeper(body.toString('utf8'), MAX_NESTING)) return done(tooDeep());
      parse(request, body.toString('utf8'), done);
    });
    enrolment(scope, world);
    admission(scope, world);
    signed(scope, world, 'renewLease', async (tx, gateway, { body }) => {
      await recordLease(tx, gateway, body.host_keys);
      return { status: 200, body: await answerLease(tx, gateway, body.sessions) };
    });
    signed(scope, world, 'reportSession', async (tx, gateway, { params, body }) => {
      await takeReport(tx, gateway, params.id, body);
      return { status: 204, body: null };
    });
    stream(scope, world);
  });
}

function enrolment(scope: FastifyInstance, world: GatewayWorld): void {
  const operation: Operation = operations.enrollGateway;
  scope.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      checkTeam(world, request);
      // A clock that went back would make an old code good again.
      world.sessions.clock.assertSafe();
      const row = await world
        .transact((tx) => enrolWithCode(tx, request.body as Body<'enrollGateway'>))
        .catch(async (error) => {
          if (error instanceof Refusal)
            await world.refused(operation, error, undefined, request.ip);
          throw error;
        });
      return reply.code(201).header('cache-control', 'no-store').send({ gateway_id: row.id });
    },
  });
}

/** The refusal is thrown after the commit, so that the event of a damaged secret stays. */
function admission(scope: FastifyInstance, world: GatewayWorld): void {
  signedRoute(scope, world, 'admitSession', async (request, gateway) => {
    const body = request.body as Body<'admitSession'>;
    const refuse = async (error: Refusal): Promise<never> => {
      const actor = { type: 'gateway', id: gateway.gateway_id, name: gateway.name };
      const refused = {
        type: 'pam.user_creds.refuse',
        actor,
        address: body.client_address,
      } as const;
      if (world.refusals.take(refused))
        await world.transact((tx) => recordRefusedAdmission(tx, gateway, body, error.detail));
      throw error;
    };
    const admitted = await world
      .transact(async (tx) => {
        await lockActive(tx, gateway);
        return admitSession(tx, world.sessions, gateway, body);
      })
      .catch((error) => {
        if (error instanceof Refusal) return refuse(error);
        throw error;
      });
    if (admitted === 'credential_unavailable')
      return refuse(
        new Refusal('unavailable', 'The credential of this account is not available.', {
          next: 'An administrator enters it again: sft-admin accounts set',
        }),
      );
    return { status: 200, body: admitted };
  });
}

type SignedHandler<K extends OperationId> = (
  tx: Tx,
  gateway: GatewayCaller,
  call: { params: Params<K>; body: Body<K> },
) => Promise<Reply<Answer<K>>>;

function signed<K extends OperationId>(
  scope: FastifyInstance,
  world: GatewayWorld,
  id: K,
  handler: SignedHandler<K>,
): void {
  signedRoute(scope, world, id, (request, gateway) =>
    world.transact(async (tx) => {
      await requireActive(tx, gateway);
      return handler(tx, gateway, {
        params: request.params as Params<K>,
        body: request.body as Body<K>,
      });
    }),
  );
}

function signedRoute<K extends OperationId>(
  scope: FastifyInstance,
  world: GatewayWorld,
  id: K,
  act: (request: FastifyRequest, gateway: GatewayCaller) => Promise<Reply<Answer<K>>>,
): void {
  const operation: Operation = operations[id];
  scope.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      const answer = await act(request, await identify(world, request));
      reply.code(answer.status).header('cache-control', 'no-store');
      return reply.send(answer.status === 204 ? undefined : answer.body);
    },
  });
}

async function identify(world: GatewayWorld, request: SignedRequest): Promise<GatewayCaller> {
  checkTeam(world, request);
  const { path, query } = splitTarget(request.raw.url ?? '');
  return world.transact((tx) =>
    authenticateGateway(tx, {
      method: request.method,
      path,
      query,
      headers: request.headers,
      body: request.rawBody ?? Buffer.alloc(0),
    }),
  );
}

/** What happens to this gateway's sessions elsewhere, from whichever replica it comes. */
function stream(scope: FastifyInstance, world: GatewayWorld): void {
  const operation: Operation = operations.gatewayStream;
  scope.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      const gateway = await identify(world, request);
      const events = openStream(request, reply);
      world.streams.add(events);
      const tell = (signal: GatewaySignal): void => events.send('signal', signal);
      const reading = new Set<Promise<void>>();
      const off = [
        world.signals.on('session', ({ id }) => {
          const read = world
            .transact((tx) => readSignal(tx, gateway, id))
            .then((signal) => signal && tell(signal))
            .catch(() => events.close())
            .finally(() => reading.delete(read));
          reading.add(read);
        }),
        // Disabled: its sessions were cut before, in the same commit, and it is told of that first.
        world.signals.on('gateway', ({ id }) => {
          if (id === gateway.gateway_id) void Promise.all([...reading]).then(() => events.close());
        }),
        // Signals may be lost: the gateway connects again and renews its lease.
        world.signals.on('reload', () => events.close()),
      ];
      events.onClose(() => {
        for (const stop of off) stop();
        world.streams.delete(events);
      });
      tell({ type: 'hello' });
    },
  });
}
