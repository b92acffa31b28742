import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseForm, readForm } from '../../src/links/form.ts';
import { decisionPage, INVALID_PAGE, resultPage } from '../../src/links/page.ts';
import { closedBecause, type Link } from '../../src/links/standing.ts';
import { Html, html, lines } from '../../src/platform/html.ts';
import { messagePage, PAGE_HEADERS } from '../../src/platform/page.ts';

const EVIL = `"'></textarea></style><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\u202e\u0000\u001b[2J`;

const card = (text: string) => ({
  request_id: text,
  etag: text,
  title: text,
  rows: [
    { label: text, lines: [text, text] },
    { label: 'Why', lines: [] },
  ],
});
const shown = (text: string) =>
  decisionPage({
    card: card(text),
    step: 0,
    approver: { name: text, login: text },
    browser: { csrf: text, name: text, is_approver: false },
    refused: [text],
    filled: { decision: 'deny', comment: text, access_token: 'pst_secret', etag: text },
  });
const result = (state: string, text = 'x', still_needed: unknown[] = []) =>
  resultPage({
    id: text,
    state,
    requester: { id: '1', name: text },
    target: { type: 'server_access', identity: text, server: { name: text } },
    steps: [{ index: 0, name: text, state: 'current', still_needed, expires_at: null }],
  } as never);

/** The page without what stands between tags and in attribute values. */
const skeleton = (page: string): string =>
  page
    .replace(/"[^"<>]*"/g, '""')
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/>[^<>]+/g, '>');

describe('texts on the page', () => {
  it('whatever a text is, the markup is the same, and no control character is left', () => {
    const texts = fc.oneof(
      fc.constant(EVIL),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.stringMatching(/^[<>"'&;/a-z !=-]+$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const pages = (t: string) => [
          shown(t),
          messagePage(t, [t]),
          result('approved', t),
          result('pending', t, [{ any: 1, of: [t] }]),
          result(t, t),
        ];
        const plain = pages('plain');
        for (const [i, page] of pages(text).entries()) {
          expect(skeleton(page)).toBe(skeleton(plain[i]!));
          expect(page).not.toMatch(
            /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
          );
        }
      }),
      { seed: 20260302, numRuns: 300 },
    );
  });

  it('are shown as they were written', () => {
    expect(html`<b title="${'"&<>\''}">${'a<b'}${1}${null}</b>`.toString()).toBe(
      '<b title="&quot;&amp;&lt;&gt;&#39;">a&lt;b1</b>',
    );
    expect(lines('a\r\nb<').toString()).toBe('a\nb&lt;');
  });

  it('nothing that came as data is taken for HTML', () => {
    const data = JSON.parse('{"html":"<b>","text":"<b>"}');
    expect(() => html`${data}`).toThrow();
    expect(() => new Html('<b>', Symbol('html'))).toThrow();
  });
});

