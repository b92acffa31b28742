import { basename } from 'node:path';
import type { Answer } from '@postern/shared';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../scripts/describe-with.ts';
import { newEngineer } from './world/engineer.ts';
import { ask, decide, grant, HOST } from './world/grant.ts';
import { type Person, personAt } from './world/people.ts';
import { type Reply, restOf } from './world/rest.ts';
import { type Rewriter, rewriterOf } from './world/rewrite.ts';
import { Screen, Terminal } from './world/terminal.ts';
import { openWorld, type World } from './world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin1'];
/** Clears the screen, sets the title, moves, rings, reorders, hides. */
const HOSTILE = 'x\u001b[2J\u001b]0;OWNED\u0007\u009b31mred\r\u202egnp.exe\u200bfin';

const MARK = 'HOSTILE-TEXT-HERE';

let world: World;
let ready: Person;
/** Says hostile text wherever somebody wrote the mark. */
let liar: Rewriter;
let terminal: Terminal | undefined;
let screen: Screen | undefined;

beforeAll(async () => {
  world = await openWorld();
  liar = await rewriterOf(Number(new URL(world.service.url).port), MARK, HOSTILE);
  ready = await newEngineer(world, 'ready');
  await grant(world.service, ready, world.people.dana, 'pamadmin1');
}, 300_000);
afterEach(async () => {
  terminal?.kill();
  await screen?.close();
  screen = undefined;
});
afterAll(async () => {
  await liar?.close();
  await world?.end();
}, 60_000);

function typeAt(person: Person, file: 'sft' | 'sft-admin', ...args: string[]): Terminal {
  terminal = new Terminal(person, file, args);
  return terminal;
}

/** Programs of ours send no escape sequence to a terminal but what draws a question or a spinner. */
const ESCAPE = String.fromCharCode(27);

describeWith(['tmux'], 'what a person sees', () => {
  it('the transcript of the two visits, to the letter', async () => {
    const person = await newEngineer(world, 'typist');
    screen = await Screen.open(person, `sft ssh ${HOST}`);
    await screen.see('? Access method:');
    await screen.type('1', 'Enter');
    await screen.see('? Why do you need it:');
    await screen.type('-l', 'rotate the logs');
    await screen.type('Enter');
    const first = await screen.see('(exit 75)');
    const id = /Request ([0-9a-f-]{36})/.exec(first)?.[1] ?? '';
    expect(first).toBe(
      [
        '  1  pamadmin1  vaulted account  approval required: Server access approval, then 30 min',
        '  2  pamadmin2  vaulted account  approval required: Server access approval, then 30 min',
        '? Access method: 1',
        '? Why do you need it: rotate the logs',
        `Request ${id} raised. It can be approved by Dana Reyes or 2 people in linux-approvers.`,
        'Run the same command again when it is approved, or add --wait.',
        '(exit 75)',
      ].join('\n'),
    );
    await screen.close();

    await decide(world.service, world.people.dana, id);
    screen = await Screen.open(person, `sft ssh ${HOST}`);
    await screen.see('? Access method:');
    await screen.type('1', 'Enter');
    const second = await screen.see(world.sshd ? '$' : 'pamadmin1@opa-demo-linux');
    const lines = second.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      '  1  pamadmin1  vaulted account  approved by Dana Reyes, 29 min left',
      '  2  pamadmin2  vaulted account  approval required: Server access approval, then 30 min',
      '? Access method: 1',
    ]);
    await screen.type('exit 4', 'Enter');
    await screen.see('(exit 4)');
  }, 120_000);

  it('hostile text of a service neither clears the screen nor sets the title', async () => {
    const person = await newEngineer(world, 'hostile-seen');
    const id = (await raisedWith(person, MARK)).body.id;
    screen = await Screen.open(
      lied(world.people.dana),
      `echo above; sft-admin requests show ${id}`,
    );
    const shown = await screen.see('(exit 0)');
    expect(shown.startsWith('above\n')).toBe(true);
    expect(shown).toContain('x\ufffd[2J\ufffd]0;OWNED');
    expect(await screen.title()).not.toContain('OWNED');
  }, 120_000);
});

/** The same person, at a service that says hostile things. */
const lied = (person: Person): Person =>
  personAt(
    { ...world.service, url: `http://127.0.0.1:${liar.port}` },
    world.directory,
    `lied-${basename(person.home)}`,
    person.token,
  );

/** A pending request whose justification is this text. */
async function raisedWith(person: Person, justification: string): Promise<Reply<{ id: string }>> {
  const rest = restOf(world.service, person.token);
  const resolved = await rest<Answer<'resolve'>>('POST', '/resolve', { body: { names: [HOST] } });
  const method = resolved.body.user_access_methods[0]!;
  const condition = method.conditionals.find((c) => c.type === 'access_request');
  return rest<{ id: string }>('POST', '/access_requests', {
    body: {
      request_type_id: condition?.request_type.id,
      target: {
        type: 'server_access',
        server_id: method.server_id,
        identity: method.identity,
        access_credential: method.access_credential,
      },
      answers: { justification },
    },
  });
}

