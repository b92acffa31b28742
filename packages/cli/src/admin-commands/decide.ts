import type { AccessRequest } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { usage } from '../failure.ts';
import { stillNeeded } from '../render/needed.ts';
import { lines } from '../render/view.ts';

const ID = { id: { summary: 'the id of the request' } };

export const approve = command({
  summary: 'Approve the current step of an access request',
  args: ID,
  flags: { reason: { value: 'TEXT', summary: 'a comment for the record' } },
  run: async ({ api, args, flags }) => decide(await api(), args.id, 'approve', flags.reason),
  view: lines<AccessRequest>((request) => [
    `Approved: ${cardLine(request)}.`,
    request.state === 'pending'
      ? `It still needs ${stillNeeded(request)}.`
      : `Request ${request.id} is ${request.state}.`,
  ]),
});

export const deny = command({
  summary: 'Deny an access request; one denial ends it',
  args: ID,
  flags: { reason: { value: 'TEXT', summary: 'why; the requester reads it' } },
  async run({ api, args, flags: { reason } }) {
    if (reason === undefined || reason.trim() === '')
      throw usage('A denial needs a reason.', 'Pass --reason TEXT; the requester reads it.');
    return await decide(await api(), args.id, 'deny', reason);
  },
  view: lines<AccessRequest>((request) => [
    `Denied: ${cardLine(request)}.`,
    `Request ${request.id} is ${request.state}.`,
  ]),
});

/** Decides the request as it was read: one that changes meanwhile is refused (If-Match). */
async function decide(
  api: Api,
  id: string,
  decision: 'approve' | 'deny',
  comment: string | undefined,
): Promise<AccessRequest> {
  const request = await api.call('getAccessRequest', { params: { id } });
  const step = request.steps.find((s) => s.state === 'current')?.index ?? 0;
  return await api.call('decideAccessRequest', {
    params: { id },
    etag: request.etag,
    body: { decision, step, comment: comment ?? null },
  });
}

const cardLine = ({ requester, target }: AccessRequest): string =>
  `${requester.name} as ${target.identity} on ${target.server.name}`;
