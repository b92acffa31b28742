import { afterEach, describe, expect, test } from 'vitest';
import { nodeKeychain } from '../src/world/node-keychain.ts';
import { secretServiceState } from '../src/world/secret-service.ts';
import { busWith, closeBuses, message, text, usual } from './fake/bus.ts';

afterEach(closeBuses);

describe('whether the Secret Service would ask', () => {
  test.each([
    [false, 'unlocked'],
    [true, 'locked'],
  ])('a default collection that is locked: %s', async (locked, state) => {
    const bus = await busWith(usual('/org/freedesktop/secrets/collection/login', locked));
    expect(await secretServiceState(bus, 5_000)).toBe(state);
  });

  test('no default collection: there is nothing to keep a secret in', async () => {
    expect(await secretServiceState(await busWith(usual('/', false)), 5_000)).toBe('none');
  });

  test('a signal before the answer is no answer', async () => {
    const bus = await busWith((word, serial) =>
      Buffer.concat([
        message(4, 0, text('NameAcquired')),
        usual('/c', true)(word, serial) as Buffer,
      ]),
    );
    expect(await secretServiceState(bus, 5_000)).toBe('locked');
  });

  test('an answer that is no boolean is taken for locked: nobody is asked by mistake', async () => {
    const bus = await busWith((word, serial) =>
      word === 'Locked' ? message(2, serial, text('what')) : usual('/c', false)(word, serial),
    );
    expect(await secretServiceState(bus, 5_000)).toBe('locked');
  });

  test.each(['Hello', 'ReadAlias', 'Locked'])('an error to %s: none', async (wrong) => {
    const bus = await busWith((word, serial) =>
      word === wrong ? message(3, serial, text('no')) : usual('/c', false)(word, serial),
    );
    expect(await secretServiceState(bus, 5_000)).toBe('none');
  });

  test.each(['Hello', 'ReadAlias', 'Locked'])('no answer to %s: slow, and over', async (mute) => {
    const bus = await busWith((word, serial) =>
      word === mute ? undefined : usual('/c', false)(word, serial),
    );
    expect(await secretServiceState(bus, 50)).toBe('slow');
  });

  test.each([
    ['refuses', 'REJECTED EXTERNAL\r\n'],
    ['speaks something else', 'HTTP/1.1 400 Bad Request\r\n'],
    ['never ends its line', 'x'.repeat(200_000)],
  ])('a bus that %s: none', async (_, greeting) => {
    expect(await secretServiceState(await busWith(() => undefined, greeting), 5_000)).toBe('none');
  });

  test.each([
    ['another byte order', Buffer.concat([Buffer.from('B'), Buffer.alloc(40)])],
    [
      'more than anybody would say',
      Buffer.concat([message(2, 1, text('')), Buffer.alloc(200_000)]),
    ],
  ])('%s: none', async (_, bytes) => {
    expect(await secretServiceState(await busWith(() => bytes), 5_000)).not.toBe('unlocked');
  });

  test.each([
    '',
    'tcp:host=localhost,port=1',
    'unix:path=/nonexistent/bus',
    'unix:abstract=%00nobody',
  ])('no bus at %s: none', async (bus) => {
    expect(await secretServiceState(bus, 5_000)).toBe('none');
  });

  test('the first socket of several addresses, its name unescaped', async () => {
    const bus = await busWith(usual('/c', false));
    const escaped = bus.replace('sft-bus', 'sft%2dbus');
    expect(await secretServiceState(`tcp:host=x;${escaped}`, 5_000)).toBe('unlocked');
  });
});

describe('the keychain of this machine, where there is a bus', () => {
  const item = { service: 'Postern sft', account: 'nobody' };

  /** With a bus of our own, and perhaps without a program to start. */
  async function fault(bus: string, program = process.execPath): Promise<unknown> {
    const before = { program: process.execPath, bus: process.env.DBUS_SESSION_BUS_ADDRESS };
    process.env.DBUS_SESSION_BUS_ADDRESS = bus;
    process.execPath = program;
    try {
      return await nodeKeychain.get(item, 'quiet').catch((error: { why: string }) => error.why);
    } finally {
      process.execPath = before.program;
      if (before.bus === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
      else process.env.DBUS_SESSION_BUS_ADDRESS = before.bus;
    }
  }

  test('locked: nothing is asked of it', async () => {
    expect(await fault(await busWith(usual('/c', true)))).toBe('locked');
  });

  test('no collection, or no bus: none', async () => {
    expect(await fault(await busWith(usual('/', false)))).toBe('none');
    expect(await fault('unix:path=/nonexistent/bus')).toBe('none');
  });

  test('unlocked, and silent to the library, which would wait for ever: slow', async () => {
    expect(await fault(await busWith(usual('/c', false)))).toBe('slow');
  });

  test.each([false, true])(
    'the program for it cannot be started, locked %s: no crash',
    async (is) => {
      const bus = await busWith(usual('/c', is));
      expect(await fault(bus, '/nonexistent/node')).toBe(is ? 'locked' : 'refused');
    },
  );
});