describe('questions', () => {
  it('a wrong number is said and asked again; Ctrl-C ends with 130 and raises nothing', async () => {
    const person = await newEngineer(world, 'ctrl-c');
    const t = typeAt(person, 'sft', 'ssh', HOST);
    await t.see('Access method:');
    t.type('7\r');
    await t.see('Type a number from 1 to 2.');
    t.type('\u0003');
    expect(await t.exit).toBe(130);
    const mine = await restOf(world.service, person.token)<{ list: unknown[] }>(
      'GET',
      '/access_requests?view=mine',
    );
    expect(mine.body.list).toEqual([]);
  });

  it('--wait says in a spinner who is still needed; Ctrl-C ends with 130 and leaves the request', async () => {
    const person = await newEngineer(world, 'spinner');
    const t = typeAt(person, 'sft', ...SSH, '--reason', 'logs', '--wait');
    await t.see(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Waiting for Dana Reyes or 2 people in linux-approvers/);
    const { id } = await ask(world.service, person, 'pamadmin1');
    await decide(world.service, world.people.ana, id);
    await t.see(
      /Waiting for Dana Reyes or Bo Lind|Waiting for Dana Reyes or anybody|Waiting for Dana Reyes or .*linux-approvers/,
    );
    t.type('\u0003');
    expect(await t.exit).toBe(130);
    expect(t.shown).toContain(`sft request cancel ${id}`);
    const { body } = await restOf(world.service, person.token)<{ state: string }>(
      'GET',
      `/access_requests/${id}`,
    );
    expect(body.state).toBe('pending');
  });

  it('--wait gives way to the session the moment the approval lands', async () => {
    const person = await newEngineer(world, 'spun');
    const t = typeAt(person, 'sft', ...SSH, '--reason', 'logs', '--wait', '--', 'echo inside');
    await t.see('Waiting for Dana Reyes');
    const { id } = await ask(world.service, person, 'pamadmin1');
    await decide(world.service, world.people.dana, id);
    expect(await t.exit).toBe(0);
    expect(t.shown).toMatch(/inside\r?\n$/);
  });

  it('an approver is shown the card and asked; a no decides nothing, a yes what was shown', async () => {
    const person = await newEngineer(world, 'asker');
    const { id } = (await raisedWith(person, 'rotate the logs')).body;
    const no = typeAt(world.people.dana, 'sft-admin', 'approve', id);
    await no.see('Approve this? [y/N]');
    expect(no.shown).toMatch(/Why do you need it\? +rotate the logs\r?\n/);
    expect(no.shown).toMatch(/Still needed +Dana Reyes or 2 people in linux-approvers\r?\n/);
    no.type('\r');
    expect(await no.exit).toBe(77);
    expect(no.shown).toContain('Nothing is decided.');
    const yes = typeAt(world.people.dana, 'sft-admin', 'approve', id);
    await yes.see('Approve this? [y/N]');
    yes.type('y\r');
    expect(await yes.exit).toBe(0);
    expect(yes.shown).toContain(`Request ${id} is approved.`);
  }, 60_000);

  it('what changes between the card and the yes is refused: 77', async () => {
    const person = await newEngineer(world, 'changed');
    const { id } = (await raisedWith(person, 'rotate the logs')).body;
    const t = typeAt(world.people.dana, 'sft-admin', 'approve', id);
    await t.see('Approve this? [y/N]');
    await decide(world.service, world.people.ana, id);
    t.type('y\r');
    expect(await t.exit).toBe(77);
    expect(t.shown).toContain('The request has changed since you read it.');
  }, 60_000);

  it('nothing is asked without a terminal: 64, and what to pass', async () => {
    const { code, stderr } = await ready.sft('ssh', HOST);
    expect(code).toBe(64);
    expect(stderr).toContain('there is no terminal to ask');
    const trust = await world.people.sam.admin('servers', 'trust', HOST);
    expect(trust.code).toBe(64);
    expect(trust.stderr).toContain('--fingerprint');
  });
});

