import { instant, plus, printable, seconds } from '@postern/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Card, ServerTarget } from '../../src/requests/card.ts';
import {
  type Background,
  type CardFacts,
  composeCard,
  type EarlierRequest,
  type VoteFact,
} from '../../src/requests/card-view.ts';
import type { Field } from '../../src/requests/model.ts';

const NOW = instant(Date.UTC(2026, 2, 2, 9));
const ago = (minutes: number) => plus(NOW, seconds(-60 * minutes));
const later = (minutes: number) => plus(NOW, seconds(60 * minutes));
const ID = '01990000-0000-7000-8000-000000000050';

const text = (key: string, prompt: string): Field => ({
  key,
  prompt,
  required: true,
  type: 'text',
  max_length: 2000,
});

const target = (more: Partial<ServerTarget> = {}): ServerTarget => ({
  type: 'server_access',
  server: {
    id: ID,
    name: 'opa-demo-linux',
    os_type: 'linux',
    project_name: 'demo',
    labels: { tier: 'high', env: 'demo' },
    identity_revision: 1,
  },
  identity: 'pamadmin1',
  access_credential: { type: 'vaulted_account', account_id: ID },
  privilege: 'vaulted_account_ssh',
  channels: ['exec', 'sftp', 'shell'],
  periods: { one: 1800, two: 5400 },
  ...more,
});

const card = (more: Partial<Card> = {}): Card => ({
  requester: { id: ID, name: 'Ellis Kim', login: 'ellis' },
  request_type: { id: ID, name: 'Server access approval', version: 2, digest: 'd' },
  target: target(),
  answers: { justification: 'rotate the logs' },
  ...more,
});

const vote = (more: Partial<VoteFact> = {}): VoteFact => ({
  decision: 'approve',
  by: 'Dana Reyes',
  for: null,
  at: ago(10),
  step: 'Server manager',
  comment: null,
  void: false,
  ...more,
});

const earlier = (more: Partial<EarlierRequest> = {}): EarlierRequest => ({
  raised_at: ago(120),
  identity: 'pamadmin1',
  state: 'ended',
  end_reason: 'expired',
  votes: [vote()],
  ...more,
});

const background = (more: Partial<Background> = {}): Background => ({
  sessions: [],
  groups: [],
  earlier: [],
  denial: null,
  ...more,
});

const facts = (more: Partial<CardFacts> = {}): CardFacts => ({
  request_id: ID,
  etag: '3',
  state: 'pending',
  end_reason: null,
  ends_at: null,
  card: card(),
  fields: [text('justification', 'Why do you need it?')],
  credential: 'password',
  running_until: null,
  votes: [],
  steps: [{ name: 'Server manager', needed: [{ any: 1, of: ['Dana Reyes'] }] }],
  waits: { until: later(24 * 60), next: 'expire' },
  background: background(),
  now: NOW,
  ...more,
});

const row = (given: Partial<CardFacts>, label: string) =>
  composeCard(facts(given)).rows.find((r) => r.label === label)?.lines;

