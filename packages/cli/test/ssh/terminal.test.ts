import { spawnSync } from 'node:child_process';
import { EXIT } from '@postern/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { Terminal } from '../fake/process.ts';
import { reach } from '../fake/reach.ts';
import {
  accessRequest,
  approved,
  decided,
  detail,
  id,
  method,
  REQUEST_TYPE,
  SERVER,
} from '../fake/things.ts';

const { service, gateway, env } = reach();
let terminal: Terminal | undefined;
afterEach(() => terminal?.kill());

function typeAt(...words: string[]): Terminal {
  terminal = new Terminal(words, env());
  return terminal;
}

/** From within a shell, so that what the program leaves behind can be seen. */
function inShell(after: string, ...words: string[]): Terminal {
  terminal = Terminal.shell(words, env(), after);
  return terminal;
}

describe('a shell in a terminal', () => {
  test('it has the size of ours, follows it, and ends with its status', async () => {
    const t = typeAt('ssh', SERVER.name);
    await t.see('there$ ');
    t.type('stty size\r');
    await t.see('30 100');
    t.resize(66, 22);
    await expect.poll(() => gateway().sizes).toContain('66x22');
    t.type('stty size\r');
    await t.see('22 66');
    t.type('exit 5\r');
    expect(await t.exit).toBe(5);
  });

  test('Ctrl-C goes there, and ends nothing here', async () => {
    const t = typeAt('ssh', SERVER.name);
    await t.see('there$ ');
    t.type('sleep 60\r');
    await new Promise((r) => setTimeout(r, 300));
    t.type('\u0003');
    await t.see(/\^C\r\n.*there\$ /s);
    t.type('echo "st"ill\r');
    await t.see('still');
    t.type('exit\r');
    expect(await t.exit).toBe(0);
  });

  test('an LF without CR stays one: full-screen programs draw where they mean to', async () => {
    const t = typeAt('ssh', SERVER.name, '--', "stty -opost; printf 'a\\033[5Gb\\nc\\r\\nd'");
    expect(await t.exit).toBe(0);
    expect(t.shown).toContain('a\u001b[5Gb\nc\r\nd');
  });

  test('~. at the start of a line ends a connection that hangs', async () => {
    const t = typeAt('ssh', SERVER.name, '--', 'echo on; sleep 60');
    await t.see('on');
    gateway().hang();
    t.type('\r~.');
    expect(await t.exit).toBe(EXIT.transport);
  });

  test('the terminal is as before when it ends, also when it is cut', async () => {
    const t = inShell(
      'stty -a | tr ";" "\\n" | grep -E "opost|icanon|echo "; echo over',
      'ssh',
      SERVER.name,
    );
    await t.see('there$ ');
    for (const connection of gateway().connections) connection.end();
    await t.see('over');
    expect(t.shown).toMatch(/\r\nsft: .*\r\n.*\r\n/);
    expect(t.shown).toMatch(/ icanon/);
    expect(t.shown).not.toMatch(/-icanon|-opost/);
  });

  test('a command gets no terminal when its output goes elsewhere', async () => {
    const t = inShell('echo over', 'ssh', SERVER.name, '--', "'tty >&2; echo done'", '| cat');
    await t.see('over');
    expect(t.shown).toContain('not a tty');
    expect(gateway().sizes).toEqual([]);
  });
});

describe('prompts', () => {
  const raisable = () =>
    service()
      .on('resolve', () => ({
        body: {
          servers: [SERVER],
          unresolved_names: [],
          user_access_methods: [method('pamadmin1'), method('pamadmin2')],
        },
      }))
      .on('getRequestType', () => ({ body: REQUEST_TYPE }))
      .on('createAccessRequest', () => ({ status: 201, body: accessRequest() }));

  test('the transcript: a number, a reason, raised, 75', async () => {
    raisable();
    const t = typeAt('ssh', SERVER.name);
    await t.see('? Access method:');
    t.type('7\r');
    await t.see('Type a number from 1 to 2.');
    t.type('\u007f1\r');
    await t.see('? Why do you need it:');
    t.type('rotate the logs\r');
    await t.see('Run the same command again when it is approved, or add --wait.');
    expect(await t.exit).toBe(EXIT.waiting);
    expect(service().last('createAccessRequest').body.answers).toEqual({
      justification: 'rotate the logs',
    });
  });

  test('Ctrl-C at a prompt: 130, nothing raised', async () => {
    raisable();
    const t = typeAt('ssh', SERVER.name);
    await t.see('? Access method:');
    t.type('\u0003');
    expect(await t.exit).toBe(EXIT.interrupted);
    expect(service().asked).not.toContain('createAccessRequest');
  });

  test('--wait in a terminal: who is needed, then the shell', async () => {
    raisable();
    let now = accessRequest();
    service()
      .on('getAccessRequest', () => ({ body: detail(now) }))
      .on('accessRequestEvents', (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        setTimeout(() => {
          now = decided('approve');
          response.write(`event: request\ndata: ${JSON.stringify(now)}\n\n`);
        }, 300);
        return undefined;
      });
    const t = typeAt('ssh', SERVER.name, '--wait', '--account', 'pamadmin1', '--reason', 'logs');
    await t.see(/⠋|⠙|⠹/);
    await t.see('Waiting for Dana Reyes or 2 people in linux-approvers');
    await t.see('there$ ');
    t.type('exit\r');
    expect(await t.exit).toBe(0);
  });

  test('Ctrl-C while waiting: 130, and how to go on', async () => {
    raisable();
    service()
      .on('getAccessRequest', () => ({ body: detail(accessRequest()) }))
      .on('accessRequestEvents', (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': hello\n\n');
        return undefined;
      });
    const t = typeAt('ssh', SERVER.name, '--wait', '--account', 'pamadmin1', '--reason', 'logs');
    await t.see('Waiting for Dana Reyes');
    t.type('\u0003');
    await t.see(`sft request cancel ${id(50)}`);
    expect(await t.exit).toBe(EXIT.interrupted);
  });

  test('an approved method is picked from the list, and the shell opens', async () => {
    service()
      .on('resolve', () => ({
        body: {
          servers: [SERVER],
          unresolved_names: [],
          user_access_methods: [approved('pamadmin1', 20), method('pamadmin2')],
        },
      }))
      .on('getAccessRequest', () => ({ body: detail(decided('approve')) }));
    const t = typeAt('ssh', SERVER.name);
    await t.see('? Access method:');
    expect(t.shown).toMatch(/1 {2}pamadmin1 {2}vaulted account {2}approved by Dana Reyes/);
    t.type('1\r');
    await t.see('there$ ');
    t.type('echo typed; exit\r');
    await t.see('typed');
    expect(await t.exit).toBe(0);
  });
});

test('stty is there: else the test of LF proves nothing', () => {
  expect(spawnSync('stty', ['--version']).error).toBeUndefined();
});
