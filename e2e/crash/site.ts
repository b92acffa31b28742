import type { AccessRequest } from '@postern/shared';
import type { People, Person } from '../world/people.ts';
import { type Reply, type RestOptions, restOf } from '../world/rest.ts';
import type { Service } from '../world/service.ts';
import type { Journal } from './journal.ts';

/** A service that somebody kills again and again, and those who go on working with it. */
export interface Site {
  /** The one that runs now; after a restart another. */
  service(): Service;
  /** Resolves when it runs. */
  up(): Promise<void>;
  /** Called before each call to the service: kills are scheduled by it. */
  beat(): void;
  readonly people: People;
  readonly journal: Journal;
  /** A file to which every command on the target adds its session's id. */
  readonly witness: string;
}

/** The service has broken a promise: nothing to try again. */
export class Broken extends Error {}

const PATIENCE_MS = 90_000;

/**
 * Tries until something is answered, as a person would: a call that fails, or that is
 * answered "not now", is no acknowledgement.
 */
export async function insist<T>(site: Site, what: string, act: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    site.beat();
    try {
      return await act();
    } catch (error) {
      if (error instanceof Broken) throw error;
      if (Date.now() > end) throw new Broken(`${what}: no answer in time, last: ${error}`);
    }
    await new Promise((done) => setTimeout(done, 50));
    await site.up();
  }
}

/** Calls until it is answered with one of `expected`; 503 is "not now". */
export const call = <T>(
  site: Site,
  person: Pick<Person, 'token'>,
  method: string,
  path: string,
  options: RestOptions & { readonly expected?: readonly number[] } = {},
): Promise<Reply<T>> =>
  insist(site, `${method} ${path}`, async () => {
    const reply = await restOf(site.service(), person.token)<T>(method, path, options);
    return answered(reply, options.expected ?? [200, 201]);
  });

/** @throws Broken when the answer is none of those that may be. */
export function answered<T>(reply: Reply<T>, expected: readonly number[]): Reply<T> {
  if (expected.includes(reply.status)) return reply;
  if (reply.status === 503) throw new Error(reply.text);
  throw new Broken(`answered with ${reply.status}, not ${expected.join(' or ')}: ${reply.text}`);
}

/** Reads a request as somebody, and remembers what was read. */
export async function read(site: Site, person: Person, id: string): Promise<AccessRequest> {
  const { body } = await call<AccessRequest>(site, person, 'GET', `/access_requests/${id}`);
  site.journal.saw(body);
  return body;
}

/** A whole list, page by page. */
export async function list<T>(site: Site, person: Person, path: string): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const reply: Reply<{ list: T[] }> = await call(site, person, 'GET', next);
    found.push(...reply.body.list);
    const link = /<[^>]*[?&]cursor=([^>&]+)[^>]*>;\s*rel="?next/.exec(
      reply.headers.get('link') ?? '',
    );
    next = link === null ? undefined : `${path}&cursor=${link[1]}`;
  }
  return found;
}
