import { Client, type ClientChannel } from 'ssh2';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSmallTarget } from './world/small-target.ts';
import type { Target } from './world/target.ts';

let target: Target;
let client: Client;

beforeEach(async () => {
  target = await startSmallTarget();
  client = new Client();
  const password = target.passwords.pamadmin1 ?? '';
  await new Promise<void>((done, fail) => {
    client.once('ready', done).once('error', fail);
    client.connect({ host: '127.0.0.1', port: target.port, username: 'pamadmin1', password });
  });
});
afterEach(async () => {
  client.end();
  await target.stop();
});

const opened = (act: (done: (error?: Error, channel?: ClientChannel) => void) => void) =>
  new Promise<ClientChannel>((done, fail) =>
    act((error, channel) => (channel === undefined ? fail(error) : done(channel))),
  );
const ended = (channel: ClientChannel) =>
  new Promise<{ code: number | null; text: string }>((done) => {
    let text = '';
    let code: number | null = null;
    channel.on('data', (bytes: Buffer) => {
      text += bytes;
    });
    channel.on('exit', (status: number) => {
      code = status;
    });
    channel.on('close', () => done({ code, text }));
  });

it('in a terminal: a shell that echoes, takes Enter, and ends with its own status', async () => {
  const channel = await opened((done) => client.shell({ cols: 90, rows: 30 }, done));
  const end = ended(channel);
  channel.write('stty size; echo "I am $LOGNAME"\rexit 3\r');
  const { code, text } = await end;
  expect(code).toBe(3);
  expect(text).toContain('30 90\r\n');
  expect(text).toContain('I am pamadmin1\r\n');
});

it('without one: bytes as they are', async () => {
  const channel = await opened((done) => client.exec('printf "a\\nb\\n"; exit 4', done));
  expect(await ended(channel)).toEqual({ code: 4, text: 'a\nb\n' });
});
