import { createHash } from 'node:crypto';
import {
  type Answer,
  type Body,
  type Operation,
  type OperationId,
  operations,
  type Params,
  type Query,
  type Relation,
} from '@postern/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Credentials, credentialsOf } from './credentials.ts';
import { Refusal } from './errors.ts';
import { claimKey, findKey, saveKey } from './idempotency.ts';
import { type Tx, withEvents } from './tx.ts';

/** What `authenticate` finds out about a caller; the identity feature's Caller has more. */
export interface RouteCaller {
  readonly user_id: string;
  readonly name: string;
  /** Who issued the token he came with, when it was somebody else. */
  readonly token_issued_by: string | null;
}

/** What the routes need of the rest: given by deps.ts. */
export interface RouteWorld<C extends RouteCaller> {
  readonly team: string;
  transact<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Checks what can be checked before the transaction; `authenticate` takes what it gives.
   * @throws Refusal `unauthenticated`
   */
  present(credentials: Credentials | undefined): Promise<unknown>;
  /** @param changes whether the caller himself is about to change */
  authenticate(tx: Tx, presented: unknown, changes: boolean): Promise<C>;
  permit(operation: Operation, caller: C): ReadonlySet<Relation>;
  /** Uses up what is good once, in a transaction of its own: the call's was rolled back. */
  spend(presented: unknown): Promise<void>;
  /** Writes what was refused to the log, in a transaction of its own. */
  refused(
    operation: Operation,
    refusal: Refusal,
    caller: C | undefined,
    address: string,
  ): Promise<void>;
}

/** One call of an operation by somebody who may call it, inside its transaction. */
export interface Call<K extends OperationId, C extends RouteCaller> {
  readonly tx: Tx;
  readonly caller: C;
  /** How he may stand to the thing; the use case checks that he does. */
  readonly relations: ReadonlySet<Relation>;
  readonly params: Params<K>;
  readonly query: Query<K>;
  readonly body: Body<K>;
  /** The ETag of If-Match, quotes removed; present where the operation requires it. */
  readonly if_match: string | undefined;
  readonly client_address: string;
}

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly etag?: string;
  /** Cursor of the next page: becomes `Link: <…>; rel="next"`. */
  readonly next_cursor?: string;
}

type Handler<K extends OperationId, C extends RouteCaller> = (
  call: Call<K, C>,
) => Promise<Reply<Answer<K>>>;

/** Fastify's spelling of an operation's path. */
export const fastifyPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Who is not asked for a bearer token. */
const SECURITY: Readonly<Record<string, object>> = {
  public: { security: [] },
  gateway: { security: [{ gateway: [] }] },
};

/** What Fastify and the OpenAPI document need to know of an operation. */
export function routeSchema(operation: Operation): Record<string, unknown> {
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.tag],
    ...(operation.params && { params: operation.params }),
    ...(operation.query && { querystring: operation.query }),
    ...(operation.body && { body: operation.body }),
    response: operation.sse ? bytes('text/event-stream') : operation.ok,
    ...SECURITY[operation.access as string],
  };
}

/** The response of an operation that answers something else than JSON. */
export const bytes = (mediaType: string) => ({
  200: { content: { [mediaType]: { schema: { type: 'string' } } } },
});

/**
 * Registers an operation for callers with a token: authenticates and runs `handler` in
 * one transaction, so that what allowed the call still holds when it commits.
 */
export function route<K extends OperationId, C extends RouteCaller>(
  app: FastifyInstance,
  world: RouteWorld<C>,
  id: K,
  handler: Handler<K, C>,
): void {
  const operation: Operation = operations[id];
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    schema: routeSchema(operation),
    handler: async (request, reply) => {
      const answer = await authorized(world, operation, request, (tx, caller, relations) => {
        const call = {
          tx,
          caller,
          relations,
          params: request.params,
          query: request.query,
          body: request.body,
          if_match: ifMatch(operation, request),
          client_address: request.ip,
        } as unknown as Call<K, C>;
        return once(operation, request, tx, caller, () => handler(call));
      });
      return send(operation, request, reply, answer);
    },
  });
}

/**
 * For answers that are not one JSON body (a stream, a file): authenticates, checks the role
 * and runs `act` in one transaction; what is refused goes to the log.
 */
export async function authorized<T, C extends RouteCaller>(
  world: RouteWorld<C>,
  operation: Operation,
  request: FastifyRequest,
  act: (tx: Tx, caller: C, relations: ReadonlySet<Relation>) => Promise<T>,
): Promise<T> {
  checkTeam(world, request);
  const presented = { credentials: credentialsOf(request), client_address: request.ip };
  return await authorizedBy(world, operation, presented, act);
}

/** What somebody comes with, where it is not in the headers of an API call. */
interface Coming {
  readonly credentials: Credentials | undefined;
  readonly client_address: string;
}

