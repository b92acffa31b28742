import { printable, REQUEST_TYPE_LIMITS } from '@postern/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderMail } from '../../src/notifications/render-mail.ts';
import { renderSlack } from '../../src/notifications/render-slack.ts';
import { renderTeams } from '../../src/notifications/render-teams.ts';
import { renderWebhook } from '../../src/notifications/render-webhook.ts';
import { wordsOf } from '../../src/notifications/texts.ts';
import { everywhere, HOSTILE, letterOf } from './hostile.ts';

/** Every text within a value, wherever it stands. */
const texts = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : value !== null && typeof value === 'object'
      ? Object.values(value).flatMap(texts)
      : [];
/** Lines that hold what no medium may show. */
const unprintable = (value: unknown): string[] =>
  texts(value)
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== printable(line));
const nodes = (value: unknown): Record<string, unknown>[] =>
  value !== null && typeof value === 'object'
    ? [
        ...(Array.isArray(value) ? [] : [value as Record<string, unknown>]),
        ...Object.values(value).flatMap(nodes),
      ]
    : [];
const card = {
  request_id: '0199d3a5-0000-7000-8000-000000000002',
  etag: '3',
  title: 'Access to a server',
  rows: [
    { label: 'Requester', lines: ['Ellis Kim'] },
    { label: 'Why', lines: ['rotate the logs', 'and <more> & more'] },
  ],
};

describe('mail', () => {
  test('the same notice as text and as HTML, with what to type', () => {
    const link = 'https://postern.example/d/abc?t=1';
    expect(renderMail(letterOf({ card, link, step: 0 }))).toMatchInlineSnapshot(`
      {
        "html": "<!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>Approval needed</title></head>
      <body>
      <p>Ellis Kim asks for opa-demo-linux.</p>
      <h2>Access to a server</h2>
      <table cellpadding="4"><tr><th align="left" valign="top">Requester</th><td>Ellis Kim</td></tr><tr><th align="left" valign="top">Why</th><td>rotate the logs<br>and &lt;more&gt; &amp; more</td></tr></table>
      <p><a href="https://postern.example/d/abc?t=1" rel="noreferrer">Decide here</a> (this link is for you only)</p>
      <pre>sft-admin requests show 0199d3a5-0000-7000-8000-000000000002
      sft-admin approve 0199d3a5-0000-7000-8000-000000000002
      sft-admin deny 0199d3a5-0000-7000-8000-000000000002 --reason &#39;…&#39;</pre>
      <p><small>Postern, team demo. Message 0199d3a5-0000-7000-8000-000000000001.</small></p>
      </body></html>
      ",
        "subject": "Approval needed",
        "text": "Ellis Kim asks for opa-demo-linux.

      Access to a server
      Requester: Ellis Kim
      Why: rotate the logs
        and <more> & more

      Decide here (this link is for you only):
      https://postern.example/d/abc?t=1

      Or in a terminal:
        sft-admin requests show 0199d3a5-0000-7000-8000-000000000002
        sft-admin approve 0199d3a5-0000-7000-8000-000000000002
        sft-admin deny 0199d3a5-0000-7000-8000-000000000002 --reason '…'

      -- 
      Postern, team demo. Message 0199d3a5-0000-7000-8000-000000000001.
      ",
      }
    `);
  });

  test('without a card there is nothing to type; without a link none is shown', () => {
    const { text, html } = renderMail(letterOf({ subject: 'Approved', lines: ['Done.'] }));
    expect(text).toBe(
      'Done.\n\n-- \nPostern, team demo. Message 0199d3a5-0000-7000-8000-000000000001.\n',
    );
    expect(html).not.toContain('<a ');
  });

  test.each(HOSTILE.map((text) => [text.slice(0, 40), text]))('harmless: %j', (_, text) => {
    const mail = renderMail(everywhere(text));
    expect(mail.subject).not.toContain('\n');
    expect(unprintable(mail)).toEqual([]);
    // Nothing but the tags that the renderer itself writes.
    expect(mail.html.match(/<[^>]*>/g)!.filter((tag) => !OURS.test(tag))).toEqual([]);
    expect(mail.html).not.toContain('evil.test"');
    expect(mail.text.length + mail.html.length).toBeLessThan(2_000_000);
  });

  test('a link that is no plain http(s) URL is left out', () => {
    for (const link of ['javascript:alert(1)', 'https://x/ y', 'https://x/"', 'https://x/<', '//x'])
      expect(renderMail(letterOf({ link })).html).not.toContain('<a ');
  });
});

const OURS =
  /^<(!doctype html|html lang="en"|\/?(html|head|title|body|p|h2|tr|td|th|table|pre|small|a)|meta charset="utf-8"|br|table cellpadding="4"|th align="left" valign="top"|a href="https:\/\/postern\.example\/d\/[^"<>]*" rel="noreferrer")>$/;

describe('Slack', () => {
  const OWN_ESCAPES = /&(amp|lt|gt);/g;

  test.each(HOSTILE.map((text) => [text.slice(0, 40), text]))('harmless: %j', (_, text) => {
    const message = renderSlack(everywhere(text));
    for (const node of nodes(message)) {
      if (node.type !== 'mrkdwn') continue;
      const shown = node.text as string;
      expect(node.verbatim).toBe(true);
      expect(shown).not.toMatch(/[<>]/);
      expect(shown.replaceAll(OWN_ESCAPES, '')).not.toContain('&');
      expect(shown.length).toBeLessThanOrEqual(3_000);
    }
    expect((message as { text: string }).text).not.toMatch(/[<>]/);
    expect((message as { blocks: unknown[] }).blocks.length).toBeLessThanOrEqual(50);
    expect(unprintable(message)).toEqual([]);
  });

  test('buttons stand only where a chat may decide, and send what was shown', () => {
    const actionsOf = (notice: object) =>
      nodes(renderSlack(letterOf(notice))).filter((node) => node.type === 'button');
    expect(actionsOf({ card, chat: false, step: 0 })).toEqual([]);
    expect(actionsOf({ card, chat: true, step: null })).toEqual([]);
    expect(actionsOf({ card: null, chat: true, step: 0 })).toEqual([]);
    const buttons = actionsOf({ card, chat: true, step: 1 });
    expect(buttons.map(({ action_id }) => action_id)).toEqual(['approve', 'deny']);
    for (const { value } of buttons)
      expect(JSON.parse(value as string)).toEqual({
        request_id: card.request_id,
        etag: '3',
        step: 1,
      });
  });
});

