import type { MessageKind } from './model.ts';

/** Who is told or told about: in a mail "You", in a channel the person's name. */
export interface Told {
  readonly you: boolean;
  readonly name: string;
}

export type Facts = Readonly<Record<string, unknown>>;

interface Words {
  readonly subject: string;
  readonly lines: readonly string[];
}

type Text = (facts: (name: string, otherwise: string) => string, told: Told) => Words;

const whose = ({ you, name }: Told): string => (you ? 'Your' : `${name}’s`);
const whoseLow = ({ you, name }: Told): string => (you ? 'your' : `${name}’s`);
const who = ({ you, name }: Told): string => (you ? 'You' : name);

const words = (subject: string, ...lines: string[]): Words => ({ subject, lines });

/** What a message is about: a server, or groups. */
const goal = (fact: Parameters<Text>[0]): string => {
  const groups = fact('groups', '');
  return groups === '' ? fact('server', 'a server') : `membership in ${groups}`;
};

const asks =
  (before: string): Text =>
  (fact) => {
    const what = `${fact('requester', 'Somebody')} asks for ${goal(fact)}`;
    return words(`${before}: ${what}`, `${what} and waits for a decision.`);
  };

const SECONDS_TEXT: Readonly<Record<string, string>> = { 300: '5 minutes', 60: '1 minute' };

