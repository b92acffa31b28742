import type { AccessRequest, AccessRequestDetail, ApprovalCard } from '@postern/shared';
import { command } from '../command.ts';
import { historyRows, requestTable } from '../commands/request-views.ts';
import { cardLines, rowLines } from '../render/card.ts';
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

export const requestsShow = command({
  summary: 'One access request: the card that approvers read, then its history',
  help: 'With -o json: the request with its answers, decisions, history and sessions.',
  args: { id: { summary: 'the id of the request' } },
  async run({ api, args: { id }, globals, world: { stdout } }) {
    const service = await api();
    const request = await service.call('getAccessRequest', { params: { id } });
    if (globals.output === 'json') return request;
    const card = await service.call('getAccessRequestCard', { params: { id } });
    return { request, card, width: stdout.isTTY ? stdout.columns : undefined };
  },
  view: lines<Shown>(({ request, card, width }) => [
    ...cardLines(card, width),
    '',
    'What is on record (local time):',
    ...rowLines([{ label: 'Request', lines: [request.id] }, ...historyRows(request)], width),
  ]),
});

interface Shown {
  readonly request: AccessRequestDetail;
  readonly card: ApprovalCard;
  readonly width: number | undefined;
}

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
