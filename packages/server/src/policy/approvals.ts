import type { Instant, Seconds } from '@postern/shared';
import type { Approval, RequestTypeFacts } from './facts.ts';
import type { Channel, SshPrivilege } from './model.ts';

/** What an approval must have been given for, to open an option: ids, never names. */
export interface Wish {
  readonly user_id: string;
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  readonly account_id: string | null;
  readonly admin_level: boolean;
  readonly privilege: SshPrivilege;
  readonly channels: readonly Channel[];
  /** The job whose login it is; null: of none. */
  readonly binding: string | null;
}

/** The condition it is to meet, and the rule that sets it. */
export interface Demand {
  readonly rule_id: string;
  readonly request_type_id: string;
  /** undefined: the type is not known any more; nothing meets the condition. */
  readonly request_type: RequestTypeFacts | undefined;
  readonly expires_after_seconds: Seconds;
}

type Check = (approval: Approval, wish: Wish, demand: Demand, now: Instant) => boolean;

/** Everything that must hold, in this order. The first that does not is why it does not count. */
export const APPROVAL_CHECKS = {
  user: (a, wish) => a.user_id === wish.user_id,
  /** Asked for by a job it is for that job; asked for by nobody's job it is for none. */
  binding: (a, wish) => a.binding === wish.binding,
  server: (a, wish) => a.server_id === wish.server_id,
  server_identity: (a, wish) => a.server_identity_revision === wish.server_identity_revision,
  identity: (a, wish) => a.identity === wish.identity,
  credential: (a, wish) => a.credential_type === wish.credential_type,
  account: (a, wish) => a.account_id === wish.account_id,
  admin_level: (a, wish) => a.admin_level === wish.admin_level,
  privilege: (a, wish) => a.privilege === wish.privilege,
  channels: (a, wish) => wish.channels.every((channel) => a.channels.includes(channel)),
  request_type: (a, _wish, demand) => a.request_type_id === demand.request_type_id,
  version: (a, _wish, demand) => acceptsVersion(demand.request_type, a.request_type_version),
  revoked: (a) => a.revoked_at === null,
  ended: (a) => a.ended_at === null,
  future: (a, _wish, _demand, now) => a.approved_at <= now,
  expired: (a, _wish, demand, now) => now < approvalEnd(a, demand),
} as const satisfies Record<string, Check>;

export type ApprovalCheck = keyof typeof APPROVAL_CHECKS;

const CHECKS = Object.entries(APPROVAL_CHECKS) as [ApprovalCheck, Check][];

/** Why an approval does not count; null when it does. */
export function whyNot(
  approval: Approval,
  wish: Wish,
  demand: Demand,
  now: Instant,
): ApprovalCheck | null {
  for (const [name, holds] of CHECKS) if (!holds(approval, wish, demand, now)) return name;
  return null;
}

export interface Met {
  readonly approval: Approval;
  readonly until: Instant;
}

/** The approval that meets the demand longest; the smallest id among equals. */
export function findApproval(
  approvals: readonly Approval[],
  wish: Wish,
  demand: Demand,
  now: Instant,
): Met | undefined {
  let best: Met | undefined;
  for (const approval of approvals) {
    if (whyNot(approval, wish, demand, now) !== null) continue;
    const until = approvalEnd(approval, demand);
    const isBetter =
      best === undefined ||
      until > best.until ||
      (until === best.until && approval.id < best.approval.id);
    if (isBetter) best = { approval, until };
  }
  return best;
}

/**
 * The shorter of the rule's period now and the period on the approver's card: what was
 * shortened since counts, what was lengthened does not. A rule that was not on the card
 * counts with the longest period that was; with none on the card the approval is worth nothing.
 */
export function approvalEnd(approval: Approval, demand: Demand): Instant {
  const { periods } = approval;
  const onCard = Object.hasOwn(periods, demand.rule_id)
    ? (periods[demand.rule_id] ?? 0)
    : Math.max(0, ...Object.values(periods));
  const seconds = Math.min(demand.expires_after_seconds, onCard);
  return (approval.approved_at + seconds * 1000) as Instant;
}

/** The published version, or one the published version says it accepts. */
function acceptsVersion(type: RequestTypeFacts | undefined, version: number): boolean {
  if (type === undefined || type.published_version === null) return false;
  return version === type.published_version || type.accepts.includes(version);
}
