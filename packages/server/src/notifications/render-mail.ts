import { cleanNotice } from './clean.ts';
import type { Letter, Notice } from './model.ts';

export interface MailParts {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Subject, text and HTML of a mail. Everything that somebody wrote is text, in both. */
export function renderMail(letter: Letter): MailParts {
  const notice = cleanNotice(letter.notice);
  return {
    subject: notice.subject,
    text: textOf(letter, notice),
    html: htmlOf(letter, notice),
  };
}

/** What to type: always there, so that a mail is of use where the page is not. */
function commandsFor({ card }: Notice): string[] {
  if (card === null) return [];
  return [
    `sft-admin requests show ${card.request_id}`,
    `sft-admin approve ${card.request_id}`,
    `sft-admin deny ${card.request_id} --reason '…'`,
  ];
}

const footerOf = ({ team, id }: Letter): string => `Postern, team ${team}. Message ${id}.`;

function textOf(letter: Letter, notice: Notice): string {
  const { lines, card, link } = notice;
  const blocks = [lines.join('\n')];
  if (card !== null) {
    const rows = card.rows.map(({ label, lines: [first = '', ...more] }) =>
      [`${label}: ${first}`, ...more.map((text) => `  ${text}`)].join('\n'),
    );
    blocks.push([card.title, ...rows].join('\n'));
  }
  if (link !== null) blocks.push(`Decide here (this link is for you only):\n${link}`);
  const commands = commandsFor(notice);
  if (commands.length > 0)
    blocks.push(
      [
        link === null ? 'In a terminal:' : 'Or in a terminal:',
        ...commands.map((c) => `  ${c}`),
      ].join('\n'),
    );
  return `${[...blocks, `-- \n${footerOf(letter)}`].join('\n\n')}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attribute values in double quotes. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

function htmlOf(letter: Letter, notice: Notice): string {
  const { subject, lines, card, link } = notice;
  const e = escapeHtml;
  const parts = lines.map((text) => `<p>${e(text)}</p>`);
  if (card !== null) {
    const rows = card.rows.map(
      (row) =>
        `<tr><th align="left" valign="top">${e(row.label)}</th><td>${row.lines.map(e).join('<br>')}</td></tr>`,
    );
    parts.push(`<h2>${e(card.title)}</h2>`, `<table cellpadding="4">${rows.join('')}</table>`);
  }
  if (link !== null)
    parts.push(
      `<p><a href="${e(link)}" rel="noreferrer">Decide here</a> (this link is for you only)</p>`,
    );
  const commands = commandsFor(notice);
  if (commands.length > 0) parts.push(`<pre>${commands.map(e).join('\n')}</pre>`);
  parts.push(`<p><small>${e(footerOf(letter))}</small></p>`);
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${e(subject)}</title></head>\n<body>\n${parts.join('\n')}\n</body></html>\n`;
}
