import { type AccessRequest, targetText } from '@postern/shared';
import { command } from '../command.ts';
import { usage } from '../failure.ts';
import { stillNeeded } from '../render/needed.ts';
import { lines } from '../render/view.ts';

export const requestEscalate = command({
  summary: 'Ask more people about a pending request of yours',
  help: 'Whom, and from when on, the request type says. They read your reason.',
  args: { id: { summary: 'the id of the request' } },
  flags: { reason: { value: 'TEXT', summary: 'why it cannot wait' } },
  async run({ api, args: { id }, flags: { reason } }) {
    if (reason === undefined || reason.trim() === '')
      throw usage('An escalation needs a reason.', 'Pass --reason TEXT; the approvers read it.');
    return (await api()).call('escalateAccessRequest', { params: { id }, body: { reason } });
  },
  view: lines<AccessRequest>((request) => [
    `Escalated: ${targetText(request.target)}.`,
    request.state === 'pending'
      ? `It can be approved by ${stillNeeded(request)}.`
      : `Request ${request.id} is ${request.state}.`,
  ]),
});
