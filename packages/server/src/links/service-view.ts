import type { ApprovalCard } from '@postern/shared';
import { callerByBrowser } from '../identity/index.ts';
import type { BrowserLogin } from '../login/index.ts';
import type { Tx } from '../platform/tx.ts';
import { describeCard } from '../requests/index.ts';
import { hashOfLink } from './secret.ts';
import { closedBecause } from './standing.ts';
import { findLiveLink } from './store.ts';

/** What a link shows. */
export type LinkView =
  | { readonly kind: 'invalid' }
  | { readonly kind: 'closed'; readonly why: string }
  | {
      readonly kind: 'open';
      readonly card: ApprovalCard;
      readonly step: number;
      /** Whom the link was made for. */
      readonly approver: { readonly name: string; readonly login: string };
      readonly browser?: {
        readonly csrf: string;
        readonly name: string;
        readonly is_approver: boolean;
      };
    };

const NOT_HIS = 'This request is not, or no longer, for the person whom this link was made for.';

/** Reads and changes nothing: whatever follows links in mails may call it as often as it likes. */
export async function viewLink(
  tx: Tx,
  secret: string,
  /** Who is logged in with the browser that follows it. */
  login: BrowserLogin | undefined,
): Promise<LinkView> {
  const link = await findLiveLink(tx.sql, hashOfLink(secret), tx.now);
  if (link === undefined) return { kind: 'invalid' };
  const why = closedBecause(link);
  if (why !== undefined) return { kind: 'closed', why };
  const card = await describeCard(tx, link.request_id, link.user_id);
  if (card === undefined) return { kind: 'closed', why: NOT_HIS };
  return {
    kind: 'open',
    card,
    step: link.step,
    approver: { name: link.user_name, login: link.user_login },
    ...(login !== undefined && { browser: await browserOf(tx, login, link.user_id) }),
  };
}

async function browserOf(tx: Tx, login: BrowserLogin, approverId: string) {
  const caller = await callerByBrowser(tx, login);
  const { csrf, user_id } = login;
  return { csrf, name: caller?.name ?? '', is_approver: user_id === approverId };
}
