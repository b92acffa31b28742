import { cleanNotice } from './clean.ts';
import type { Letter } from './model.ts';

/**
 * Text that Teams shows as it stands: a TextRun reads no Markdown, so no name makes a link,
 * and a mention needs an entity that is never sent.
 */
const runs = (...inlines: { readonly text: string; readonly weight?: 'Bolder' }[]) => ({
  type: 'RichTextBlock',
  inlines: inlines.map((inline) => ({ type: 'TextRun', ...inline })),
});

/** A message for an incoming webhook of Teams: an Adaptive Card in its envelope. */
export function renderTeams({ notice: given }: Pick<Letter, 'notice'>): object {
  const { subject, lines, card } = cleanNotice(given);
  const body: object[] = [
    runs({ text: subject, weight: 'Bolder' }),
    ...lines.map((text) => runs({ text })),
  ];
  if (card !== null) {
    body.push(runs({ text: card.title, weight: 'Bolder' }));
    for (const { label, lines: values } of card.rows)
      body.push(runs({ text: `${label}: `, weight: 'Bolder' }, { text: values.join(' / ') }));
    body.push(runs({ text: `sft-admin requests show ${card.request_id}` }));
  }
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body,
        },
      },
    ],
  };
}
