import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendLater } from '../../src/notifications/index.ts';
import type { WebhookSettings } from '../../src/notifications/model.ts';
import { raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { receiver } from './mailbox.ts';
import { delivering, mailTo, messagesOf } from './world.ts';

onBoth('webhooks and the outbox', (kit) => {
  const demo = withDemo(kit);
  const open: { stop(): Promise<void> }[] = [];
  let request: string | undefined;

  beforeEach(async () => {
    request ??= (await raisedBy(demo, 'ellis')).id;
    await kit.db.sql.deleteFrom('messages').execute();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
  });

  const hooked = async (name: string, key = randomBytes(32)) => {
    const hook = await endpoint();
    open.push(hook);
    const format = 'postern';
    const settings: WebhookSettings = { name, url: hook.url, format, key, allow_private: true };
    return { hook, settings };
  };
  const tell = (logins: string[], n: number) =>
    kit.transact((tx) =>
      sendLater(
        tx,
        logins.map((login) => ({
          to: demo.ids.users[login]!,
          kind: 'approval_needed',
          request_id: request!,
          body: { requester: 'Ellis Kim', server: `host-${n}` },
        })),
      ),
    );
  const numbers = ({ posted }: Endpoint): number[] =>
    posted.map(({ body }) => Number(/host-(\d+)/.exec(body)?.[1]));

  it('a notice to three people comes once, in order; one that fails comes again with its id', async () => {
    const { hook, settings } = await hooked('ops');
    const delivery = await delivering(kit, { mail: null, webhooks: [settings] });
    open.push(delivery);
    let fail = 2;
    hook.answer = (response) => void response.writeHead(fail-- > 0 ? 503 : 204).end();
    await tell(['dana', 'ana', 'bo'], 1);
    await tell(['dana', 'ana', 'bo'], 2);
    for (let i = 0; i < 4; i++) {
      await delivery.sweep();
      kit.clock.advance(60);
    }
    expect(numbers(hook)).toEqual([1, 1, 1, 2]);
    const ids = hook.posted.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect((await messagesOf(kit)).map((r) => [r.state, r.attempts])).toEqual([
      ['delivered', 3],
      ['delivered', 1],
    ]);
    expect(delivery.attempts.at(-1)).toBe('webhook delivered');
  });

  it('one that hangs delays neither mail nor another one', async () => {
    const slow = await hooked('slow');
    const quick = await hooked('quick');
    const mail = await receiver();
    open.push({ stop: mail.down });
    const hanging: (() => void)[] = [];
    slow.hook.answer = (response) => hanging.push(() => response.writeHead(204).end());
    const webhooks = [slow.settings, quick.settings];
    const delivery = await delivering(kit, { mail: mailTo(mail.port), webhooks });
    open.push(delivery);
    for (let n = 1; n <= 3; n++) await tell(['dana'], n);
    const sent = delivery.send();
    await expect.poll(() => [mail.mails.length, numbers(quick.hook)]).toEqual([3, [1, 2, 3]]);
    expect(numbers(slow.hook)).toEqual([1]);
    slow.hook.answer = (response) => void response.writeHead(204).end();
    for (const answer of hanging) answer();
    await sent;
    expect(numbers(slow.hook)).toEqual([1, 2, 3]);
  });

  it('stopping waits for what is on its way, and starts nothing more', async () => {
    const { hook, settings } = await hooked('ops');
    hook.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 200);
    const delivery = await delivering(kit, { mail: null, webhooks: [settings] });
    await tell(['dana'], 1);
    await tell(['dana'], 2);
    void delivery.send();
    await expect.poll(() => hook.posted.length).toBe(1);
    await delivery.stop();
    expect((await messagesOf(kit)).map((r) => r.state)).toEqual(['delivered', 'waiting']);
    await delivery.send();
    expect(hook.posted).toHaveLength(1);
  });

  it('its key and its URL are in no row, log line, event or error', async () => {
    const { hook, settings } = await hooked('ops');
    hook.answer = (response) => void response.writeHead(400).end();
    const delivery = await delivering(kit, { mail: null, webhooks: [settings] });
    open.push(delivery);
    await tell(['dana'], 1);
    await delivery.sweep();
    const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
    const written = JSON.stringify([
      await messagesOf(kit),
      events,
      delivery.lines,
      delivery.errors,
      demo.service.lines,
    ]);
    expect(written).toContain('the webhook answered 400');
    for (const secret of [settings.url.host, settings.key!.toString('base64').slice(0, 20)])
      expect(written).not.toContain(secret);
  });
});
