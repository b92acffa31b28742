import { instant } from '@postern/shared';
import type { Letter, Notice } from '../../src/notifications/model.ts';

/** What somebody might write into a name or an answer, to reach where it is shown. */
export const HOSTILE = [
  'a\r\nBcc: victim@example.test',
  'a\nContent-Type: text/html\n\n<h1>',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='x",
  '</title></pre><a href="https://evil.test">here</a>',
  '<!channel> <!here> <!everyone>',
  '<@U012AB3CD> <#C012AB3CD>',
  '<https://evil.test|Approve>',
  '[Approve](https://evil.test)',
  '<at>everyone</at> @channel @here',
  '&lt;!channel&gt;',
  '\u202egnp.exe\u2066\u200b\ufeff\u001b[31m\u0000\u2028',
  '*bold* _it_ ~no~ ```code```',
  'x'.repeat(10_000),
  '🙂'.repeat(2_000),
] as const;

export const letterOf = (notice: Partial<Notice>): Letter => ({
  id: '0199d3a5-0000-7000-8000-000000000001',
  kind: 'approval_needed',
  request_id: '0199d3a5-0000-7000-8000-000000000002',
  created_at: instant(Date.parse('2026-03-02T09:00:00Z')),
  team: 'demo',
  notice: {
    subject: 'Approval needed',
    lines: ['Ellis Kim asks for opa-demo-linux.'],
    card: null,
    link: null,
    chat: false,
    step: null,
    ...notice,
  },
});

/** The text in every place that a notice has. */
export const everywhere = (text: string): Letter =>
  letterOf({
    subject: text,
    lines: [text, text],
    card: {
      request_id: '0199d3a5-0000-7000-8000-000000000002',
      etag: '3',
      title: text,
      rows: Array.from({ length: 60 }, () => ({ label: text, lines: Array(40).fill(text) })),
    },
    link: `https://postern.example/d/${text}`,
    chat: true,
    step: 0,
  });
