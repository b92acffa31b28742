import { toRfc3339 } from '@postern/shared';
import { cleanNotice } from './clean.ts';
import type { Letter, WebhookFormat } from './model.ts';
import { renderSlack } from './render-slack.ts';
import { renderTeams } from './render-teams.ts';

/** The format of Standard Webhooks: a type, when it happened, and what. */
function renderPostern(letter: Letter): object {
  const { subject, lines, card, step } = cleanNotice(letter.notice);
  return {
    type: letter.kind,
    timestamp: toRfc3339(letter.created_at),
    data: { team: letter.team, request_id: letter.request_id, subject, lines, card, step },
  };
}

const RENDERERS: Readonly<Record<WebhookFormat, (letter: Letter) => object>> = {
  postern: renderPostern,
  slack: renderSlack,
  teams: renderTeams,
};

/** The body of a webhook, JSON. No link: those are for one person, and a channel is read by many. */
export const renderWebhook = (format: WebhookFormat, letter: Letter): string =>
  JSON.stringify(RENDERERS[format](letter));
