import { createHmac, randomBytes } from 'node:crypto';
import { instant } from '@postern/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { type Resolve, webhookSender } from '../../src/notifications/jobs-webhook.ts';
import type { Letter, WebhookSettings } from '../../src/notifications/model.ts';
import { parseWebhookSecret, signWebhook } from '../../src/notifications/sign.ts';
import { isPublicAddress } from '../../src/platform/networks.ts';
import { timeoutsStill } from '../kit/still.ts';
import { type Endpoint, endpoint } from './endpoint.ts';

const AT = instant(Date.parse('2026-03-02T09:00:00.750Z'));
const KEY = randomBytes(32);
const open: Endpoint[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});
const listening = async (): Promise<Endpoint> => {
  const made = await endpoint();
  open.push(made);
  return made;
};

const letter: Letter = {
  id: '0199d3a5-0000-7000-8000-000000000001',
  kind: 'request_approved',
  request_id: null,
  created_at: AT,
  team: 'demo',
  notice: { subject: 'S', lines: ['L'], card: null, link: null, chat: false, step: null },
};
const settings = (url: URL, more: Partial<WebhookSettings> = {}): WebhookSettings => ({
  name: 'ops',
  url,
  format: 'postern',
  key: KEY,
  allow_private: true,
  ...more,
});
const send = (s: WebhookSettings, resolve?: Resolve) =>
  webhookSender(s, resolve)(letter, AT, new AbortController().signal);
const resolving =
  (...addresses: string[]): Resolve =>
  (_, __, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

describe('what is posted', () => {
  test('it is signed as Standard Webhooks says, over the very bytes, with the message’s id', async () => {
    const hook = await listening();
    expect(await send(settings(hook.url))).toEqual({ result: 'delivered' });
    const [{ headers, body }] = hook.posted as [Endpoint['posted'][number]];
    expect(headers['webhook-id']).toBe(letter.id);
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(AT / 1000)));
    const signed = `${letter.id}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', KEY).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
    expect(JSON.parse(body)).toEqual({
      type: 'request_approved',
      timestamp: '2026-03-02T09:00:00.750Z',
      data: {
        team: 'demo',
        request_id: null,
        subject: 'S',
        lines: ['L'],
        card: null,
        step: null,
      },
    });
  });

  test('the published test vector of Standard Webhooks', () => {
    const key = parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    const at = instant(1_614_265_330_000);
    expect(signWebhook({ id, at, body: '{"test": 2432232314}' }, key!)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test.each([
    '',
    'whsec_',
    'c2hvcnQ=',
    'not base64 at all, but long enough for a key',
    'A'.repeat(200),
  ])('no key: %j', (text) => expect(parseWebhookSecret(text)).toBeUndefined());
});

describe('where it is posted', () => {
  test.each([
    ...['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1'],
    ...['::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1'],
    ...['::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1', 'x', ''],
  ])('not public: %s', (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(['1.1.1.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00::1'])(
    'public: %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]'])(
    'refused: the private address %s in the URL, and nobody is called',
    async (host) => {
      const hook = await listening();
      const url = new URL(`http://${host}:${hook.url.port}/`);
      expect(await send(settings(url, { allow_private: false }))).toMatchObject({
        result: 'failed',
        error: expect.stringContaining('private'),
      });
      expect(hook.connections()).toBe(0);
    },
  );

  test('refused: a name with a private address, even among public ones', async () => {
    const hook = await listening();
    const url = new URL(`http://hooks.example:${hook.url.port}/`);
    for (const addresses of [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['::1']])
      expect(
        await send(settings(url, { allow_private: false }), resolving(...addresses)),
      ).toMatchObject({ error: expect.stringContaining('private') });
    expect(hook.connections()).toBe(0);
  });

  test('the address that was checked is the one that is called: a name is looked up once', async () => {
    const hook = await listening();
    const url = new URL(`http://hooks.example:${hook.url.port}/`);
    let asked = 0;
    const rebinding: Resolve = (_, __, done) => {
      asked++;
      done(null, [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
    };
    expect(await send(settings(url), rebinding)).toEqual({ result: 'delivered' });
    expect([asked, hook.posted.length]).toEqual([1, 1]);
    expect(hook.posted[0]!.headers.host).toBe(url.host);
  });

  test('a name that is not known', async () => {
    const unknown: Resolve = (_, __, done) =>
      done(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), []);
    expect(await send(settings(new URL('http://hooks.example/')), unknown)).toMatchObject({
      error: 'the webhook could not be reached (ENOTFOUND)',
    });
  });
});

