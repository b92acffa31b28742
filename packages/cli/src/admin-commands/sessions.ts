import type { Session } from '@postern/shared';
import { command } from '../command.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

const VIEWS = ['all', 'mine'] as const;

export const sessionsList = command({
  summary: 'Sessions, newest first',
  flags: {
    view: { value: 'VIEW', choices: VIEWS, summary: 'all (default), or mine' },
    state: { value: 'STATE', summary: 'only these: opening, live, ended, cut, lost, abandoned' },
    request: { value: 'ID', summary: 'only those of this access request' },
  },
  async run({ api, flags: { view = 'all', state, request } }) {
    const query = {
      view: view as (typeof VIEWS)[number],
      ...(state !== undefined && { state }),
      ...(request !== undefined && { request_id: request }),
    };
    return (await api()).list('listSessions', { query });
  },
  view: table<Session>(
    [
      { name: 'ID', value: (s) => s.id },
      { name: 'STATE', value: (s) => s.state },
      { name: 'USER', value: (s) => s.user.name },
      { name: 'SERVER', value: (s) => s.server.name },
      { name: 'ACCOUNT', value: (s) => s.identity },
      { name: 'OPENED', value: (s) => localTime(s.opened_at) },
      { name: 'ENDED', value: (s) => localTime(s.ended_at) },
      { name: 'WHY', value: (s) => s.end_reason ?? '-' },
      { name: 'RECORDED', value: (s) => (s.recorded ? 'yes' : 'no') },
    ],
    'No sessions.',
  ),
});

export const sessionsTerminate = command({
  summary: 'Cut a session now; its approval stays',
  args: { id: { summary: 'the id of the session' } },
  run: async ({ api, args: { id } }) => (await api()).call('terminateSession', { params: { id } }),
  view: lines<Session>((session) => [`Session ${session.id} is ${session.state}.`]),
});
