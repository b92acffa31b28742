import { type AccessRequest, type ApprovalCard, targetText } from '@postern/shared';
import { escapeMrkdwn, line, renderSlack } from '../notifications/index.ts';
import type { Refusal } from '../platform/errors.ts';
import { plain } from './plain.ts';

const LONGEST = 20;

/** A message that only the one who asked sees. */
export function say(lines: readonly string[]): object {
  const shown = lines.slice(0, LONGEST).map((text) => line(text));
  return {
    response_type: 'ephemeral',
    replace_original: false,
    text: escapeMrkdwn(shown[0] ?? ''),
    blocks: shown.map((text) => ({ type: 'section', text: plain(text) })),
  };
}

export const HELP = [
  '/postern link CODE: link this account to you; make the code with: sft-admin chat link',
  '/postern request [SERVER]: ask for access to a server',
  '/postern requests: your pending requests',
];

export const UNLINKED = [
  'This Slack account is not linked to anybody.',
  'Run sft-admin chat link in a terminal where you are logged in, and type here what it prints.',
];

export const refusalLines = ({ detail, next }: Refusal): string[] =>
  next === undefined ? [detail] : [detail, next];

const DONE = { approve: 'approved', deny: 'denied' } as const;

/** What is said to the one who decided. */
export const decidedLines = (
  person: { readonly name: string },
  decision: 'approve' | 'deny',
  request: AccessRequest,
): string[] => [`${person.name}: you ${DONE[decision]} ${about(request)}. It is ${request.state}.`];

const about = ({ requester, target }: AccessRequest): string =>
  `the request of ${requester.name} for ${targetText(target)}`;

/** What stands where the buttons were: the outcome, or the card for whoever is asked next. */
export function outcomeMessage(
  person: { readonly name: string },
  decision: 'approve' | 'deny',
  request: AccessRequest,
  pending:
    | { readonly card: ApprovalCard; readonly step: number; readonly chat: boolean }
    | undefined,
): object {
  const { requester, target, state } = request;
  const message = renderSlack({
    notice: {
      subject: `${state === 'pending' ? 'Approval needed' : capital(state)}: ${requester.name} for ${targetText(target)}`,
      lines: [`${person.name} ${DONE[decision]} ${about(request)}.`],
      link: null,
      ...(pending ?? { card: null, step: null, chat: false }),
    },
  });
  return { replace_original: true, ...message };
}

/** The card as it is now, for the one who pressed a button of an older one. */
export function freshCard(
  lines: readonly string[],
  pending: { readonly card: ApprovalCard; readonly step: number; readonly chat: boolean },
): object {
  const [subject = '', ...rest] = lines;
  const message = renderSlack({ notice: { subject, lines: rest, link: null, ...pending } });
  return { response_type: 'ephemeral', replace_original: false, ...message };
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

export const requestLines = (list: readonly AccessRequest[]): string[] =>
  list.length === 0
    ? ['You have no pending requests.']
    : list.map(
        ({ id, target, request_type }) =>
          `${targetText(target)} (${request_type.name}): sft request show ${id}`,
      );