describe('what is answered', () => {
  const answered = async (answer: Endpoint['answer'], more: Partial<WebhookSettings> = {}) => {
    const hook = await listening();
    hook.answer = answer;
    return { hook, outcome: await send(settings(hook.url, more)) };
  };

  test.each([301, 302, 303, 307, 308])('a redirect is not followed: %i', async (status) => {
    const target = await listening();
    const { outcome } = await answered((response) =>
      response.writeHead(status, { location: target.url.href }).end(),
    );
    expect(outcome).toMatchObject({
      error: `the webhook answered ${status}; a redirect is not followed`,
      permanent: false,
    });
    expect(target.connections()).toBe(0);
  });

  test.each([
    [200, undefined],
    [204, undefined],
    [400, true],
    [410, true],
    [413, true],
    [401, false],
    [404, false],
    [429, false],
    [500, false],
    [503, false],
  ])('%i', async (status, permanent) => {
    const { outcome } = await answered((response) => response.writeHead(status).end('secret text'));
    expect(outcome).toEqual(
      permanent === undefined
        ? { result: 'delivered' }
        : {
            result: 'failed',
            error: `the webhook answered ${status}`,
            of: permanent ? 'message' : 'destination',
            permanent,
          },
    );
  });

  test('a body without an end is not read', async () => {
    let closed = false;
    const { outcome } = await answered((response, socket) => {
      socket.on('close', () => {
        closed = true;
      });
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
      socket.on('close', () => clearInterval(timer));
    });
    expect(outcome).toEqual({ result: 'delivered' });
    await expect.poll(() => closed).toBe(true);
  });

  test('headers without an end are not kept', async () => {
    const { outcome } = await answered((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write(`x: ${'y'.repeat(4_000)}\r\n`), 1);
      socket.on('error', () => {});
      socket.on('close', () => clearInterval(timer));
    });
    expect(outcome).toMatchObject({ result: 'failed', error: expect.stringContaining('HPE_') });
  });

  test('an answer that drips byte by byte is given up after 10 s, while it drips on', () =>
    timeoutsStill(async ({ pass, until }) => {
      let bytes = 0;
      let dripping = false;
      const answer = answered((_, socket) => {
        dripping = true;
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const timer = setInterval(() => socket.write('y', () => bytes++), 10);
        socket.on('error', () => {});
        socket.on('close', () => {
          dripping = false;
          clearInterval(timer);
        });
      });
      await until(() => dripping);
      for (const ms of [9_000, 999]) {
        const before = bytes;
        pass(ms);
        await until(() => bytes > before + 3);
      }
      expect(dripping).toBe(true);
      pass(1);
      const { outcome } = await answer;
      expect(outcome).toMatchObject({ error: 'the webhook did not answer within 10 s' });
      await until(() => !dripping);
    }));

  test('a connection that is closed without an answer, or not there', async () => {
    const { hook, outcome } = await answered((_, socket) => void socket.destroy());
    expect(outcome).toMatchObject({ error: 'the webhook could not be reached (ECONNRESET)' });
    await hook.stop();
    open.splice(0);
    expect(await send(settings(hook.url))).toMatchObject({
      error: 'the webhook could not be reached (ECONNREFUSED)',
    });
  });

  test('neither the URL nor the answer is in what is recorded', async () => {
    const hook = await endpoint('/services/T000/B000/chat-url-secret');
    open.push(hook);
    hook.answer = (response) => void response.writeHead(500).end('chat-url-secret');
    for (const url of [hook.url, new URL('http://chat-url-secret.invalid/chat-url-secret')])
      expect(JSON.stringify(await send(settings(url)))).not.toContain('chat-url-secret');
  });
});
