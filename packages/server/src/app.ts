import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { acceptJsonOnly, BODY_LIMIT } from './platform/body.ts';
import {
  answerBroken,
  HTTP_LIMITS,
  KEEP_ALIVE_MS,
  limitConnections,
  limitUnanswered,
  REQUEST_TIMEOUT_MS,
  SILENCE_MS,
} from './platform/connections.ts';
import { Refusal } from './platform/errors.ts';
import { type HealthCheck, registerHealth } from './platform/health.ts';
import { leaveTogether } from './platform/leave-together.ts';
import { type Logger, withoutRedaction } from './platform/logging.ts';
import { type Metrics, registerMetrics } from './platform/metrics.ts';
import { isLoopback, matcher } from './platform/networks.ts';
import { registerOpenapi } from './platform/openapi.ts';
import { PROBLEM_MEDIA_TYPE, toProblem } from './platform/problem.ts';
import { limitRequests } from './platform/request-limits.ts';
import { SECURITY_HEADERS } from './platform/security-headers.ts';
import { serializersAtFirstUse } from './platform/serialization.ts';
import { refuseUnstorable } from './platform/storable.ts';
import { useStrictValidation } from './platform/validation.ts';

export interface AppWorld {
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly checks: readonly HealthCheck[];
  /** Registers what the service does. */
  readonly register: (app: FastifyInstance) => Promise<void> | void;
  /** Ends the answers that would never end by themselves, when the service stops. */
  readonly closeStreams?: () => void;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** Forwarding headers count from these only. */
  readonly trusted_proxies?: readonly string[];
  /** Requests per minute of one token that was good, or of one network. Unset: no limit. */
  readonly requests_per_minute?: number;
}

/** The HTTP side, complete but not listening; tests use `inject`. */
export async function buildApp(world: AppWorld): Promise<FastifyInstance> {
  const { trusted_proxies = [] } = world;
  const app = fastify({
    loggerInstance: world.log as FastifyBaseLogger,
    logController: new LogController({
      disableRequestLogging: true,
    }),
    // A logger for each request costs more than its line: what logs says its trace_id.
    childLoggerFactory: (log) => log,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: trusted_proxies.length > 0 ? [...trusted_proxies] : false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    exposeHeadRoutes: false,
    schemaController: { compilersFactory: { buildSerializer: serializersAtFirstUse } },
    frameworkErrors: (error, request, reply) => refuse(error, request, reply),
    clientErrorHandler: answerBroken,
    ...serverOptions(world),
  }) as FastifyInstance;

  const isProxy = matcher(trusted_proxies);
  limitConnections(app.server as Server, (address) => isLoopback(address) || isProxy(address));
  limitUnanswered(app);
  acceptJsonOnly(app);
  refuseUnstorable(app);
  useStrictValidation(app);
  app.setErrorHandler((error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    refuse(new Refusal('not_found', 'There is nothing here.'), request, reply),
  );
  logRequests(app, withoutRedaction(world.log));
  app.addHook('preClose', async () => {
    world.closeStreams?.();
  });

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    reply.header('x-trace-id', request.id);
    done();
  });
  leaveTogether(app);
  registerMetrics(app, world.metrics);
  registerHealth(app, world.checks);
  if (world.requests_per_minute !== undefined) await limitRequests(app, world.requests_per_minute);
  await registerOpenapi(app, world.version);
  await world.register(app);
  await app.ready();
  return app;
}

const serverOptions = ({ tls }: AppWorld) =>
  tls
    ? {
        https: { ...HTTP_LIMITS, ...tls, minVersion: 'TLSv1.2' as const, handshakeTimeout: 10_000 },
      }
    : { http: HTTP_LIMITS };

/** RFC 9449, 7.1: how else to come. */
const CHALLENGE = 'DPoP algs="ES256 EdDSA", Bearer';

const CUT_OFF = new Refusal('invalid_request', 'The request ended before its body did.');

/** The client went away in the middle of what it sent, and not the database. */
const isCutOff = (error: unknown, { raw }: FastifyRequest): boolean =>
  error !== undefined && error !== null && raw.errored === error;

/** The one place that answers a refusal or an error. */
function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [problem, fault] = toProblem(isCutOff(error, request) ? CUT_OFF : error, request.id);
  if (fault === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  if (problem.code === 'unauthenticated') reply.header('www-authenticate', CHALLENGE);
  return reply
    .code(problem.status)
    .type(PROBLEM_MEDIA_TYPE)
    .header('cache-control', 'no-store')
    .header('x-trace-id', request.id)
    .serializer(JSON.stringify)
    .send(problem);
}

/** One line for each request, by route pattern: paths hold ids, query strings may hold more. */
function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', (request, reply, done) => {
    const facts = {
      trace_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      client: request.ip,
    };
    if (facts.route === '/healthz' || facts.route === '/readyz' || facts.route === '/metrics')
      log.debug(facts, 'request');
    else log.info(facts, 'request');
    done();
  });
}
