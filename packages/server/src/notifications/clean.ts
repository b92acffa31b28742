import { type ApprovalCard, printable } from '@postern/shared';
import type { Notice } from './model.ts';

const LONGEST_SUBJECT = 140;
const LONGEST_LINE = 500;
/** More than a card has, whatever its request type asks: none of what is approved is left out. */
const MOST_ROWS = 40;
const MOST_LINES = 20;

/** One printable line of at most `max` characters. */
export function line(text: string, max = LONGEST_LINE): string {
  // No longer than could be needed: what is left over by a cut pair is beyond `max`.
  const characters = [...printable(text.slice(0, 2 * max + 2))];
  return characters.length <= max
    ? characters.join('')
    : `${characters.slice(0, max - 1).join('')}…`;
}

/** As many as a medium takes; whoever decides is told that there is more, and where. */
function lines(texts: readonly string[], where?: string): string[] {
  if (texts.length <= MOST_LINES) return texts.map((text) => line(text));
  const shown = texts.slice(0, MOST_LINES - 1).map((text) => line(text));
  const more = `… ${texts.length - shown.length} more lines`;
  return [...shown, where === undefined ? more : line(`${more}: ${where}`)];
}

/**
 * A notice in which no text holds a line break, a control or a bidi character, or is longer
 * than a medium takes. Each renderer begins with it, so that none depends on who wrote a name.
 */
export const cleanNotice = (notice: Notice): Notice => ({
  ...notice,
  subject: line(notice.subject, LONGEST_SUBJECT),
  lines: lines(notice.lines),
  card: notice.card === null ? null : cleanCard(notice.card),
  link: notice.link === null ? null : webLink(notice.link),
});

const cleanCard = (card: ApprovalCard): ApprovalCard => ({
  request_id: line(card.request_id, 64),
  etag: line(card.etag, 64),
  title: line(card.title, LONGEST_SUBJECT),
  rows: card.rows.slice(0, MOST_ROWS).map((row) => ({
    label: line(row.label, 100),
    lines: lines(row.lines, `sft-admin requests show ${card.request_id}`),
  })),
});

/** @returns null for what is no plain http(s) URL: a link of another kind is never shown. */
const webLink = (link: string): string | null =>
  /^https?:\/\/[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,2000}$/.test(link) ? link : null;
