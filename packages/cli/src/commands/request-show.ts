import { command } from '../command.ts';
import { requestDetail } from './request-views.ts';

export const requestShow = command({
  summary: 'One access request: who is needed, what was decided, its history and sessions',
  args: { id: { summary: 'the id of the request' } },
  run: async ({ api, args: { id } }) => (await api()).call('getAccessRequest', { params: { id } }),
  view: requestDetail,
});