/** Every kind of message: its subject and its lines. */
const TEXTS: Readonly<Record<MessageKind, Text>> = {
  approval_needed: asks('Approval needed'),
  approval_reminder: asks('Reminder'),
  request_escalated: asks('Escalated'),
  request_approved: (fact, told) =>
    words(
      `Approved: ${goal(fact)}`,
      `${whose(told)} request for ${goal(fact)} was approved.`,
      ...(told.you && fact('groups', '') === ''
        ? [`Connect now: sft ssh ${fact('server', 'HOST')}`]
        : []),
      ...(fact('until', '') === '' ? [] : [`It ends ${fact('until', '')}.`]),
    ),
  request_failed: (fact, told) =>
    words(
      `Failed: ${goal(fact)}`,
      `${whose(told)} request for ${goal(fact)} was approved, but could not be carried out: ${fact('why', 'see its history')}.`,
    ),
  request_denied: (fact, told) =>
    words(
      `Denied: ${goal(fact)}`,
      `${whose(told)} request for ${goal(fact)} was denied by ${fact('by', 'an approver')}.`,
    ),
  request_canceled: (fact, told) =>
    words(
      `Canceled: ${goal(fact)}`,
      `${whose(told)} request for ${goal(fact)} was canceled; nothing is left to decide.`,
    ),
  request_expired: (fact, told) =>
    words(
      `Expired: ${goal(fact)}`,
      `${whose(told)} request for ${goal(fact)} ran out before it was decided.`,
    ),
  access_revoked: (fact, told) =>
    words(
      `Revoked: ${goal(fact)}`,
      `${whose(told)} access to ${goal(fact)} was revoked by ${fact('by', 'an approver')}.`,
    ),
  access_ended: (fact, told) =>
    words(`Ended: ${goal(fact)}`, `${whose(told)} access to ${goal(fact)} has ended.`),
  access_ending: (fact, told) => {
    const left = SECONDS_TEXT[fact('seconds_left', '')] ?? 'a few minutes';
    return words(
      `Ends in ${left}: ${goal(fact)}`,
      `${whose(told)} access to ${goal(fact)} ends in ${left}; what is open is cut then.`,
    );
  },
  token_made: (fact, told) =>
    words(
      `A token was made for ${told.you ? 'you' : told.name}`,
      `${fact('made_by', 'Somebody')} made the token “${fact('token_name', '')}”; it is valid until ${fact('expires_at', 'its end')}.`,
      ...(told.you ? ['Not expected? Revoke it: sft-admin tokens list, then tokens revoke.'] : []),
    ),
  invitation_made: (fact, told) =>
    words(
      `${whose(told)} password can be set anew`,
      `${fact('made_by', 'Somebody')} made a link that sets ${whoseLow(told)} password; it is valid once, until ${fact('expires_at', 'its end')}.`,
      ...(told.you
        ? ['Not expected? Ask whoever made it, or another administrator, at once.']
        : []),
    ),
  factors_reset: (fact, told) =>
    words(
      `${whose(told)} second factors were removed`,
      `${fact('made_by', 'Somebody')} removed ${whoseLow(told)} authenticator app and passkeys, and ended ${whoseLow(told)} logins.`,
      ...(told.you ? ['Not expected? Ask another administrator at once.'] : []),
    ),
  identity_linked: (fact, told) =>
    words(
      `${whose(told)} account was linked to an identity provider’s`,
      `${fact('made_by', 'Somebody')} said who ${told.you ? 'you are' : `${told.name} is`} at the identity provider: whoever logs in there so is ${told.you ? 'you' : told.name} here.`,
      ...(told.you ? ['Not expected? Ask another administrator at once.'] : []),
    ),
  factor_added: (fact, told) =>
    words(
      `${whose(told)} account has a new ${fact('factor', 'second factor')}`,
      `A new ${fact('factor', 'second factor')} was added to ${whoseLow(told)} account.`,
      ...(told.you ? ['Not you? Ask an administrator at once.'] : []),
    ),
  password_set: (_fact, told) =>
    words(
      `${whose(told)} password was set`,
      `${whose(told)} password was set; logins made before it have ended.`,
      ...(told.you ? ['Not you? Ask an administrator at once.'] : []),
    ),
  chat_linked: (fact, told) =>
    words(
      `A chat account was linked to ${told.you ? 'you' : told.name}`,
      `${fact('chat_user', 'Somebody')} in Slack now speaks for ${told.you ? 'you' : told.name}.`,
      ...(told.you ? ['Not you? End it: sft-admin chat list, then sft-admin chat unlink.'] : []),
    ),
  delegation_made: (fact, told) =>
    words(
      `Stand-in: ${fact('to', told.name)} for ${fact('from', 'somebody')}`,
      `${fact('to', who(told))} may decide for ${fact('from', 'somebody')} from ${fact('starts_at', 'now')} until ${fact('ends_at', 'it is ended')}.`,
    ),
  delegation_ended: (fact, told) =>
    words(
      `No longer stand-in: ${fact('to', told.name)} for ${fact('from', 'somebody')}`,
      `${fact('to', who(told))} no longer decides for ${fact('from', 'somebody')}.`,
    ),
  review_opened: (fact) =>
    words(
      `Review needed: ${fact('group', 'a group')}`,
      `Say by ${fact('due_at', 'its end')} who of ${fact('members', 'the')} members stays in ${fact('group', 'the group')}.`,
      `Whoever is left out ${fact('unanswered', 'remove') === 'remove' ? 'is removed then' : 'stays'}.`,
      `Read it, then answer: sft-admin reviews show ${fact('review_id', 'ID')}`,
    ),
  membership_removed: (fact, told) =>
    words(
      `Removed from ${fact('group', 'a group')}`,
      `A review ended ${whose(told).toLowerCase()} membership in ${fact('group', 'a group')}.`,
    ),
};

/** Kinds that ask for a decision; the others only tell. */
const ASKS: ReadonlySet<string> = new Set([
  'approval_needed',
  'approval_reminder',
  'request_escalated',
] satisfies MessageKind[]);
export const asksToDecide = (kind: string): boolean => ASKS.has(kind);

/** @returns undefined for a kind that this version does not know. */
export function wordsOf(kind: string, body: Facts, told: Told): Words | undefined {
  if (!Object.hasOwn(TEXTS, kind)) return undefined;
  const fact = (name: string, otherwise: string): string => {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  return TEXTS[kind as MessageKind](fact, told);
}
