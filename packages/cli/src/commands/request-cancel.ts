import type { AccessRequest } from '@postern/shared';
import { command } from '../command.ts';
import { lines } from '../render/view.ts';

export const requestCancel = command({
  summary: 'Withdraw a pending request of yours',
  args: { id: { summary: 'the id of the request' } },
  run: async ({ api, args: { id } }) =>
    (await api()).call('cancelAccessRequest', { params: { id } }),
  view: lines<AccessRequest>((request) => [`Request ${request.id} is ${request.state}.`]),
});
