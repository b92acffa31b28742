import type { AccessRequest } from '@postern/shared';
import { localTime } from '../render/duration.ts';
import { stillNeeded } from '../render/needed.ts';
import { fields, table } from '../render/view.ts';

/** A list of access requests. */
export const requestTable = table<AccessRequest>(
  [
    { name: 'ID', value: (r) => r.id },
    { name: 'STATE', value: (r) => r.state },
    { name: 'SERVER', value: (r) => r.target.server.name },
    { name: 'ACCOUNT', value: (r) => r.target.identity },
    { name: 'REQUESTER', value: (r) => r.requester.name },
    { name: 'REQUEST_TYPE', value: (r) => r.request_type.name },
    { name: 'RAISED', value: (r) => localTime(r.created_at) },
    { name: 'ENDS', value: (r) => localTime(r.ends_at) },
  ],
  'No access requests.',
);

/** The card of one access request. */
export const requestCard = fields<AccessRequest>((r) => [
  ['Request', r.id],
  ['State', r.end_reason === null ? r.state : `${r.state} (${r.end_reason})`],
  ['Requester', r.requester.name],
  ['Server', `${r.target.server.name} (${r.target.server.project_name})`],
  ['Account', r.target.identity],
  ['Channels', r.target.channels.join(', ')],
  ['Request type', `${r.request_type.name}, version ${r.request_type.version}`],
  ...Object.entries(r.answers).map(([key, value]) => [key, value] as const),
  ['Steps', r.steps.map((s) => `${s.name}: ${s.state}`).join('\n')],
  ...(r.state === 'pending' ? [['Can be approved by', stillNeeded(r)] as const] : []),
  ...(r.decisions.length > 0
    ? [['Decisions', r.decisions.map(decisionLine).join('\n')] as const]
    : []),
  ...(r.comments.length > 0
    ? [['Comments', r.comments.map((c) => `${c.by.name}: ${c.text}`).join('\n')] as const]
    : []),
  ['Raised', localTime(r.created_at)],
  ['Resolved', localTime(r.resolved_at)],
  ['Ends', localTime(r.ends_at)],
]);

function decisionLine({
  decision,
  by,
  for: stoodFor,
  comment,
  decided_at,
}: AccessRequest['decisions'][number]): string {
  const who = stoodFor === null ? by.name : `${by.name} for ${stoodFor.name}`;
  const word = decision === 'approve' ? 'approved' : 'denied';
  return `${word} by ${who}, ${localTime(decided_at)}${comment ? `: ${comment}` : ''}`;
}
