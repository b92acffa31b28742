import { cleanNotice } from './clean.ts';
import type { Letter, Notice } from './model.ts';

/** What a button sends back: everything that a decision needs, so that it decides what was shown. */
export interface ChatDecision {
  readonly request_id: string;
  readonly etag: string;
  readonly step: number;
}

/**
 * Text for Slack's mrkdwn. Mentions, channels and links all begin with `<`, which cannot
 * come through (https://docs.slack.dev/messaging/formatting-message-text).
 */
export const escapeMrkdwn = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** `verbatim`: nothing that looks like an address, a channel or a name becomes a link. */
const mrkdwn = (text: string) => ({
  type: 'section',
  text: { type: 'mrkdwn', text, verbatim: true },
});

const LONGEST_SECTION = 2_900;

/** A message for an incoming webhook of Slack (Block Kit). */
export function renderSlack({ notice: given }: Pick<Letter, 'notice'>): object {
  const notice = cleanNotice(given);
  const { subject, lines, card } = notice;
  const blocks: object[] = [
    mrkdwn(`*${escapeMrkdwn(subject)}*`),
    ...lines.map((text) => mrkdwn(escapeMrkdwn(text))),
  ];
  if (card !== null) {
    blocks.push({ type: 'divider' }, mrkdwn(`*${escapeMrkdwn(card.title)}*`));
    for (const { label, lines: values } of card.rows)
      blocks.push(mrkdwn(sectionOf(escapeMrkdwn(label), values.map(escapeMrkdwn))));
    blocks.push(mrkdwn(`sft-admin requests show ${escapeMrkdwn(card.request_id)}`));
  }
  return { text: escapeMrkdwn(subject), blocks: [...blocks.slice(0, 49), ...buttonsOf(notice)] };
}

/** Whole lines only: one that was cut could end within `&lt;`. */
function sectionOf(label: string, values: readonly string[]): string {
  let text = `*${label}*`;
  for (const value of values) {
    if (text.length + value.length + 2 > LONGEST_SECTION) return `${text}\n…`;
    text += `\n${value}`;
  }
  return text;
}

/** Only where the request's type lets a chat decide. */
function buttonsOf({ chat, card, step }: Notice): object[] {
  if (!chat || card === null || step === null) return [];
  const { request_id, etag } = card;
  const value = JSON.stringify({ request_id, etag, step } satisfies ChatDecision);
  const button = (action_id: string, text: string, style: string) => ({
    type: 'button',
    action_id,
    style,
    text: { type: 'plain_text', text, emoji: false },
    value,
  });
  return [
    {
      type: 'actions',
      elements: [button('approve', 'Approve', 'primary'), button('deny', 'Deny', 'danger')],
    },
  ];
}
