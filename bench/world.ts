import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { AccessMethod, AccessRequest, Answer } from '@postern/shared';
import { type People, type Person, setUpPeople } from '../e2e/world/people.ts';
import { type Service, startService, temporary } from '../e2e/world/service.ts';
import { startSmallTarget } from '../e2e/world/small-target.ts';
import { startSshd, whyNoSshd } from '../e2e/world/sshd-target.ts';
import type { Target } from '../e2e/world/target.ts';

/** A service as it is installed, on PGlite, with the demo world and a target. */
export interface BenchWorld {
  readonly service: Service;
  readonly people: People;
  readonly target: Target;
  readonly directory: string;
  /** Why the target is not a real sshd; undefined when it is one. */
  readonly noSshd: string | undefined;
  /** Called in reverse order when everything is over. */
  readonly ends: (() => unknown)[];
}

export const SERVER = 'opa-demo-linux';
export const ACCOUNT = 'pamadmin1';

/** @param sshd whether a real sshd is asked for, where there can be one. */
export async function startWorld({ sshd }: { readonly sshd: boolean }): Promise<BenchWorld> {
  const directory = temporary(tmpdir(), 'bench');
  const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  try {
    const { target, noSshd } = sshd
      ? await realTarget()
      : await smallTarget('It was not asked for.');
    ends.push(() => target.stop());
    const service = await startService({
      directory,
      // One client makes all the load: the limit per person would be what is measured.
      env: { POSTERN_REQUESTS_PER_MINUTE: '100000000' },
    });
    ends.push(() => service.stop());
    const people = await setUpPeople(service, target, directory);
    return { service, people, target, directory, noSshd, ends };
  } catch (error) {
    await endAll(ends);
    throw error;
  }
}

type Started = Pick<BenchWorld, 'target' | 'noSshd'>;

async function realTarget(): Promise<Started> {
  const why = whyNoSshd();
  if (why !== undefined) return smallTarget(why);
  try {
    return { target: await startSshd(), noSshd: undefined };
  } catch (error) {
    // Accounts of that name are there already: they are somebody's.
    return smallTarget(error instanceof Error ? error.message : String(error));
  }
}

const smallTarget = async (noSshd: string): Promise<Started> => ({
  target: await startSmallTarget(),
  noSshd,
});

export async function endAll(ends: (() => unknown)[]): Promise<void> {
  for (const act of ends.splice(0).reverse()) await act();
}

/** One call of the service, which must succeed. */
export async function ask<T>(
  service: Service,
  person: Person,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await fetch(`${service.url}/v1/teams/${service.team}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${person.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Dana says yes to a pending request of Ellis. */
export const approve = (world: BenchWorld, request: AccessRequest): Promise<AccessRequest> =>
  ask(
    world.service,
    world.people.dana,
    'POST',
    `/access_requests/${request.id}/decisions`,
    { decision: 'approve', step: 0 },
    { 'if-match': `"${request.etag}"` },
  );

/** Ellis may use the account, for half an hour. */
export async function grant(world: BenchWorld): Promise<AccessRequest> {
  const { service, people } = world;
  const answer = await ask<Answer<'resolve'>>(service, people.ellis, 'POST', '/resolve', {
    names: [SERVER],
  });
  const method = answer.user_access_methods.find((m) => m.identity === ACCOUNT);
  if (method === undefined) throw new Error(`no way to ${ACCOUNT}`);
  const request = await ask<AccessRequest>(service, people.ellis, 'POST', '/access_requests', {
    request_type_id: requestTypeOf(method),
    target: {
      type: 'server_access',
      server_id: method.server_id,
      identity: method.identity,
      access_credential: method.access_credential,
    },
    answers: { justification: 'measure' },
  });
  return approve(world, request);
}

function requestTypeOf(method: AccessMethod): string {
  for (const c of method.conditionals) if (c.type === 'access_request') return c.request_type.id;
  throw new Error('the method asks for no approval');
}