describe('the card of a pending request', () => {
  it('says who, why, where, which account, what, how long, what else, who and until when', () => {
    expect(composeCard(facts())).toEqual({
      request_id: ID,
      etag: '3',
      title: 'Ellis Kim asks for pamadmin1 on opa-demo-linux',
      rows: [
        {
          label: 'Who asks',
          lines: ['Ellis Kim (ellis)', 'through Server access approval, version 2'],
        },
        { label: 'Why do you need it?', lines: ['rotate the logs'] },
        {
          label: 'Server',
          lines: ['opa-demo-linux (linux), project demo', 'labels env=demo, tier=high'],
        },
        { label: 'Account', lines: ['pamadmin1, a vaulted account with its password'] },
        { label: 'May do', lines: ['work in a shell', 'run commands', 'copy files (sftp)'] },
        {
          label: 'How long',
          lines: ['at most 1 hour 30 minutes, from the moment of the last approval'],
        },
        { label: 'Sessions there now', lines: ['none'] },
        { label: 'Asked before', lines: ['never, for this server'] },
        { label: 'Still needed', lines: ['Dana Reyes'] },
        { label: 'Waits until', lines: ['2026-03-03 09:00 UTC (in 24 hours); then it expires'] },
      ],
    });
  });

  it('every answer under its prompt, in words where the field has them', () => {
    const fields: Field[] = [
      text('why', 'Why?'),
      {
        key: 'os',
        prompt: 'Which?',
        required: true,
        type: 'choice',
        options: [{ value: 'lin', label: 'Linux administrators' }],
      },
      {
        key: 'until',
        prompt: 'Until?',
        required: true,
        type: 'date',
        zone: 'Europe/Berlin',
        max_ahead: null,
      },
      {
        key: 'for',
        prompt: 'For?',
        required: true,
        type: 'duration',
        min: seconds(60),
        max: seconds(86_400),
      },
      text('ticket', 'Ticket?'),
    ];
    const answers = { why: 'a\n\n\nb ', os: 'lin', until: '2026-03-31', for: '90m', other: 'x' };
    const { rows } = composeCard(facts({ fields, card: card({ answers }) }));
    expect(rows.slice(1, 7)).toEqual([
      { label: 'Why?', lines: ['a', '', 'b'] },
      { label: 'Which?', lines: ['Linux administrators'] },
      { label: 'Until?', lines: ['2026-03-31, until the end of that day (Europe/Berlin)'] },
      { label: 'For?', lines: ['1 hour 30 minutes'] },
      { label: 'Ticket?', lines: ['(not answered)'] },
      { label: 'other', lines: ['x'] },
    ]);
  });

  it('a key that every object has is no answer', () => {
    const fields = [text('constructor', 'Why?')];
    expect(row({ fields, card: card({ answers: {} }) }, 'Why?')).toEqual(['(not answered)']);
  });

  it('channels in words, in one order; one that has none is still named', () => {
    const channels = ['remote_forward', 'new_channel', 'local_forward'];
    expect(row({ card: card({ target: target({ channels }) }) }, 'May do')).toEqual([
      'reach other addresses through the server (local forwards, -L)',
      'let the server reach back (remote forwards, -R)',
      'new_channel',
    ]);
  });

  it.each([
    [{ type: 'principal_account' }, "ellis, the requester's own account"],
    [
      { type: 'principal_account', admin_level_permissions: true },
      "ellis, the requester's own account, with administrator rights",
    ],
  ] as const)('account %j', (access_credential, line) => {
    const own = target({ identity: 'ellis', access_credential });
    expect(row({ credential: null, card: card({ target: own }) }, 'Account')).toEqual([line]);
  });

  it.each([
    ['private_key', 'pamadmin1, a vaulted account with its private key'],
    ['certificate', 'pamadmin1, a vaulted account with an SSH certificate'],
    [null, 'pamadmin1, a vaulted account'],
  ] as const)('credential %s', (credential, line) => {
    expect(row({ credential }, 'Account')).toEqual([line]);
  });

  it('extension: until when access runs without it', () => {
    const running = { running_until: later(12) };
    expect(composeCard(facts(running)).title).toBe(
      'Ellis Kim asks to keep pamadmin1 on opa-demo-linux',
    );
    expect(row(running, 'How long')?.[1]).toBe(
      'an extension: without it, access ends 2026-03-02 09:12 UTC (in 12 minutes)',
    );
  });

  it('votes so far, with whom somebody stood in for; a void one says so', () => {
    const votes = [
      vote({ by: 'Ana Ito', for: 'Dana Reyes', comment: 'fine' }),
      vote({ by: 'Bo Lind', void: true }),
    ];
    expect(row({ votes }, 'Decided so far')).toEqual([
      'approved by Ana Ito for Dana Reyes, step Server manager, 2026-03-02 08:50 UTC (10 minutes ago): fine',
      'approved by Bo Lind (void, does not count), step Server manager, 2026-03-02 08:50 UTC (10 minutes ago)',
    ]);
  });

  it('who else must agree, this step and those after it', () => {
    const steps = [
      { name: 'Manager', needed: [{ any: 1, of: ['Dana Reyes'] }] },
      { name: 'Security', needed: [{ any: 2, of: ['group:security'] }] },
      { name: 'Owner', needed: [{ any: 1, of: [] }] },
    ];
    expect(row({ steps }, 'Still needed')).toEqual([
      'Manager: Dana Reyes',
      'then Security: 2 people in security',
      'then Owner: nobody is left who could',
    ]);
  });

  it.each([
    ['deny', 'then it is denied'],
    [
      { escalate_to: [{ kind: 'group', id: 'g', name: 'security' }, { kind: 'manager' }] },
      'then it asks security and the manager as well',
    ],
    [
      { escalate_to: [{ kind: 'resource_owner' }] },
      'then it asks the owners of the server as well',
    ],
  ] as const)('the end of the wait: %j', (next, words) => {
    expect(row({ waits: { until: later(1), next } }, 'Waits until')).toEqual([
      `2026-03-02 09:01 UTC (in 1 minute); ${words}`,
    ]);
  });
});

