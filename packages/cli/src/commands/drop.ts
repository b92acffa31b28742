import type { AccessRequest } from '@postern/shared';
import { command } from '../command.ts';
import { lines } from '../render/view.ts';

export const drop = command({
  summary: 'Give up approved access or membership; its sessions are cut',
  args: { id: { summary: 'the id of the request' } },
  run: async ({ api, args: { id } }) => (await api()).call('dropAccessRequest', { params: { id } }),
  view: lines<AccessRequest>((request) => [`Request ${request.id} is ${request.state}.`]),
});
