import { command } from '../command.ts';
import { requestTable } from './request-views.ts';

export const requestList = command({
  summary: 'Your access requests',
  flags: {
    state: { value: 'STATE', summary: 'only these: pending, approved, denied, canceled, …' },
  },
  async run({ api, flags: { state } }) {
    const query = { view: 'mine' as const, ...(state !== undefined && { state }) };
    return (await api()).list('listAccessRequests', { query });
  },
  view: requestTable,
});
