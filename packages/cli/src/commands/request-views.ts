import {
  type AccessRequest,
  type AccessRequestDetail,
  type AskedMembership,
  type RequestHistoryEntry,
  type RequestTarget,
  type Session,
  targetText,
} from '@postern/shared';
import type { Row } from '../render/card.ts';
import { duration, localTime } from '../render/duration.ts';
import { stillNeeded } from '../render/needed.ts';
import { fields, table } from '../render/view.ts';

/** A list of access requests. */
export const requestTable = table<AccessRequest>(
  [
    { name: 'ID', value: (r) => r.id },
    { name: 'STATE', value: (r) => r.state },
    { name: 'TARGET', value: (r) => targetText(r.target) },
    { name: 'REQUESTER', value: (r) => r.requester.name },
    { name: 'REQUEST_TYPE', value: (r) => r.request_type.name },
    { name: 'RAISED', value: (r) => localTime(r.created_at) },
    { name: 'ENDS', value: (r) => localTime(r.ends_at) },
  ],
  'No access requests.',
);

/** One access request with all that is kept of it. */
export const requestDetail = fields<AccessRequestDetail>((r) => [
  ['Request', r.id],
  ['State', r.end_reason === null ? r.state : `${r.state} (${r.end_reason})`],
  ['Requester', r.requester.name],
  ...targetRows(r.target),
  ['Request type', `${r.request_type.name}, version ${r.request_type.version}`],
  ...Object.entries(r.answers).map(([key, value]) => [key, value] as const),
  ['Steps', r.steps.map((s) => `${s.name}: ${s.state}`).join('\n')],
  ...(r.state === 'pending' ? [['Can be approved by', stillNeeded(r)] as const] : []),
  ...historyRows(r).map(({ label, lines }) => [label, lines.join('\n')] as const),
  ['Ends', localTime(r.ends_at)],
]);

function targetRows(target: RequestTarget): (readonly [string, string])[] {
  if (target.type === 'server_access')
    return [
      ['Server', `${target.server.name} (${target.server.project_name})`],
      ['Account', target.identity],
      ['Channels', target.channels.join(', ')],
    ];
  return target.memberships.map((m) => ['Group', `${m.group.name}, until ${untilText(m)}`]);
}

function untilText({ date, time_zone, duration_seconds, ends_at }: AskedMembership): string {
  if (date !== null) return `the end of ${date} (${time_zone}): ${localTime(ends_at)}`;
  if (ends_at !== null) return localTime(ends_at);
  return `${duration(duration_seconds ?? 0)} after the approval`;
}

/** What happened, each under its label; what did not happen is left out. */
export function historyRows(r: AccessRequestDetail): readonly Row[] {
  const rows: Row[] = [
    { label: 'Decisions', lines: r.decisions.map((d) => decisionLine(r, d)) },
    { label: 'Comments', lines: r.comments.map((c) => `${c.by.name}: ${oneLine(c.text)}`) },
    { label: 'History', lines: r.history.map((entry) => historyLine(r, entry)) },
    { label: 'Approval', lines: approvalLines(r) },
    { label: 'Sessions', lines: r.sessions.map(sessionLine) },
    { label: 'Memberships', lines: r.memberships.map(membershipLine) },
  ];
  return rows.filter(({ lines }) => lines.length > 0);
}

function decisionLine(request: AccessRequest, decision: AccessRequest['decisions'][number]) {
  const { by, for: stoodFor, comment, decided_at, voided_at } = decision;
  const who = stoodFor === null ? by.name : `${by.name} for ${stoodFor.name}`;
  const word = decision.decision === 'approve' ? 'approved' : 'denied';
  const step = request.steps.length > 1 ? `, step ${stepName(request, decision.step)}` : '';
  const counts = voided_at === null ? '' : ` (void since ${localTime(voided_at)})`;
  const remark = comment ? `: ${oneLine(comment)}` : '';
  return `${word} by ${who}${step}, ${localTime(decided_at)}${counts}${remark}`;
}

function historyLine(request: AccessRequest, entry: RequestHistoryEntry): string {
  const { at, event, step, by } = entry;
  const what =
    step === null
      ? (membershipWords(request, entry) ?? event)
      : `step ${stepName(request, step)} ${STEP_WORDS[event] ?? event}`;
  return `${localTime(at)}  ${what} by ${by?.name ?? 'the service'}`;
}

/** What became of the membership that was asked for, and its timer. */
function membershipWords(
  { target, ends_at }: AccessRequest,
  { event, from }: RequestHistoryEntry,
): string | undefined {
  if (target.type !== 'group_membership') return undefined;
  const groups = target.memberships.map(({ group }) => group.name).join(', ');
  if (event === 'active') return `added to ${groups}, timer set to ${localTime(ends_at)},`;
  return from === 'active' ? `${event}: removed from ${groups}` : undefined;
}

const STEP_WORDS: Readonly<Record<string, string>> = { step_met: 'met', escalated: 'escalated' };

const stepName = (request: AccessRequest, index: number): string =>
  request.steps.find((s) => s.index === index)?.name ?? String(index);

function approvalLines({ approval, ends_at }: AccessRequest): readonly string[] {
  if (approval === null) return [];
  const { approved_at, revoked_at, ended_at } = approval;
  return [
    `from ${localTime(approved_at)}, at most until ${localTime(ends_at)}`,
    ...(revoked_at === null ? [] : [`revoked ${localTime(revoked_at)}`]),
    ...(ended_at === null ? [] : [`ended ${localTime(ended_at)}`]),
  ];
}

function sessionLine(session: Session): string {
  const { id, identity, opened_at, ended_at, state, end_reason, recorded } = session;
  const how = end_reason === null ? state : `${state} (${end_reason})`;
  const until = ended_at === null ? 'now' : localTime(ended_at);
  const recording = recorded ? 'recorded' : 'not recorded';
  return `${id}  ${identity}  ${localTime(opened_at)} to ${until}  ${how}  ${recording}`;
}

function membershipLine(membership: AccessRequestDetail['memberships'][number]): string {
  const { group, added_at, expires_at, removed_at } = membership;
  const until = removed_at === null ? 'still in' : `removed ${localTime(removed_at)}`;
  return `${group.name}  added ${localTime(added_at)}, timer ${localTime(expires_at)}, ${until}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
