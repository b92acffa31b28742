import { type AccessMethod, type AccessRequest, type Instant, printable } from '@postern/shared';
import { duration, secondsUntil } from '../render/duration.ts';
import { widthOf } from '../render/render.ts';
import { unmet } from './choose.ts';

/** The requests behind approvals that are in force, by id: who gave them. */
export type Approvals = ReadonlyMap<string, AccessRequest>;

/** The access methods, numbered from 1, a line each. */
export function methodRows(
  methods: readonly AccessMethod[],
  approvals: Approvals,
  now: Instant,
): string[] {
  const cells = methods.map((method, i) => [
    String(i + 1),
    printable(method.identity),
    kindOf(method),
    stateOf(method, approvals, now),
  ]);
  const widths = [0, 1, 2].map((c) => Math.max(...cells.map((row) => widthOf(row[c] ?? ''))));
  return cells.map(
    (row) =>
      `  ${row.map((cell, c) => cell + ' '.repeat(Math.max(0, (widths[c] ?? 0) - widthOf(cell)))).join('  ')}`,
  );
}

function kindOf({ access_credential: credential }: AccessMethod): string {
  if (credential.type === 'vaulted_account') return 'vaulted account';
  return credential.admin_level_permissions ? 'your admin account' : 'your own account';
}

/** What a method waits for, or for how long it is open. */
function stateOf(method: AccessMethod, approvals: Approvals, now: Instant): string {
  if (method.resource_status === 'checked_out_by_other_user') return 'in use by somebody else';
  if (method.resource_status === 'unavailable') return 'not available at present';
  const parts = method.conditionals.flatMap((c) => {
    if (c.type !== 'access_request') return c.condition_is_met ? [] : [`needs ${c.description}`];
    if (c.condition_is_met) return [approvedBy(c.request_id, approvals)];
    const word = c.pending_request_id === null ? 'approval required' : 'approval pending';
    return [`${word}: ${c.description}`];
  });
  const left = method.allowed ? secondsUntil(method.expires_at, now) : undefined;
  if (left !== undefined) parts.push(`${duration(left)} left`);
  return parts.length > 0
    ? parts.join(', ')
    : unmet(method).length === 0
      ? 'allowed'
      : 'not allowed';
}

function approvedBy(requestId: string | null, approvals: Approvals): string {
  const request = requestId === null ? undefined : approvals.get(requestId);
  const names = (request?.decisions ?? [])
    .filter((d) => d.decision === 'approve')
    .map((d) => d.by.name);
  return names.length === 0 ? 'approved' : `approved by ${[...new Set(names)].join(' and ')}`;
}
