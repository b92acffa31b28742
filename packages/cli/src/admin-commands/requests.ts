import type { AccessRequest } from '@postern/shared';
import { command } from '../command.ts';
import { requestTable } from '../commands/request-views.ts';
import { lines } from '../render/view.ts';

const VIEWS = ['to_decide', 'mine', 'all'] as const;

export const requestsList = command({
  summary: 'The access requests that you can decide',
  flags: {
    view: { value: 'VIEW', choices: VIEWS, summary: 'to_decide (default), mine, or all' },
    state: { value: 'STATE', summary: 'only these: pending, approved, denied, canceled, …' },
  },
  async run({ api, flags: { view = 'to_decide', state } }) {
    const query = {
      view: view as (typeof VIEWS)[number],
      ...(state !== undefined && { state }),
    };
    return (await api()).list('listAccessRequests', { query });
  },
  view: requestTable,
});

export const revoke = command({
  summary: 'Take an approval back; its sessions are cut',
  args: { id: { summary: 'the id of the request' } },
  flags: { reason: { value: 'TEXT', summary: 'why' } },
  async run({ api, args: { id }, flags: { reason } }) {
    const body = reason === undefined ? {} : { reason };
    return (await api()).call('revokeAccessRequest', { params: { id }, body });
  },
  view: lines<AccessRequest>((request) => [`Request ${request.id} is ${request.state}.`]),
});
