import type { AccessMethod, AccessRequest } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import { Failure } from '../failure.ts';
import { completeAnswers, givenAnswers } from './answers.ts';
import { needsOnlyMfa, unmet } from './choose.ts';
import type { Picked } from './pick.ts';

export interface Reasons {
  readonly reason: string | undefined;
  readonly answers: readonly string[];
}

export interface Raised {
  readonly request: AccessRequest;
  /** False: it was pending already. */
  readonly is_new: boolean;
}

/**
 * Raises the access request that a method needs, or finds the pending one.
 * @param when `also_when_allowed`: for more time, while an approval is in force.
 * @throws Failure 77 when no approval would open the method.
 */
export async function raise(
  ctx: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  { server, method }: Picked,
  { reason, answers }: Reasons,
  when: 'while_needed' | 'also_when_allowed' = 'while_needed',
): Promise<Raised> {
  const among = when === 'while_needed' ? unmet(method) : method.conditionals;
  const condition = among.find((c) => c.type === 'access_request');
  const others = unmet(method).filter((c) => c.type !== 'access_request');
  if (condition === undefined) throw notNow(server.name, method);
  if (others.length > 0) ctx.say(`Besides the approval it needs ${textOf(others)}.`);
  if (condition.pending_request_id !== null) {
    const params = { id: condition.pending_request_id };
    return { request: await api.call('getAccessRequest', { params }), is_new: false };
  }
  const { id } = condition.request_type;
  const { definition } = await api.call('getRequestType', { params: { id } });
  const { fields } = definition;
  const given = givenAnswers(fields, reason, answers);
  const request = await api.call('createAccessRequest', {
    body: {
      request_type_id: id,
      target: {
        type: 'server_access',
        server_id: server.id,
        identity: method.identity,
        access_credential: method.access_credential,
      },
      answers: await completeAnswers(ctx.world, fields, given, ctx.say),
    },
  });
  return { request, is_new: true };
}

/** A method that is closed for another reason than an approval. */
function notNow(host: string, method: AccessMethod): Failure {
  const account = `${method.identity} on ${host}`;
  if (method.resource_status === 'checked_out_by_other_user')
    return new Failure(
      'account_checked_out',
      `${account} is in use by somebody else.`,
      'Wait until it is given back, or pick another account.',
    );
  if (method.resource_status === 'unavailable')
    return new Failure(
      'not_permitted',
      `${account} is not available at present.`,
      'Pick another account, or tell your administrators.',
    );
  return new Failure(
    needsOnlyMfa(method) ? 'mfa_required' : 'not_permitted',
    `${account} needs ${textOf(unmet(method))}.`,
    'Meet that, then run the same command again.',
  );
}

const textOf = (conditions: readonly { readonly description: string }[]): string =>
  conditions.map((c) => c.description).join(' and ');