/** As {@link authorized}: the one way for a token to become a caller who may do something. */
export async function authorizedBy<T, C extends RouteCaller>(
  world: RouteWorld<C>,
  operation: Operation,
  { credentials, client_address }: Coming,
  act: (tx: Tx, caller: C, relations: ReadonlySet<Relation>) => Promise<T>,
): Promise<T> {
  let presented: unknown;
  let isKnown = false;
  const come = async () => {
    presented = await world.present(credentials);
    return async (tx: Tx) => {
      const caller = await world.authenticate(tx, presented, operation.changes_caller === true);
      isKnown = true;
      return caller;
    };
  };
  try {
    return await authorizedAs(world, operation, client_address, come, act);
  } catch (error) {
    // Nobody who was not let in leaves anything behind.
    if (isKnown) await world.spend(presented);
    throw error;
  }
}

/**
 * As {@link authorizedBy}, for a caller who is known by something else than a token.
 * @param come what is found out before the transaction; what it answers reads him in it, under
 * his lock, or throws the Refusal `unauthenticated`
 */
export async function authorizedAs<T, C extends RouteCaller>(
  world: Omit<RouteWorld<C>, 'authenticate' | 'present' | 'spend'>,
  operation: Operation,
  client_address: string,
  come: () => Promise<(tx: Tx) => Promise<C>>,
  act: (tx: Tx, caller: C, relations: ReadonlySet<Relation>) => Promise<T>,
): Promise<T> {
  let caller: C | undefined;
  try {
    const find = await come();
    return await world.transact(async (tx) => {
      caller = undefined;
      caller = await find(tx);
      return await act(
        onRecord(client_address, caller, tx),
        caller,
        world.permit(operation, caller),
      );
    });
  } catch (error) {
    if (error instanceof Refusal) await world.refused(operation, error, caller, client_address);
    throw error;
  }
}

/**
 * What the caller does is on record with where he called from, and with whoever issued his
 * token, who may be the one that did it; what follows from it is not.
 */
const onRecord = (client_address: string, caller: RouteCaller, tx: Tx): Tx =>
  withEvents(tx, (event) =>
    event.actor.id === caller.user_id
      ? { client_address, ...event, details: { ...event.details, ...tokenIssuer(caller) } }
      : event,
  );

/** For the details of an event. */
export const tokenIssuer = ({ token_issued_by }: RouteCaller) =>
  token_issued_by === null ? {} : { token_issued_by };

export function checkTeam(world: { readonly team: string }, request: FastifyRequest): void {
  const { team } = request.params as { team?: string };
  if (team !== undefined && team !== world.team)
    throw new Refusal('not_found', 'There is nothing here.');
}

function ifMatch(operation: Operation, request: FastifyRequest): string | undefined {
  const header = request.headers['if-match'];
  const match = /^(?:W\/)?"([^"]{1,64})"$/.exec(header ?? '');
  if (operation.if_match === 'required' && match === null)
    throw new Refusal('precondition_failed', 'If-Match with the ETag that you read is required.', {
      next: 'Read it again and send If-Match: "<etag>".',
    });
  return match?.[1];
}

/** Runs `act`, or answers what the same Idempotency-Key answered before. */
async function once<T>(
  operation: Operation,
  request: FastifyRequest,
  tx: Tx,
  caller: RouteCaller,
  act: () => Promise<Reply<T>>,
): Promise<Reply<T>> {
  const key = request.headers['idempotency-key'];
  if (key === undefined || operation.method !== 'POST') return await act();
  if (operation.secret)
    throw new Refusal('invalid_request', `${operation.id} takes no Idempotency-Key.`);
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key))
    throw new Refusal('invalid_request', 'Idempotency-Key is 1 to 200 visible ASCII characters.');
  const scope = { actor_id: caller.user_id, operation: operation.id, key };
  const hash = createHash('sha256')
    .update(JSON.stringify([request.url, request.body ?? null]))
    .digest('hex');
  await claimKey(tx, scope);
  const before = await findKey(tx, scope);
  if (before !== undefined) {
    if (before.body_hash !== hash)
      throw new Refusal(
        'idempotency_key_reused',
        'This Idempotency-Key was used with another body.',
        { next: 'Use a new key for a new request.' },
      );
    return { status: before.status, body: before.response as T };
  }
  const reply = await act();
  await saveKey(tx, scope, { body_hash: hash, status: reply.status, response: reply.body });
  return reply;
}

async function send<T>(
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Reply<T>,
): Promise<FastifyReply> {
  reply.code(answer.status);
  if (operation.secret) reply.header('cache-control', 'no-store');
  if (answer.etag !== undefined) reply.header('etag', `"${answer.etag}"`);
  return sendPage(request, reply, {
    ...answer,
    body: answer.status === 204 ? undefined : answer.body,
  });
}

/** Sends the body, with `Link: rel=next` (RFC 8288) when there is a next page. */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { body, next_cursor }: { readonly body: unknown; readonly next_cursor?: string },
): FastifyReply {
  if (next_cursor !== undefined) {
    const [path, query] = request.url.split('?');
    const next = new URLSearchParams(query);
    next.set('cursor', next_cursor);
    reply.header('link', `<${path}?${next}>; rel="next"`);
  }
  return reply.send(body);
}
