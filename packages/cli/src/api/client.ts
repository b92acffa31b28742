import {
  type Answer,
  type Body,
  type OperationId,
  type operations,
  type Params,
  printable,
  type Query,
} from '@postern/shared';
import type { Authorize } from '../authorize.ts';
import type { World } from '../context.ts';
import { readAuthorize, tokenVariable } from '../credentials.ts';
import { interrupted } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { type HttpAnswer, HttpFault, type HttpRequest } from './port.ts';
import { notOurs, problemOf, unreachable } from './problems.ts';
import { methodOf, pathOf, type RouteId } from './routes.ts';
import { eventsOf } from './server-sent.ts';

const TIMEOUT_MS = 30_000;
/** How many items a list is fetched in at a time: the most that the service gives. */
const PAGE = 500;

type Part<Name extends string, T> = [T] extends [undefined]
  ? { readonly [K in Name]?: undefined }
  : Partial<T> extends T
    ? { readonly [K in Name]?: T }
    : { readonly [K in Name]: T };
type NeedsEtag<K extends OperationId> = (typeof operations)[K] extends { if_match: 'required' }
  ? { readonly etag: string }
  : { readonly etag?: undefined };

/** What a call of the operation takes, held to the shared table. */
export type Input<K extends RouteId> = Part<'params', OwnParams<K>> &
  Part<'query', Query<K>> &
  Part<'body', Body<K>> &
  NeedsEtag<K>;
type OwnParams<K extends OperationId> =
  Params<K> extends infer P ? (keyof P extends never ? undefined : P) : never;

/** Operations that answer in pages. */
type PagedId = {
  [K in RouteId]: Query<K> extends { limit?: number } ? K : never;
}[RouteId];
type Listed<K extends RouteId> =
  Answer<K> extends { readonly list: readonly (infer T)[] } ? T : never;

interface RawInput {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly etag?: string | undefined;
}

/** The service, as one person with one token. Everything it throws is a Failure. */
export interface Api {
  readonly settings: Settings;
  call<K extends RouteId>(id: K, input: Input<K>): Promise<Answer<K>>;
  /** Every page of a list; with `most`, no more than that many items. */
  list<K extends PagedId>(id: K, input: Input<K>, most?: number): Promise<Listed<K>[]>;
  /** The data of each server-sent event named `event`, until the service ends the stream. */
  events<K extends RouteId>(
    id: K,
    input: Input<K>,
    event: string,
    signal: AbortSignal,
  ): AsyncIterable<string>;
}

/** @param as who calls. Default: whom this person is logged in as, read once, at the first call. */
export function apiOf(world: World, settings: Settings, as?: Authorize): Api {
  const tokenFrom = as === undefined ? tokenVariable(world) : undefined;
  let known = as === undefined ? undefined : Promise.resolve(as);
  const headers = async (
    id: RouteId,
    input: RawInput,
    url: URL,
  ): Promise<Record<string, string>> => {
    known ??= readAuthorize(world, settings);
    const authorize = await known;
    return {
      accept: 'application/json',
      ...(await authorize({ method: methodOf(id), url })),
      ...(input.body !== undefined && { 'content-type': 'application/json' }),
      ...(input.etag !== undefined && { 'if-match': `"${input.etag}"` }),
    };
  };
  const request = async (id: RouteId, input: RawInput, url: URL): Promise<HttpRequest> => ({
    method: methodOf(id),
    url,
    headers: await headers(id, input, url),
    ...(input.body !== undefined && { body: JSON.stringify(input.body) }),
    ...(settings.ca !== undefined && { ca: settings.ca }),
    timeout_ms: TIMEOUT_MS,
    signal: world.interrupt,
  });
  const send = async (id: RouteId, input: RawInput, url: URL): Promise<HttpAnswer> => {
    const asked = await request(id, input, url);
    const answer = await reach(settings, () => world.http.send(asked));
    if (world.env.SFT_LOG_LEVEL === 'debug')
      world.stderr.write(`${printable(`${asked.method} ${url.href}: ${answer.status}`)}\n`);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw problemOf(settings, answer, tokenFrom);
  };
  return {
    settings,
    async call(id, input) {
      return body(settings, await send(id, input, urlOf(settings, id, input)));
    },
    async list(id, input, most = Number.POSITIVE_INFINITY) {
      const limit = Math.min(PAGE, most);
      const query = { ...(input as RawInput).query, limit };
      let url: URL | undefined = urlOf(settings, id, { ...input, query });
      const items: never[] = [];
      while (url !== undefined && items.length < most) {
        const answer = await send(id, input, url);
        const page = body(settings, answer) as { list: never[] };
        items.push(...page.list);
        url = nextOf(settings, url, answer);
      }
      return items.slice(0, most);
    },
    async *events(id, input, event, signal) {
      const sent = await request(id, input, urlOf(settings, id, input));
      const stream = await reach(settings, () =>
        world.http.stream({
          ...sent,
          headers: { ...sent.headers, accept: 'text/event-stream' },
          signal,
        }),
      );
      if (stream.status !== 200) {
        stream.close();
        throw problemOf(settings, { ...stream, text: '' }, tokenFrom);
      }
      for await (const { name, data } of eventsOf(stream.chunks)) if (name === event) yield data;
    },
  };
}

function urlOf({ url, team }: Settings, id: RouteId, input: RawInput): URL {
  const target = new URL(url);
  const path = pathOf(id, { ...input.params, team });
  target.pathname = `${target.pathname.replace(/\/$/, '')}${path}`;
  target.search = '';
  for (const [key, value] of Object.entries(input.query ?? {}))
    if (value !== undefined) target.searchParams.set(key, String(value));
  return target;
}

async function reach<T>(settings: Settings, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    if (error.code === 'ABORTED') throw interrupted();
    throw unreachable(settings, error.code);
  }
}

function body<T>(settings: Settings, answer: HttpAnswer): T {
  if (answer.status === 204) return undefined as T;
  const type = String(answer.headers['content-type'] ?? '');
  if (!/^application\/(.*\+)?json\b/.test(type)) {
    if (/^(application\/x-asciicast|text\/plain)\b/.test(type)) return answer.text as T;
    throw notOurs(settings, answer.status);
  }
  try {
    return JSON.parse(answer.text) as T;
  } catch {
    throw notOurs(settings, answer.status);
  }
}

/** RFC 8288; a next page anywhere else than at this service is not followed. */
function nextOf(settings: Settings, from: URL, answer: HttpAnswer): URL | undefined {
  const match = /<([^>]*)>;\s*rel="?next"?/.exec(String(answer.headers.link ?? ''));
  if (match?.[1] === undefined) return undefined;
  const next = new URL(match[1], from);
  if (next.origin !== from.origin) throw notOurs(settings, answer.status);
  return next;
}
