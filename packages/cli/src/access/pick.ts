import type { AccessMethod, ReachableServer } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import { isInteractive } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { best } from './choose.ts';
import { type Approvals, methodRows } from './method-rows.ts';

export interface Picked {
  readonly server: ReachableServer;
  readonly method: AccessMethod;
}

/**
 * Which way into a server: the account that was named, the only one there is, or the one
 * the person picks.
 * @throws Failure 77 no such server or account for this person, 64 nobody to ask.
 */
export async function pickMethod(
  ctx: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  host: string,
  account: string | undefined,
): Promise<Picked> {
  const answer = await api.call('resolve', { body: { names: [host] } });
  const server = answer.servers[0];
  const methods = answer.user_access_methods.filter((m) => m.server_id === server?.id);
  if (server === undefined || methods.length === 0)
    throw new Failure(
      'not_found',
      `${host}: no such server, or no access to it.`,
      '`sft list-servers` shows the servers you can reach.',
    );
  if (account !== undefined) return { server, method: named(host, methods, account) };
  const [only, ...others] = methods;
  if (only !== undefined && others.length === 0) return { server, method: only };
  if (!isInteractive(ctx.world))
    throw usage(
      `${host} has several access methods, and there is no terminal to ask.`,
      `Pass --account with one of: ${identities(methods)}.`,
    );
  return { server, method: await asked(ctx, api, methods) };
}

function named(host: string, methods: readonly AccessMethod[], account: string): AccessMethod {
  const method = best(methods.filter((m) => m.identity === account));
  if (method !== undefined) return method;
  throw new Failure(
    'not_permitted',
    `${host}: no account ${account} that you can use.`,
    `Pass --account with one of: ${identities(methods)}.`,
  );
}

async function asked(
  { world, say }: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  methods: readonly AccessMethod[],
): Promise<AccessMethod> {
  const approvals = await approvalsOf(api, methods);
  say(methodRows(methods, approvals, world.clock.now()).join('\n'));
  const answer = await world.prompt.text({
    message: 'Access method:',
    check: (text) =>
      methodAt(methods, text) === undefined
        ? `Type a number from 1 to ${methods.length}.`
        : undefined,
  });
  return methodAt(methods, answer) as AccessMethod;
}

const methodAt = (methods: readonly AccessMethod[], text: string): AccessMethod | undefined =>
  /^[1-9][0-9]{0,3}$/.test(text) ? methods[Number(text) - 1] : undefined;

const identities = (methods: readonly AccessMethod[]): string =>
  [...new Set(methods.map((m) => m.identity))].join(', ');

/** Who approved is told where it can be read; the list is shown without it otherwise. */
async function approvalsOf(api: Api, methods: readonly AccessMethod[]): Promise<Approvals> {
  const ids = methods.flatMap((m) =>
    m.conditionals.flatMap((c) =>
      c.type === 'access_request' && c.condition_is_met && c.request_id !== null
        ? [c.request_id]
        : [],
    ),
  );
  const requests = await Promise.allSettled(
    [...new Set(ids)].map((id) => api.call('getAccessRequest', { params: { id } })),
  );
  return new Map(
    requests.flatMap((r) => (r.status === 'fulfilled' ? [[r.value.id, r.value]] : [])),
  );
}
