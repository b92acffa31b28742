import type { Acr } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { Ctx } from '../command.ts';
import { Failure } from '../failure.ts';
import { unmet } from './choose.ts';
import { type Opened, type Opening, openSession } from './open.ts';
import type { Picked } from './pick.ts';
import { type MfaNeed, stepUp } from './step-up.ts';

/**
 * Opens a session, with the MFA that its method needs asked for first; also where it turns out
 * only now that it is needed, because an earlier one is too old by now.
 */
export async function openProven(
  ctx: Pick<Ctx, 'world' | 'say'>,
  api: Api,
  picked: Picked,
  opening: Opening,
): Promise<Opened> {
  const needed = unmet(picked.method).find((c) => c.type === 'mfa');
  if (needed?.type === 'mfa') {
    await stepUp(ctx, api, needOf(picked, needed.acr_values, needed.description));
    return await openSession(api, picked, opening);
  }
  try {
    return await openSession(api, picked, opening);
  } catch (error) {
    const acr = missingProof(error);
    if (acr === undefined) throw error;
    await stepUp(ctx, api, needOf(picked, acr, 'MFA'));
    return await openSession(api, picked, opening);
  }
}

/** Which proof a refusal asks for; undefined: it is another refusal. */
export function missingProof(error: unknown): Acr | undefined {
  if (!(error instanceof Failure) || error.code !== 'mfa_required') return undefined;
  return error.extras.problem?.acr_values;
}

function needOf({ server, method }: Picked, acr: Acr, description: string): MfaNeed {
  const { identity, access_credential } = method;
  return {
    acr,
    target: { server_id: server.id, identity, access_credential },
    what: `${identity} on ${server.name} needs ${description}`,
    command: `sft ssh ${server.name} --account ${identity}`,
  };
}