describe('the page', () => {
  it('has the one style that its policy allows', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(INVALID_PAGE)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(PAGE_HEADERS['content-security-policy']).toContain(`style-src 'sha256-${hash}'`);
    expect(INVALID_PAGE).not.toContain('style=');
  });

  it('names its language, fits a small screen, and follows light and dark', () => {
    expect(INVALID_PAGE).toContain('<html lang="en">');
    expect(INVALID_PAGE).toContain('content="width=device-width, initial-scale=1"');
    expect(INVALID_PAGE).toContain('color-scheme:light dark');
  });

  it('has a label for every field, a legend for the choice, and no key that approves', () => {
    const page = shown('plain');
    const ids = [...page.matchAll(/<(?:input|textarea) id="(\w+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(['comment', 'access_token']);
    for (const id of ids) expect(page).toContain(`<label for="${id}">`);
    expect(page).toContain('<legend>Decision</legend>');
    const [decision, login] = page.split('</form>');
    for (const form of [decision, login]) expect(form?.match(/<button/g)).toHaveLength(1);
    expect(login).toContain('<form method="get">');
    expect(page).toContain('<div role="alert">');
  });

  it('takes a token where nobody sees or keeps it, and never gives it back', () => {
    const page = shown('plain');
    expect(page).toMatch(/name="access_token" type="password" required [^>]*autocomplete="off"/);
    expect(page).not.toContain('pst_secret');
    expect(page).not.toContain('action=');
  });

  it('says what has become of the decision', () => {
    expect(result('approved')).toContain('<h1>Approved</h1>');
    expect(result('active')).toContain('is in now');
    expect(result('denied')).toContain('<h1>Denied</h1>');
    expect(result('pending', 'Ana', [{ any: 1, of: ['bo'] }])).toContain('Ana: bo.');
    expect(result('pending')).toContain('nobody is left who could');
    expect(result('canceled')).toContain('The request is canceled now.');
  });
});

describe('the form', () => {
  const fields = { decision: 'approve', access_token: ' t ', etag: '12', step: '0' } as const;

  it('is read as a browser writes it', () => {
    expect(
      parseForm('decision=deny&comment=a+%26%0D%0Ab%C3%A9&access_token=&etag=1&step=0'),
    ).toEqual({ decision: 'deny', comment: 'a &\r\nbé', access_token: '', etag: '1', step: '0' });
    expect(parseForm('')).toEqual({});
    expect(parseForm('comment==')).toEqual({ comment: '=' });
  });

  it('refuses what no browser writes', () => {
    const wrong = [
      'a=1',
      'step',
      '=1',
      '&',
      'step=1&',
      'step=1&step=1',
      'step=%',
      'step=%c3',
      'Step=1',
    ];
    for (const text of [...wrong, 'toString=1', '__proto__=1', 'step%20=1', 'st%65p=1'])
      expect([text, parseForm(text)]).toEqual([text, undefined]);
  });

  it('whatever is sent: read as it was written, or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const sent = new URLSearchParams({ comment: text }).toString();
        expect(parseForm(sent)).toEqual({ comment: new URLSearchParams(sent).get('comment') });
        parseForm(text);
      }),
      { seed: 20260303, numRuns: 500 },
    );
  });

  it('a decision, and a comment where it says no', () => {
    expect(readForm(fields)).toEqual({
      decision: 'approve',
      comment: null,
      access_token: 't',
      etag: '12',
      step: 0,
    });
    expect(readForm({ ...fields, decision: 'deny', comment: ' a\r\nb ' })).toMatchObject({
      comment: 'a\nb',
    });
    expect(readForm({ ...fields, decision: 'deny', comment: '\r\n' })).toMatch('why you deny');
    expect(readForm({ ...fields, comment: '😀'.repeat(2000) })).toMatchObject({
      decision: 'approve',
    });
    expect(readForm({ ...fields, comment: 'a'.repeat(2001) })).toMatch('too long');
    for (const decision of ['', 'Approve', 'approve ', 'true'])
      expect(readForm({ ...fields, decision })).toMatch('Choose');
    for (const bad of [
      { etag: '' },
      { etag: '-1' },
      { etag: '"1"' },
      { step: '' },
      { step: '1.0' },
    ])
      expect(readForm({ ...fields, ...bad })).toMatch('what was shown');
  });
});

describe('a link', () => {
  const link = {
    user_status: 'ACTIVE',
    request_state: 'pending',
    step: 0,
    current_step: 0,
  } as Link;

  it('closed: the person is not active, the request is resolved, the step is over', () => {
    expect(closedBecause(link)).toBeUndefined();
    for (const user_status of ['DISABLED', 'DELETED', ''])
      expect(closedBecause({ ...link, user_status })).toMatch('not active');
    for (const request_state of ['approved', 'active', 'denied', 'canceled', 'expired', ''])
      expect(closedBecause({ ...link, request_state })).toMatch('nothing to decide any more');
    for (const current_step of [1, -1])
      expect(closedBecause({ ...link, current_step })).toMatch('step');
  });
});