describe('Teams', () => {
  test('an Adaptive Card in the envelope of a message', () => {
    expect(renderTeams(letterOf({ card }))).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: { type: 'AdaptiveCard', version: '1.4' },
        },
      ],
    });
  });

  test.each(HOSTILE.map((text) => [text.slice(0, 40), text]))('harmless: %j', (_, text) => {
    const message = renderTeams(everywhere(text));
    // Every text of somebody's is in a TextRun, which reads no Markdown; nothing is mentioned.
    const TYPES = ['message', 'AdaptiveCard', 'RichTextBlock', 'TextRun', undefined];
    for (const node of nodes(message)) {
      expect(TYPES).toContain(node.type);
      expect(node).not.toHaveProperty('entities');
      if (typeof node.text === 'string') expect(node.type).toBe('TextRun');
    }
    expect(unprintable(message)).toEqual([]);
    expect(nodes(message).some((node) => 'url' in node)).toBe(false);
  });
});

test('no channel is given a link: it decides for one person, and many read a channel', () => {
  const link = 'https://postern.example/d/only-for-dana';
  for (const format of ['postern', 'slack', 'teams'] as const)
    expect(renderWebhook(format, letterOf({ card, link, chat: true, step: 0 }))).not.toContain(
      'only-for-dana',
    );
});

describe('a card with as much as a requester and a request type can put into it', () => {
  const fields = REQUEST_TYPE_LIMITS.fields;
  const rows = [
    ...Array.from({ length: fields }, (_, i) => ({
      label: `Question ${i}`,
      lines: Array.from({ length: 30 }, (__, n) => `answer ${n}`),
    })),
    ...[
      'Server',
      'Account',
      'May do',
      'How long',
      'Decided so far',
      'Still needed',
      'Waits until',
    ].map((label) => ({ label, lines: ['what is approved'] })),
  ];
  const letter = letterOf({ card: { ...card, rows }, chat: true, step: 0 });
  const { text, html } = renderMail(letter);
  const shown = [
    ['mail', text],
    ['HTML', html],
    ...(['postern', 'slack', 'teams'] as const).map((f) => [f, renderWebhook(f, letter)]),
  ] as [string, string][];

  test.each(shown)('%s: no row of what is decided on is left out', (_, message) => {
    for (const { label } of rows) expect(message).toContain(label);
  });

  test.each(shown)('%s: of an answer that is cut it is said that there is more', (_, message) => {
    expect(message).toContain('… 11 more lines: sft-admin requests show');
  });
});

test('whatever the text: no renderer gives a control character, or throws', () => {
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
    const letter = everywhere(text);
    const formats = ['postern', 'slack', 'teams'] as const;
    const shown = [
      renderMail(letter),
      ...formats.map((format) => JSON.parse(renderWebhook(format, letter))),
    ];
    expect(unprintable(shown)).toEqual([]);
  });
  fc.assert(property, { seed: 20_260_302, numRuns: 50 });
});

describe('texts', () => {
  const you = { you: true, name: 'Ellis Kim' };
  const KINDS = [
    ...['approval_needed', 'approval_reminder', 'request_escalated', 'request_approved'],
    ...['request_denied', 'request_canceled', 'request_expired', 'access_revoked', 'access_ended'],
    ...['access_ending', 'token_made', 'delegation_made', 'delegation_ended'],
  ];

  test.each(KINDS)('%s: a subject and lines, whatever is missing or of another type', (kind) => {
    for (const body of [{}, { server: 7, by: null, requester: [], seconds_left: {} }])
      for (const told of [you, { you: false, name: 'Ellis Kim' }]) {
        const words = wordsOf(kind, body, told)!;
        expect([words.subject, ...words.lines].join(' ')).not.toMatch(
          /undefined|null|\[object|NaN/,
        );
        expect(words.lines.length).toBeGreaterThan(0);
      }
  });

  test('a mailbox is addressed, a channel is told about somebody', () => {
    const body = { server: 'opa-demo-linux', by: 'Dana Reyes' };
    expect(wordsOf('request_denied', body, you)!.lines).toEqual([
      'Your request for opa-demo-linux was denied by Dana Reyes.',
    ]);
    expect(wordsOf('request_denied', body, { ...you, you: false })!.lines).toEqual([
      'Ellis Kim’s request for opa-demo-linux was denied by Dana Reyes.',
    ]);
  });

  test('an end is announced with the time that is left', () => {
    const subject = (seconds_left: number) =>
      wordsOf('access_ending', { server: 'x', seconds_left }, you)!.subject;
    expect([subject(300), subject(60), subject(1)]).toEqual([
      'Ends in 5 minutes: x',
      'Ends in 1 minute: x',
      'Ends in a few minutes: x',
    ]);
  });

  test('a kind of a later version is no message', () => {
    for (const kind of ['toString', '__proto__', 'other'])
      expect(wordsOf(kind, {}, you)).toBeUndefined();
  });
});
