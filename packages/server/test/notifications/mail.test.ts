import { afterEach, describe, expect, test } from 'vitest';
import { mailSender } from '../../src/notifications/jobs-mail.ts';
import { isMailAddress, parseMailbox } from '../../src/notifications/mailbox.ts';
import { everywhere, HOSTILE, letterOf } from './hostile.ts';
import { headerOf, type Receiver, receiver } from './mailbox.ts';
import { mailTo } from './world.ts';

const open: Receiver[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.down();
});
const listening = async (): Promise<Receiver> => {
  const made = await receiver();
  open.push(made);
  return made;
};
const never = () => new AbortController().signal;

/** The names of a mail's headers, in order. */
const namesIn = (raw: string): string[] =>
  (raw.split('\r\n\r\n')[0] ?? '')
    .split('\r\n')
    .filter((line) => !/^[ \t]/.test(line))
    .map((line) => line.split(':')[0]!.toLowerCase());

describe('headers', () => {
  test.each(HOSTILE.map((text) => [text.slice(0, 40), text]))(
    'none is made by %j',
    async (_, text) => {
      const mail = await listening();
      const send = mailSender(mailTo(mail.port));
      expect(await send(letterOf({}), 'dana@example.test', never())).toEqual({
        result: 'delivered',
      });
      expect(await send(everywhere(text), 'dana@example.test', never())).toEqual({
        result: 'delivered',
      });
      const [plain, hostile] = mail.mails as [Receiver['mails'][number], Receiver['mails'][number]];
      expect(namesIn(hostile.raw)).toEqual(namesIn(plain.raw));
      expect([hostile.to, hostile.from]).toEqual(['dana@example.test', 'postern@example.test']);
      expect(headerOf(hostile.raw, 'to')).toBe('dana@example.test');
    },
  );

  test.each([
    'dana@example.test\r\nBcc: victim@example.test',
    'dana@example.test> SIZE=1',
    'dana@example.test,victim@example.test',
    '<dana@example.test>',
    'dana example.test',
    '"a b"@example.test',
    'dana@example.test ',
    `${'d'.repeat(65)}@example.test`,
    'dana@-example.test',
    '',
  ])('no address, so no mail, and none later: %j', async (address) => {
    const mail = await listening();
    expect(isMailAddress(address)).toBe(false);
    expect(await mailSender(mailTo(mail.port))(letterOf({}), address, never())).toMatchObject({
      result: 'failed',
      permanent: true,
    });
    expect(mail.mails).toEqual([]);
  });

  test.each([
    ['postern@example.com', { name: '', address: 'postern@example.com' }],
    ['Postern <p@example.com>', { name: 'Postern', address: 'p@example.com' }],
    ['<p@example.com>', { name: '', address: 'p@example.com' }],
    ['Postern\r\nBcc: x <p@example.com>', undefined],
    ['a@b, c@d', undefined],
    ['Postern', undefined],
  ])('sender %j', (text, mailbox) => expect(parseMailbox(text)).toEqual(mailbox));
});

test('another host is sent to with TLS only, unless that is allowed', async () => {
  const mail = await listening();
  // This host, by an address that does not say so.
  const given = { ...mailTo(mail.port), url: new URL(`smtp://0.0.0.0:${mail.port}`) };
  const outcome = await mailSender(given)(letterOf({}), 'dana@example.test', never());
  expect(outcome).toMatchObject({ result: 'failed', of: 'destination', permanent: false });
  expect(mail.mails).toEqual([]);
  const allowed = mailSender({ ...given, allow_plaintext: true });
  expect(await allowed(letterOf({}), 'dana@example.test', never())).toEqual({
    result: 'delivered',
  });
});

test('a send that the service’s stop cuts off is a failure that is tried again', async () => {
  const mail = await listening();
  const stopped = AbortSignal.abort();
  const send = mailSender(mailTo(mail.port));
  expect(await send(letterOf({}), 'dana@example.test', stopped)).toMatchObject({
    result: 'failed',
    of: 'destination',
    permanent: false,
  });
});
