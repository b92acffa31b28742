import { EXIT, printable } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { accessRequest, at, card, decided, detail, id, session } from '../fake/things.ts';

const { service, admin, sft } = script();

const DANA = { id: id(11), name: 'Dana Reyes' };
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u202eno\u0000 <b>x</b> <!channel> *all*';

/** The request and its card, and whatever is decided about it. */
const there = (shown = card(), request = accessRequest()) =>
  service()
    .on('getAccessRequest', () => ({ body: detail(request) }))
    .on('getAccessRequestCard', () => ({ body: shown }))
    .on('decideAccessRequest', ({ body }) => ({ body: decided(body.decision) }));

describe('deciding in a terminal', () => {
  test('approve: shows the card, asks, and decides on what was shown', async () => {
    there(card({ etag: '9' }));
    const { exit, out, err, world } = await admin(`approve ${id(50)}`, { answers: [true] });
    expect(exit).toBe(0);
    expect(err).toBe(
      [
        'Ana asks for pamadmin1 on opa-demo-linux',
        '',
        'Who asks             Ana (ana)',
        '                     through Server access approval, version 2',
        'Why do you need it?  rotate the logs',
        '',
        '                     all of them',
        'Still needed         Dana Reyes or 2 people in linux-approvers',
        '',
        '',
      ].join('\n'),
    );
    expect(world.asked).toEqual(['Approve this?']);
    expect(service().last('decideAccessRequest').headers['if-match']).toBe('"9"');
    expect(out).toBe(
      `Approved: Ana as pamadmin1 on opa-demo-linux.\nRequest ${id(50)} is approved.\n`,
    );
  });

  test.each([
    ['approve', `approve ${id(50)}`],
    ['deny', `deny ${id(50)} --reason no`],
  ])('%s, and the answer is no: 77, nothing is decided', async (_, words) => {
    there();
    const { exit, err, out } = await admin(words, { answers: [false] });
    expect([exit, out]).toEqual([EXIT.refused, '']);
    expect(err).toMatch(/sft-admin: Nothing is decided\.\nThe request stays as it is; see .*\n$/);
    expect(service().asked).not.toContain('decideAccessRequest');
  });

  test('deny: the same card, its own question', async () => {
    there();
    const { exit, err, world } = await admin(`deny ${id(50)} --reason no`, { answers: [true] });
    expect(exit).toBe(0);
    expect(err).toContain('Why do you need it?  rotate the logs\n');
    expect(world.asked).toEqual(['Deny this?']);
    expect(service().last('decideAccessRequest').body).toMatchObject({ comment: 'no' });
  });

  test.each([
    ['approve', `approve ${id(50)}`],
    ['deny', `deny ${id(50)} --reason no`],
  ])('%s what is decided already: 77 before anything is shown or asked', async (_, words) => {
    there(card(), accessRequest({ state: 'approved' }));
    const { exit, err, world } = await admin(words, { answers: [true] });
    expect([exit, world.asked]).toEqual([EXIT.refused, []]);
    expect(err).toBe(
      [
        `sft-admin: Request ${id(50)} is approved; there is nothing to decide any more.`,
        `See it: sft-admin requests show ${id(50)}`,
        '',
      ].join('\n'),
    );
    expect(service().asked).toEqual(['getAccessRequest']);
  });

  test('deny without a reason: 64 before anything is shown', async () => {
    const { exit } = await admin(`deny ${id(50)}`, { isTerminal: true });
    expect(exit).toBe(EXIT.usage);
    expect(service().asked).toEqual([]);
  });

  test('what changed since it was shown: 77, in one line', async () => {
    there().on('decideAccessRequest', () =>
      problem('precondition_failed', 'The request has changed since you read it.', {
        next: 'Read it again and decide on what is there now.',
      }),
    );
    const { exit, err } = await admin(`approve ${id(50)}`, { answers: [true] });
    expect(exit).toBe(EXIT.refused);
    expect(err.trimEnd().split('\n').slice(-2)).toEqual([
      'sft-admin: The request has changed since you read it.',
      'Read it again and decide on what is there now.',
    ]);
  });

  test.each(['--yes', '-o json'])('%s: no card, no question', async (flag) => {
    there();
    const { exit, err } = await admin(`approve ${id(50)} ${flag}`, { isTerminal: true });
    expect([exit, err]).toEqual([0, '']);
    expect(service().asked).toEqual(['getAccessRequest', 'decideAccessRequest']);
    expect(service().last('decideAccessRequest').headers['if-match']).toBe('"3"');
  });

  test('without a terminal: no card, no question', async () => {
    there();
    const { exit, err } = await admin(`approve ${id(50)}`);
    expect([exit, err]).toEqual([0, '']);
    expect(service().asked).not.toContain('getAccessRequestCard');
  });

  test('the card is not his to see: told so, and nothing is decided', async () => {
    there().on('getAccessRequestCard', () => problem('not_found', 'There is no such request.'));
    const { exit } = await admin(`approve ${id(50)}`, { isTerminal: true });
    expect(exit).toBe(EXIT.refused);
    expect(service().asked).not.toContain('decideAccessRequest');
  });
});