describe('what is behind a request', () => {
  it('is not on the card of whoever may not know it', () => {
    const { rows } = composeCard(facts({ background: null }));
    expect(rows.map((r) => r.label)).toEqual([
      'Who asks',
      'Why do you need it?',
      'Server',
      'Account',
      'May do',
      'How long',
      'Still needed',
      'Waits until',
    ]);
  });

  it('sessions there now: who, which account, since when', () => {
    const one = { user: 'Bo Lind', identity: 'root', since: ago(90) };
    const label = 'Sessions there now';
    expect(row({ background: background({ sessions: [one] }) }, label)).toEqual([
      'Bo Lind as root, since 2026-03-02 07:30 UTC (90 minutes ago)',
    ]);
    const many = background({ sessions: Array.from({ length: 12 }, () => one) });
    expect(row({ background: many }, label)).toHaveLength(11);
    expect(row({ background: many }, label)?.at(-1)).toBe('and 2 more');
  });

  it.each<[string, Partial<EarlierRequest>, string]>([
    ['running', { state: 'approved', end_reason: null }, 'approved by Dana Reyes'],
    ['over', {}, 'approved by Dana Reyes, then ended (expired)'],
    [
      'revoked',
      { state: 'revoked', end_reason: 'revoked' },
      'approved by Dana Reyes, then revoked',
    ],
    [
      'by two',
      { votes: [vote(), vote({ by: 'Ana Ito', for: 'Bo Lind' }), vote({ by: 'X', void: true })] },
      'approved by Dana Reyes and Ana Ito for Bo Lind, then ended (expired)',
    ],
    [
      'denied',
      {
        state: 'denied',
        end_reason: null,
        votes: [vote({ decision: 'deny', comment: 'not\nnow' })],
      },
      'denied by Dana Reyes: not now',
    ],
    ['denied by time', { state: 'denied', votes: [] }, 'denied: nobody decided in time'],
    ['withdrawn', { state: 'canceled', end_reason: 'canceled', votes: [] }, 'withdrawn'],
    [
      'canceled for him',
      { state: 'canceled', end_reason: 'server_changed', votes: [] },
      'canceled (server_changed)',
    ],
    ['expired', { state: 'expired', votes: [] }, 'expired: nobody decided in time'],
    ['pending', { state: 'pending', votes: [] }, 'pending'],
    ['half way', { state: 'pending' }, 'pending, approved by Dana Reyes so far'],
  ])('an earlier request that is %s', (_, given, outcome) => {
    expect(row({ background: background({ earlier: [earlier(given)] }) }, 'Asked before')).toEqual([
      `pamadmin1, 2026-03-02 07:00 UTC (2 hours ago): ${outcome}`,
    ]);
  });

  it('a recent denial of the same access stands first, plainly', () => {
    const votes = [vote(), vote({ decision: 'deny', by: 'Bo Lind', comment: 'not today' })];
    const denied = background({ denial: { at: ago(20), votes } });
    expect(composeCard(facts({ background: denied })).rows[0]).toEqual({
      label: 'Denied before',
      lines: ['this very access, 2026-03-02 08:40 UTC (20 minutes ago), by Bo Lind: not today'],
    });
    const silent = background({ denial: { at: ago(20), votes: [] } });
    expect(row({ background: silent }, 'Denied before')?.[0]).toContain('nobody decided in time');
  });
});

describe('the card of a request that is decided', () => {
  const done = { steps: [], waits: null };

  it('says so first, and asks nobody any more', () => {
    const approved = composeCard(facts({ ...done, state: 'approved', ends_at: later(30) }));
    expect(approved.rows[0]).toEqual({
      label: 'State',
      lines: [
        'approved until 2026-03-02 09:30 UTC (in 30 minutes): there is nothing to decide any more',
      ],
    });
    expect(approved.rows.map((r) => r.label)).not.toContain('Still needed');
  });

  it.each([
    ['ended', 'dropped', 'ended (dropped)'],
    ['expired', 'expired', 'expired'],
    ['denied', null, 'denied'],
  ] as const)('%s, %s', (state, end_reason, words) => {
    expect(row({ ...done, state, end_reason, ends_at: ago(1) }, 'State')).toEqual([
      `${words}: there is nothing to decide any more`,
    ]);
  });
});

describe('hostile text', () => {
  const HOSTILE = '\u001b[2Jx\u202e\u0007\u0000 <script>alert(1)</script> <!channel> *b* _i_ `c`';

  it('is on the card as one line of text without a control or bidi character', () => {
    const names = { name: HOSTILE, login: HOSTILE };
    const given = facts({
      card: card({
        requester: { id: ID, ...names },
        answers: { justification: `${HOSTILE}\r\nServer: safe\u2028${HOSTILE}` },
        target: target({ identity: HOSTILE, channels: [HOSTILE] }),
      }),
      fields: [text('justification', `${HOSTILE}\nWho asks`)],
      votes: [vote({ by: HOSTILE, for: HOSTILE, comment: `x\n${HOSTILE}` })],
      background: background({
        sessions: [{ user: HOSTILE, identity: `a\n${HOSTILE}`, since: NOW }],
        earlier: [earlier({ identity: HOSTILE, end_reason: HOSTILE })],
        denial: { at: NOW, votes: [vote({ decision: 'deny', comment: `\n${HOSTILE}` })] },
      }),
    });
    const { title, rows } = composeCard(given);
    const all = [title, ...rows.flatMap((r) => [r.label, ...r.lines])];
    for (const line of all) expect(line).toBe(printable(line));
    // Markup stays what it is: escaping it belongs to whoever writes mail, chat or page.
    expect(title).toContain('<script>alert(1)</script> <!channel> *b* _i_ `c`');
  });

  it('whatever it is: every text printable, no answer becomes a row of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const given = facts({
          card: card({ answers: { justification: a, [b]: b } }),
          votes: [vote({ by: a, comment: b })],
        });
        const { rows } = composeCard(given);
        for (const r of rows)
          for (const line of [r.label, ...r.lines]) expect(line).toBe(printable(line));
        const others = b === 'justification' ? 0 : 1;
        expect(rows).toHaveLength(11 + others);
      }),
      { seed: 11, numRuns: 100 },
    );
  });
});
