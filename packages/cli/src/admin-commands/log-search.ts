import type { AuditEvent } from '@postern/shared';
import { command } from '../command.ts';
import { usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { table } from '../render/view.ts';

const DEFAULT_LIMIT = '100';

export const logSearch = command({
  summary: 'Events of the log, newest first',
  flags: {
    type: { value: 'TYPE', summary: 'only these, e.g. pam.user_creds.issue' },
    request: { value: 'ID', summary: 'only those of this access request' },
    session: { value: 'ID', summary: 'only those of this session' },
    target: { value: 'TEXT', summary: 'only those about this thing, by id or name' },
    group: { value: 'GROUP', summary: 'only those about this group, by id or name' },
    limit: { value: 'N', summary: `how many at most; default ${DEFAULT_LIMIT}` },
  },
  async run({ api, flags: { type, request, session, target, group, limit = DEFAULT_LIMIT } }) {
    if (!/^[1-9][0-9]{0,5}$/.test(limit))
      throw usage(`--limit ${limit} is no number of events.`, 'Pass e.g. --limit 1000.');
    const query = {
      ...(type !== undefined && { type }),
      ...(request !== undefined && { request_id: request }),
      ...(session !== undefined && { session_id: session }),
      ...(target !== undefined && { target }),
      ...(group !== undefined && { group }),
    };
    return (await api()).list('listAuditEvents', { query }, Number(limit));
  },
  view: table<AuditEvent>(
    [
      { name: 'SEQ', value: (e) => (e.seq === null ? 'pending' : String(e.seq)) },
      { name: 'TIME', value: (e) => localTime(e.at) },
      { name: 'TYPE', value: (e) => e.type },
      { name: 'ACTOR', value: (e) => e.actor.name ?? e.actor.type },
      {
        name: 'TARGETS',
        value: (e) => e.targets.map((t) => `${t.type} ${t.name ?? t.id ?? ''}`.trim()).join(', '),
      },
      {
        name: 'OUTCOME',
        value: ({ outcome: { result, reason } }) =>
          reason === null ? result : `${result}: ${reason}`,
      },
      { name: 'REQUEST', value: (e) => e.request_id ?? '-' },
      { name: 'ADDRESS', value: (e) => e.client_address ?? '-' },
    ],
    'No such events.',
  ),
});