const kept = () =>
  detail(
    accessRequest({
      ...decided('approve'),
      state: 'ended',
      end_reason: 'dropped',
      answers: { justification: 'rotate the logs' },
      decisions: [
        {
          id: id(52),
          step: 0,
          decision: 'approve',
          by: { id: id(15), name: 'Ana Ito' },
          for: DANA,
          comment: 'go\nahead',
          decided_at: at(1),
          voided_at: null,
        },
        {
          id: id(53),
          step: 0,
          decision: 'approve',
          by: { id: id(16), name: 'Bo Lind' },
          for: null,
          comment: null,
          decided_at: at(1),
          voided_at: at(2),
        },
      ],
      comments: [{ id: id(54), by: DANA, text: 'why\nnow?', created_at: at(0) }],
      approval: { id: id(51), approved_at: at(1), revoked_at: null, ended_at: at(5) },
    }),
    {
      history: [
        { at: at(0), event: 'raised', from: 'new', to: 'pending', step: null, by: DANA },
        { at: at(1), event: 'step_met', from: 'pending', to: 'pending', step: 0, by: DANA },
        { at: at(1), event: 'escalated', from: 'pending', to: 'pending', step: 0, by: null },
        { at: at(1), event: 'approved', from: 'pending', to: 'approved', step: null, by: DANA },
      ],
      sessions: [
        session({ state: 'cut', end_reason: 'dropped', ended_at: at(5) }),
        session({ id: id(61), state: 'live', recorded: false }),
      ],
    },
  );

/** A line of local time reads differently in another zone. */
const timeless = (text: string) => text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME');

const RECORD = [
  'approved by Ana Ito for Dana Reyes, TIME: go ahead',
  'approved by Bo Lind, TIME (void since TIME)',
  'Dana Reyes: why now?',
  'TIME  raised by Dana Reyes',
  'TIME  step Server manager met by Dana Reyes',
  'TIME  step Server manager escalated by the service',
  'TIME  approved by Dana Reyes',
  'from TIME, at most until TIME',
  'ended TIME',
  `${id(60)}  pamadmin1  TIME to TIME  cut (dropped)  recorded`,
  `${id(61)}  pamadmin1  TIME to now  live  not recorded`,
];

describe('showing a request', () => {
  test('sft-admin: the card, then everything on record', async () => {
    there(card(), kept()).on('getAccessRequest', () => ({ body: kept() }));
    const { exit, out } = await admin(`requests show ${id(50)}`);
    expect(exit).toBe(0);
    expect(out).toMatch(/^Ana asks for pamadmin1 on opa-demo-linux\n\nWho asks +Ana \(ana\)\n/);
    const [, record = ''] = out.split('What is on record (local time):\n');
    expect(record).toMatch(new RegExp(`^Request +${id(50)}\n`));
    for (const line of RECORD) expect(timeless(record)).toContain(`${line}\n`);
  });

  test('sft: everything on record, without the card', async () => {
    service().on('getAccessRequest', () => ({ body: kept() }));
    const { exit, out } = await sft(`request show ${id(50)}`);
    expect(exit).toBe(0);
    expect(out).toMatch(/^State: +ended \(dropped\)$/m);
    for (const line of RECORD) expect(timeless(out)).toContain(`${line}\n`);
    expect(service().asked).toEqual(['getAccessRequest']);
  });

  test('sft: a pending one says who can approve it', async () => {
    service().on('getAccessRequest', () => ({ body: detail(accessRequest()) }));
    const { out } = await sft(`request show ${id(50)}`);
    expect(out).toContain('Can be approved by:  Dana Reyes or 2 people in linux-approvers\n');
    expect(out).not.toMatch(/^(Decisions|Sessions|Approval)/m);
  });

  test.each([
    ['sft', 'request show'],
    ['sft-admin', 'requests show'],
  ])('%s -o json: the request as it is kept', async (program, words) => {
    service().on('getAccessRequest', () => ({ body: kept() }));
    const run = program === 'sft' ? sft : admin;
    const { out } = await run(`${words} ${id(50)} -o json`);
    expect(JSON.parse(out)).toEqual(kept());
    expect(service().asked).toEqual(['getAccessRequest']);
  });
});

