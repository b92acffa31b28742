import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DirectoryHooks } from '../directory/index.ts';
import { acceptJsonOnly } from '../platform/body.ts';
import { credentialsOf } from '../platform/credentials.ts';
import { Refusal } from '../platform/errors.ts';
import { toProblem } from '../platform/problem.ts';
import { type Tx, withEvents } from '../platform/tx.ts';
import { type Connection, namesEtag } from './connection.ts';
import { noSuch, ScimFault, type ScimType } from './fault.ts';
import { readQuery, readWanted } from './query.ts';
import { runBulk } from './routes-bulk.ts';
import { type Discovery, discover } from './routes-discovery.ts';
import { errorBody, type Json } from './schemas.ts';
import { type Act, authenticateConnection } from './service-authenticate.ts';
import * as groups from './service-groups.ts';
import * as users from './service-users.ts';

const MEDIA_TYPE = 'application/scim+json';
const PREFIX = '/scim/v2';

export interface ScimWorld {
  /** Where the service is reached; unset: locations are relative. */
  readonly publicUrl: string | undefined;
  readonly hooks: DirectoryHooks;
  transact<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** Writes what was refused to the log, in a transaction of its own. */
  refused(
    operation: { readonly id: string },
    refusal: Refusal,
    caller: undefined,
    address: string,
  ): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: Json;
  readonly etag?: string;
  readonly location?: string;
}

/** SCIM 2.0 (RFC 7644): what an identity provider calls, with the token of its connection. */
export async function registerScimRoutes(app: FastifyInstance, world: ScimWorld): Promise<void> {
  await app.register(
    async (scope) => {
      acceptJsonOnly(scope, [MEDIA_TYPE, 'application/json']);
      scope.setErrorHandler((error, request, reply) => refuse(error, request, reply));
      scope.setNotFoundHandler((request, reply) => refuse(noSuch('resource'), request, reply));
      registerUsers(scope, world);
      registerGroups(scope, world);
      const hidden = { schema: { hide: true } };
      scope.post('/Bulk', hidden, async (request, reply) => {
        await through(world, request, async () => undefined);
        const run = <T>(act: Act<T>): Promise<T> => through(world, request, act);
        const body = await runBulk(run, world.hooks, request.body, baseOf(world));
        return send(reply, { status: 200, body });
      });
      for (const name of ['ServiceProviderConfig', 'ResourceTypes', 'Schemas'] as const)
        registerDiscovery(scope, world, name);
    },
    { prefix: PREFIX },
  );
}

const hidden = { schema: { hide: true } };
const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;
const queryOf = (request: FastifyRequest) => request.query as Json;
const ifMatch = (request: FastifyRequest): string | undefined => request.headers['if-match'];

function registerUsers(scope: FastifyInstance, world: ScimWorld): void {
  const { hooks } = world;
  scope.get('/Users', hidden, async (request, reply) => {
    const wanted = readWanted(queryOf(request));
    const query = readQuery(queryOf(request));
    const act: Act<Json> = (tx, own) => users.listUsers(tx, own, query, wanted);
    return send(reply, { status: 200, body: await through(world, request, act) });
  });
  scope.post('/Users', hidden, async (request, reply) => {
    const act: Act<users.Rendered> = (tx, own) => users.createUser(tx, own, hooks, request.body);
    return send(reply, { status: 201, ...(await through(world, request, act)) });
  });
  scope.get('/Users/:id', hidden, async (request, reply) => {
    const wanted = readWanted(queryOf(request));
    const act: Act<users.Rendered> = (tx, own) => users.getUser(tx, own, idOf(request), wanted);
    return sendUnlessKnown(request, reply, await through(world, request, act));
  });
  scope.put('/Users/:id', hidden, async (request, reply) => {
    const act: Act<users.Rendered> = (tx, own) =>
      users.replaceUser(tx, own, hooks, idOf(request), request.body, ifMatch(request));
    return send(reply, { status: 200, ...(await through(world, request, act)) });
  });
  scope.patch('/Users/:id', hidden, async (request, reply) => {
    const act: Act<users.Rendered> = (tx, own) =>
      users.modifyUser(tx, own, hooks, idOf(request), request.body, ifMatch(request));
    return send(reply, { status: 200, ...(await through(world, request, act)) });
  });
  scope.delete('/Users/:id', hidden, async (request, reply) => {
    const act: Act<void> = (tx, own) =>
      users.deleteUser(tx, own, hooks, idOf(request), ifMatch(request));
    await through(world, request, act);
    return send(reply, { status: 204 });
  });
}

