import { type ChatLink, plus, type Relation, seconds, toRfc3339 } from '@postern/shared';
import { type Author, authorOf, type Caller, eventFrom, refTo } from '../identity/index.ts';
import { refuseUnprovenLogin } from '../mfa/index.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { LINK_CODE_BYTES, makeLinkCode } from './code.ts';
import {
  dropCodesOf,
  findLink,
  type LinkView,
  linksOf,
  listLinks,
  putCode,
  removeLink,
} from './store.ts';

const CODE_LIFE = seconds(10 * 60);

/**
 * The code that links whoever types it in the chat to the caller. It remembers who issued
 * the caller's token: he may be the one who types it, so its link counts as his as well.
 */
export async function createChatLink(tx: Tx, caller: Caller) {
  if (caller.type !== 'human')
    throw new Refusal('not_permitted', 'Only a person has an account in the chat.', {
      next: 'Make the code with a login of your own.',
    });
  // What is linked votes for him, and asks for no MFA.
  await refuseUnprovenLogin(tx, caller, 'Linking an account');
  const { code, hash } = makeLinkCode(tx.ids.random(LINK_CODE_BYTES));
  const expires_at = plus(tx.now, CODE_LIFE);
  const { user_id, token_id, token_issued_by: issued_by } = caller;
  await putCode(tx.sql, { user_id, hash, token_id, issued_by, expires_at });
  return { code, expires_at: toRfc3339(expires_at) };
}

/** The caller's own or, in relation `any`, everybody's. */
export async function listChatLinks(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery,
): Promise<{ readonly list: ChatLink[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const user_id = relations.has('any') ? undefined : caller.user_id;
  const cut = cutPage(await listLinks(tx.sql, { ...page, user_id }), page);
  return { ...cut, list: cut.list.map(describe) };
}

const describe = (row: LinkView): ChatLink => ({
  id: row.id,
  user: { id: row.user_id, name: row.user_name },
  chat: 'slack',
  workspace_id: row.workspace_id,
  chat_user_id: row.chat_user_id,
  issued_by: row.issued_by === null ? null : { id: row.issued_by, name: row.issuer_name ?? '' },
  created_at: toRfc3339(row.created_at),
});

/** Ends a link at once. Somebody else's answers as one that is not there, unless in relation `any`. */
export async function deleteChatLink(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<void> {
  const link = await findLink(tx.sql, id);
  if (link === undefined || !(relations.has('any') || link.user_id === caller.user_id))
    throw new Refusal('not_found', 'There is no such link.', {
      next: 'See what is linked: sft-admin chat list',
    });
  await bumpRevisions(tx.sql, [link.user_id]);
  await end(tx, authorOf(caller), link);
}

/**
 * Ends the link of a user, and every one that was made with a token he issued, with the codes
 * for more: whoever disables him has bumped his revision.
 */
export async function endChatLinksOf(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  userId: string,
): Promise<void> {
  // First: a code that is being given is waited for, and the link it makes is found then.
  await dropCodesOf(tx.sql, userId);
  const links = await linksOf(tx.sql, userId);
  const holders = links.map(({ user_id }) => user_id).filter((id) => id !== userId);
  await bumpRevisions(tx.sql, holders);
  for (const link of links) await end(tx, author, link);
}

async function end(tx: Tx, author: Pick<Author, 'actor'>, link: LinkView): Promise<void> {
  if (!(await removeLink(tx.sql, link.id, tx.now))) return;
  const targets = [
    refTo('chat_link', { id: link.id, name: link.chat_user_id }),
    refTo('user', { id: link.user_id, name: link.user_name }),
  ];
  await tx.audit(eventFrom(author, 'pam.chat_link.remove', targets, accountOf(link)));
}

const accountOf = ({ workspace_id, chat_user_id }: LinkView) => ({ workspace_id, chat_user_id });