describe('hostile text', () => {
  const named = { id: id(11), name: HOSTILE };
  const hostile = () =>
    detail(
      {
        ...kept(),
        requester: named,
        answers: { justification: HOSTILE },
        decisions: kept().decisions.map((d) => ({ ...d, by: named, for: named, comment: HOSTILE })),
        comments: kept().comments.map((c) => ({ ...c, by: named, text: HOSTILE })),
        steps: kept().steps.map((s) => ({ ...s, name: HOSTILE })),
        end_reason: HOSTILE,
      } as never,
      {
        history: kept().history.map((h) => ({ ...h, by: named })),
        sessions: kept().sessions.map((s) => ({ ...s, identity: HOSTILE })),
      },
    );
  const shown = () =>
    card({
      title: HOSTILE,
      rows: [
        { label: HOSTILE, lines: [HOSTILE, `${HOSTILE}\nApproved by Dana`] },
        { label: 'Who asks', lines: [HOSTILE] },
      ],
    });

  test.each([
    ['sft', `request show ${id(50)}`, false],
    ['sft-admin', `requests show ${id(50)}`, false],
    ['sft-admin', `approve ${id(50)}`, true],
    ['sft-admin', `deny ${id(50)} --reason x`, true],
    ['sft', `request show ${id(50)} -o json`, false],
  ])('%s %s: inert, and markup is text', async (program, words, isAsked) => {
    // What is asked about has to be open still.
    const body = isAsked ? { ...hostile(), state: 'pending' as const } : hostile();
    there(shown()).on('getAccessRequest', () => ({ body }));
    const run = program === 'sft' ? sft : admin;
    const { exit, out, err } = await run(words, isAsked ? { answers: [true] } : {});
    expect(exit).toBe(0);
    for (const line of `${out}${err}`.split('\n')) expect(line).toBe(printable(line));
    expect(out + err).toContain('<b>x</b> <!channel> *all*');
    expect(`${out}${err}`).not.toMatch(/^Approved by Dana/m);
  });
});

describe('a decision that needs MFA', () => {
  /** Refused until the code was given. */
  const needs = (acr_values: 'any' | 'phr' = 'any') => {
    let given = false;
    there()
      .on('decideAccessRequest', ({ body }) =>
        given
          ? { body: decided(body.decision) }
          : problem('mfa_required', 'A decision on this needs MFA within 15 min.', { acr_values }),
      )
      .on('createMfaApproval', () => ({
        status: 201,
        body: {
          mfa_id: id(70),
          redirect_url: null,
          polling_url: '/v1',
          expires_at: at(5),
          takes_code: true,
        },
      }))
      .on('answerMfaApproval', () => {
        given = true;
        return { body: { state: 'approved', tries_left: 0 } };
      });
  };

  test('asks for it in the terminal, for this request, and then decides on what was shown', async () => {
    needs();
    const { exit, out, world } = await admin(`approve ${id(50)}`, { answers: [true, '123456'] });
    expect(exit).toBe(0);
    expect(world.asked).toEqual(['Approve this?', 'One-time code:']);
    expect(out).toContain('is approved.');
    expect(service().last('createMfaApproval').body).toEqual({ acr: 'any', request_id: id(50) });
    expect(service().last('decideAccessRequest').headers['if-match']).toBe('"3"');
  });

  test('without a terminal: 77 with the command to run, and nothing is decided', async () => {
    needs('phr');
    const { exit, err } = await admin(`deny ${id(50)} --reason no`);
    expect(exit).toBe(EXIT.refused);
    expect(err).toBe(
      'sft-admin: This decision needs MFA within 15 min, and there is no terminal to ask for it.\n' +
        `Run it in a terminal: sft-admin deny ${id(50)}\n`,
    );
    expect(service().asked).not.toContain('createMfaApproval');
  });
});