describe('a shell on the server', () => {
  it('has our size and follows it; Ctrl-C reaches what runs there and ends nothing here', async ({
    skip,
  }) => {
    skip(!world.sshd, 'needs sshd and root');
    const t = typeAt(ready, 'sft', ...SSH);
    await t.see('$ ');
    t.type('stty size\r');
    await t.see('30 100');
    t.resize(70, 22);
    // The size and what is typed next travel on different ways.
    const asking = setInterval(() => t.type('stty size\r'), 500);
    await t.see('22 70').finally(() => clearInterval(asking));
    // The job says itself that it began: before that, Ctrl-C would be the shell's.
    t.type(`sh -c 'echo be"gun"; exec sleep 600'\r`);
    await t.see('begun\r\n');
    t.type('\u0003');
    t.type('echo "st"ill\r');
    await t.see('still\r\n');
    t.type('exit 6\r');
    expect(await t.exit).toBe(6);
  }, 60_000);

  it('full-screen output arrives byte for byte, LF without CR included', async ({ skip }) => {
    skip(!world.sshd, 'needs sshd and root');
    const draw = "stty -opost; printf '<'; printf 'a\\033[5;10Hb\\nc\\r\\n\\033[2J\\0337\\0338d>'";
    const t = typeAt(ready, 'sft', ...SSH, '--', draw);
    expect(await t.exit).toBe(0);
    const drawn = `<a${ESCAPE}[5;10Hb\nc\r\n${ESCAPE}[2J${ESCAPE}7${ESCAPE}8d>`;
    expect(t.shown).toBe(drawn);
  }, 60_000);
});

describe('hostile text', () => {
  it('is not taken by the service as an answer', async () => {
    const person = await newEngineer(world, 'hostile-told');
    expect((await raisedWith(person, HOSTILE)).status).toBe(400);
  });

  it('of a service that says it is shown harmlessly by every command of ours', async () => {
    const person = await newEngineer(world, 'hostile');
    const { id } = (await raisedWith(person, MARK)).body;
    const waiting = typeAt(lied(person), 'sft', ...SSH, '--wait');
    await waiting.see('Waiting for');
    const uma = lied(world.people.uma);
    const asked = typeAt(uma, 'sft-admin', 'approve', id);
    await asked.see('Approve this?');
    // What draws the question is ours; the card stands before it.
    const [card = ''] = asked.shown.split(ESCAPE);
    expect(harmful(card)).toEqual([]);
    expect(card).toContain('OWNED');
    asked.type('n\r');
    expect(await asked.exit).toBe(77);

    const dana = restOf(world.service, world.people.dana.token);
    await dana('POST', `/access_requests/${id}/comments`, { body: { text: HOSTILE } });
    const { body } = await dana<{ etag: string }>('GET', `/access_requests/${id}`);
    const denied = await dana('POST', `/access_requests/${id}/decisions`, {
      headers: { 'if-match': `"${body.etag}"` },
      body: { decision: 'deny', step: 0, comment: MARK },
    });
    expect(denied.status, denied.text).toBe(200);
    expect(await waiting.exit).toBe(77);
    expect(waiting.shown).toContain('OWNED');
    expect(harmful(waiting.shown.replaceAll(`${ESCAPE}[K`, '').replaceAll('\r', ''))).toEqual([]);

    const commands: [Person, 'sft' | 'sft-admin', string[]][] = [
      [lied(person), 'sft', ['request', 'show', id]],
      [lied(person), 'sft', ['request', 'list']],
      [uma, 'sft-admin', ['requests', 'list', '--view', 'all', '-o', 'json']],
      [uma, 'sft-admin', ['requests', 'show', id, '-o', 'describe']],
      [uma, 'sft-admin', ['log', 'search', '--request', id]],
    ];
    for (const [who, file, args] of commands) {
      const t = typeAt(who, file, ...args);
      expect([args, await t.exit]).toEqual([args, 0]);
      expect([args, harmful(t.shown)]).toEqual([args, []]);
      expect(t.shown).toContain('pamadmin1');
    }
  }, 120_000);

  it('in a label, a name or an argument it is refused, or shown harmlessly as well', async () => {
    const rest = restOf(world.service, world.people.sam.token);
    const { body } = await rest<Answer<'listInventory'>>('GET', '/inventory/servers');
    const [server] = body.list;
    const labelled = await rest('PATCH', `/inventory/servers/${server?.id}`, {
      body: { labels: { ...server?.labels, note: HOSTILE } },
    });
    expect([200, 400, 422]).toContain(labelled.status);
    const listed = typeAt(ready, 'sft', 'list-servers', '-o', 'describe');
    expect(await listed.exit).toBe(0);
    expect(harmful(listed.shown)).toEqual([]);
    const wrong = typeAt(ready, 'sft', 'ssh', HOSTILE);
    expect(await wrong.exit).not.toBe(0);
    expect(harmful(wrong.shown)).toEqual([]);
  }, 60_000);
});

/** The control and reordering characters in it, but for line ends. */
const harmful = (shown: string): string[] =>
  [...shown.replaceAll('\r\n', '\n')]
    .filter((c) => /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u.test(c) && c !== '\n')
    .map((c) => JSON.stringify(c));
