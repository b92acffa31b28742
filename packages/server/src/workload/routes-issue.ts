import {
  type Body,
  type Instant,
  type Operation,
  operations,
  type ServiceToken,
} from '@postern/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { failure } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import { networkOf } from '../platform/networks.ts';
import type { Refusals } from '../platform/refusals.ts';
import { checkTeam, fastifyPath, type RouteWorld, routeSchema } from '../platform/route.ts';
import { NotBelieved } from './model.ts';
import { createFetch, type FetchText, type WorkloadSettings } from './routes-fetch.ts';
import { createKeys } from './routes-jwks.ts';
import { createLimit } from './routes-limit.ts';
import { headerOf, verifyAssertion, verifyWorkload } from './routes-verify.ts';
import { connectionNamed, issueWorkloadToken } from './service-issue.ts';
import { issueServiceToken, keyOf } from './service-keys.ts';

export interface WorkloadWorld extends RouteWorld<Caller> {
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  readonly now: () => Instant;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
  readonly refusals: Pick<Refusals, 'take'>;
  /** Where this deployment is reached: whom tokens are for. */
  readonly publicUrl: string | undefined;
  readonly workload: WorkloadSettings;
  /** In a test: instead of the network. */
  readonly fetch?: FetchText;
}

const LOGINS_PER_MINUTE = 30;

/** The logins that need no login: a job's with its provider's token, a service user's with its key. */
export function registerIssueRoutes(app: FastifyInstance, world: WorkloadWorld): void {
  const fetch = world.fetch ?? createFetch(world.workload);
  const keysAt = createKeys({ fetch, monotonic: world.monotonic });
  const limit = createLimit(LOGINS_PER_MINUTE, world.monotonic);

  knock(app, world, 'issueWorkloadToken', async (request) => {
    const { connection: name } = request.params as { connection: string };
    limit(`${networkOf(request.ip)} ${name}`);
    const { jwt } = request.body as Body<'issueWorkloadToken'>;
    const seen = await world.transact((tx) => connectionNamed(tx, name));
    // Keys are fetched here, outside of any transaction.
    const claims = await verifyWorkload(seen.connection, jwt, { keysAt, now: world.now() });
    return await world.transact((tx) => issueWorkloadToken(tx, seen, claims, request.ip));
  });

  knock(app, world, 'issueServiceToken', async (request) => {
    const { client_assertion } = request.body as Body<'issueServiceToken'>;
    const { kid } = headerOf(client_assertion);
    limit(`${networkOf(request.ip)} ${kid}`);
    const { publicUrl, team } = world;
    if (publicUrl === undefined) throw new NotBelieved('no_public_url');
    const key = await world.transact((tx) => keyOf(tx, kid));
    const path = operations.issueServiceToken.path.replace('{team}', team);
    const audience = [publicUrl, publicUrl + path];
    const claims = await verifyAssertion(key, client_assertion, { audience, now: world.now() });
    return await world.transact((tx) => issueServiceToken(tx, key, claims, request.ip));
  });
}

type Public = 'issueWorkloadToken' | 'issueServiceToken';

/** One answer for every fault; the reason is in the log. */
function knock(
  app: FastifyInstance,
  world: WorkloadWorld,
  id: Public,
  act: (request: FastifyRequest) => Promise<ServiceToken>,
): void {
  const operation: Operation = operations[id];
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      checkTeam(world, request);
      // The life of what is presented, and of what is issued, is counted by it.
      world.clock.assertSafe();
      const answer = await act(request).catch(async (error) => {
        if (error instanceof NotBelieved) await refused(world, operation, error, request);
        throw error instanceof NotBelieved ? notBelieved() : error;
      });
      reply.header('cache-control', 'no-store');
      return reply.code(200).send(answer);
    },
  });
}

const notBelieved = (): Refusal =>
  new Refusal('unauthenticated', 'This is not believed.', {
    next: 'An administrator sees why: sft-admin log search --type pam.login.fail',
  });

async function refused(
  world: WorkloadWorld,
  operation: Operation,
  { reason }: NotBelieved,
  request: FastifyRequest,
): Promise<void> {
  const type = 'pam.login.fail';
  const actor = { type: 'unknown', id: null, name: null };
  if (!world.refusals.take({ type, actor, address: request.ip })) return;
  const { connection } = request.params as { connection?: string };
  await world.transact((tx) =>
    tx.audit({
      type,
      actor,
      targets: [{ type: 'operation', id: operation.id, name: null }],
      outcome: failure('unauthenticated'),
      client_address: request.ip,
      details: {
        reason: reason.slice(0, 200),
        ...(connection === undefined ? {} : { connection: connection.slice(0, 100) }),
      },
    }),
  );
}