function registerGroups(scope: FastifyInstance, world: ScimWorld): void {
  scope.get('/Groups', hidden, async (request, reply) => {
    const wanted = readWanted(queryOf(request));
    const query = readQuery(queryOf(request));
    const act: Act<Json> = (tx, own) => groups.listGroups(tx, own, query, wanted);
    return send(reply, { status: 200, body: await through(world, request, act) });
  });
  scope.post('/Groups', hidden, async (request, reply) => {
    const act: Act<users.Rendered> = (tx, own) => groups.createGroup(tx, own, request.body);
    return send(reply, { status: 201, ...(await through(world, request, act)) });
  });
  scope.get('/Groups/:id', hidden, async (request, reply) => {
    const wanted = readWanted(queryOf(request));
    const act: Act<users.Rendered> = (tx, own) => groups.getGroup(tx, own, idOf(request), wanted);
    return sendUnlessKnown(request, reply, await through(world, request, act));
  });
  scope.put('/Groups/:id', hidden, async (request, reply) => {
    const act: Act<users.Rendered> = (tx, own) =>
      groups.replaceGroup(tx, own, idOf(request), request.body, ifMatch(request));
    return send(reply, { status: 200, ...(await through(world, request, act)) });
  });
  scope.patch('/Groups/:id', hidden, async (request, reply) => {
    const act: Act<{ etag: string }> = (tx, own) =>
      groups.modifyGroup(tx, own, idOf(request), request.body, ifMatch(request));
    // Without the group: it may have ten thousand members.
    return send(reply, { status: 204, ...(await through(world, request, act)) });
  });
  scope.delete('/Groups/:id', hidden, async (request, reply) => {
    const act: Act<void> = (tx, own) =>
      groups.deleteGroup(tx, own, idOf(request), ifMatch(request));
    await through(world, request, act);
    return send(reply, { status: 204 });
  });
}

function registerDiscovery(scope: FastifyInstance, world: ScimWorld, name: Discovery): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply, id?: string) => {
    await through(world, request, async () => undefined);
    return send(reply, { status: 200, body: await discover(name, baseOf(world), id) });
  };
  scope.get(`/${name}`, hidden, (request, reply) => answer(request, reply));
  if (name !== 'ServiceProviderConfig')
    scope.get(`/${name}/:id`, hidden, (request, reply) => answer(request, reply, idOf(request)));
}

const baseOf = ({ publicUrl = '' }: ScimWorld): string => publicUrl.replace(/\/$/, '') + PREFIX;

/** Authenticates and acts in one transaction; whoever is turned away is in the log. */
/** A connection's token is its holder's, as its provider knows no other kind. */
function bearerOf(request: FastifyRequest): string | undefined {
  const credentials = credentialsOf(request);
  return credentials?.scheme === 'Bearer' ? credentials.token : undefined;
}

async function through<T>(world: ScimWorld, request: FastifyRequest, act: Act<T>): Promise<T> {
  try {
    return await world.transact(async (tx) => {
      const connection = await authenticateConnection(tx, bearerOf(request), baseOf(world));
      return await act(onRecord(request.ip, connection, tx), connection);
    });
  } catch (error) {
    if (error instanceof Refusal) await world.refused({ id: 'scim' }, error, undefined, request.ip);
    throw error;
  }
}

/** What the connection does is on record with where it called from. */
const onRecord = (client_address: string, { id }: Connection, tx: Tx): Tx =>
  withEvents(tx, (event) => (event.actor.id === id ? { client_address, ...event } : event));

function sendUnlessKnown(request: FastifyRequest, reply: FastifyReply, answer: users.Rendered) {
  const known = request.headers['if-none-match'];
  if (known !== undefined && namesEtag(known, answer.etag))
    return send(reply, { status: 304, etag: answer.etag });
  return send(reply, { status: 200, ...answer });
}

function send(reply: FastifyReply, { status, body, etag, location }: Answer): FastifyReply {
  reply.code(status).header('cache-control', 'no-store');
  if (etag !== undefined) reply.header('etag', etag);
  if (location !== undefined) reply.header('location', location);
  if (body === undefined || status === 204 || status === 304) return reply.send();
  return reply.type(MEDIA_TYPE).serializer(JSON.stringify).send(body);
}

/** RFC 7644 §3.12. */
function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, scimType, detail } = faultOf(error, request);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(status)
    .type(MEDIA_TYPE)
    .header('cache-control', 'no-store')
    .serializer(JSON.stringify)
    .send(errorBody(status, scimType, detail));
}

interface Fault {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly detail: string;
}

function faultOf(error: unknown, request: FastifyRequest): Fault {
  if (error instanceof ScimFault) {
    const { status, scimType, message } = error;
    return { status, scimType, detail: message };
  }
  const [problem, whose] = toProblem(error, request.id);
  if (whose === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  const scimType = problem.code === 'invalid_request' ? invalidity(error) : undefined;
  const detail = problem.next === undefined ? problem.detail : `${problem.detail} ${problem.next}`;
  return { status: problem.status, scimType, detail };
}

/** A refusal with fields is about a value; what the framework refuses is no JSON, or none of a kind. */
const invalidity = (error: unknown): ScimType =>
  error instanceof Refusal && error.errors !== undefined ? 'invalidValue' : 'invalidSyntax';
