import { command } from '../command.ts';
import { requestCard } from './request-views.ts';

export const requestShow = command({
  summary: 'One access request: its steps, decisions, and who is needed',
  args: { id: { summary: 'the id of the request' } },
  run: async ({ api, args: { id } }) => (await api()).call('getAccessRequest', { params: { id } }),
  view: requestCard,
});
