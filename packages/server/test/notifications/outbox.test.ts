import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendLater } from '../../src/notifications/index.ts';
import type { DeliveryWorld } from '../../src/notifications/jobs.ts';
import { claimMessage, finishMessage } from '../../src/notifications/service-outbox.ts';
import { openDatabase } from '../../src/platform/db.ts';
import { createTransact } from '../../src/platform/tx.ts';
import { makeUser, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { headerOf, type Receiver, received, receiver, SMTP_PASSWORD } from './mailbox.ts';
import { delivering, mailTo, messagesOf, type TestDelivery } from './world.ts';

const HOUR = 3_600;

onBoth('the outbox', (kit) => {
  const demo = withDemo(kit);
  const open: { stop?(): Promise<void>; down?(): Promise<void> }[] = [];
  let requests: string[] = [];

  beforeEach(async () => {
    if (requests.length === 0)
      requests = [
        (await raisedBy(demo, 'ellis')).id,
        (await raisedBy(demo, 'ellis', 'pamadmin2')).id,
      ];
    await kit.db.sql.deleteFrom('messages').execute();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await (one.stop?.() ?? one.down?.());
  });

  const to = (login: string): string => demo.ids.users[login]!;
  const tell = (logins: string[], n: number, request: string | null = requests[0]!) =>
    kit.transact((tx) =>
      sendLater(
        tx,
        logins.map((login) => ({
          to: to(login),
          kind: 'request_approved',
          request_id: request,
          body: { server: `host-${n}` },
        })),
      ),
    );
  const served = async (options: SMTPServerOptions = {}): Promise<Receiver> => {
    const made = await receiver(options);
    open.push(made);
    return made;
  };
  const posting = async (
    mail: Receiver,
    more: Partial<DeliveryWorld> = {},
  ): Promise<TestDelivery> => {
    const made = await delivering(kit, { mail: mailTo(mail.port), webhooks: [] }, more);
    open.push(made);
    return made;
  };
  const numbers = (mail: Receiver, address: string, request?: string): number[] =>
    mail.mails
      .filter((m) => m.to === address && (request === undefined || m.raw.includes(request)))
      .map((m) => Number(/host-(\d+)/.exec(m.raw)?.[1]));

  describe('what is put in', () => {
    it('one for each mailbox, one for each webhook however many are told, in the change’s transaction', async () => {
      const url = new URL('https://hooks.example/x');
      const hook = { url, format: 'slack', key: null, allow_private: false } as const;
      const webhooks = [
        { ...hook, name: 'ops' },
        { ...hook, name: 'sec' },
      ];
      open.push(await delivering(kit, { mail: mailTo(1), webhooks }));
      await tell(['dana', 'ana', 'bo'], 1);
      const rows = await messagesOf(kit);
      const mailboxes = ['ana', 'bo', 'dana'].map((login) => `mail:${to(login)}`);
      expect(rows.map((r) => r.destination).sort()).toEqual(
        [...mailboxes, 'webhook:ops', 'webhook:sec'].sort(),
      );
      expect(new Set(rows.map((r) => r.id)).size).toBe(5);
      expect(rows.every((r) => r.state === 'waiting' && r.attempts === 0)).toBe(true);
      const undone = kit.transact(async (tx) => {
        await sendLater(tx, [
          { to: to('dana'), kind: 'token_made', request_id: null, body: { token_name: 'x' } },
        ]);
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      expect(await messagesOf(kit)).toHaveLength(5);
    });

    it('none for somebody without a mailbox, or who is disabled; none where nothing is configured', async () => {
      open.push(await delivering(kit, { mail: mailTo(1), webhooks: [] }));
      await makeUser(demo, `nobox-${kit.kind}`);
      const nobox = await demo.service.call(
        demo.tokens.pat,
        'GET',
        `/users?login=nobox-${kit.kind}`,
      );
      const id = (nobox.json().list as { id: string }[])[0]!.id;
      await kit.db.sql.deleteFrom('messages').execute();
      await kit.transact((tx) =>
        sendLater(tx, [{ to: id, kind: 'token_made', request_id: null, body: {} }]),
      );
      expect(await messagesOf(kit)).toEqual([]);
      open.push(await delivering(kit, { mail: null, webhooks: [] }));
      await tell(['dana'], 1);
      expect(await messagesOf(kit)).toEqual([]);
    });
  });

  it('a mail server that is down for an hour: afterwards each message once, in order per request', async () => {
    const mail = await served();
    const delivery = await posting(mail);
    await mail.down();
    for (let n = 1; n <= 4; n++)
      for (const request of [...requests, null]) await tell(['dana', 'ana'], n, request);
    const sent = (await messagesOf(kit)).map(({ id }) => id);
    expect(sent).toHaveLength(24);
    for (let passed = 0; passed < HOUR; passed += 60) {
      await delivery.sweep();
      kit.clock.advance(60);
    }
    expect(mail.mails).toEqual([]);
    expect(delivery.counts()).toEqual({ waiting: 24, dead: 0 });
    await mail.up();
    for (let passed = 0; passed <= 15 * 60; passed += 60) {
      await delivery.sweep();
      kit.clock.advance(60);
    }
    expect(mail.mails.map(({ id }) => id).sort()).toEqual(sent.sort());
    for (const address of ['dana@example.test', 'ana@example.test']) {
      const mine = mail.mails.filter((m) => m.to === address);
      expect(mine).toHaveLength(12);
      for (const request of requests) {
        const ofRequest = (await messagesOf(kit)).filter(
          (r) => r.request_id === request && r.to_user_id === to(address.split('@')[0]!),
        );
        const arrived = mine.map(({ id }) => id).filter((id) => ofRequest.some((r) => r.id === id));
        expect(arrived).toEqual(ofRequest.map(({ id }) => id));
      }
    }
    const rows = await messagesOf(kit);
    expect(rows.every((r) => r.state === 'delivered' && r.last_error === null)).toBe(true);
    expect(delivery.errors).toEqual([]);
  });

  it('a mail names its id in Message-ID and a header of its own, and what it is about', async () => {
    const mail = await served();
    const delivery = await posting(mail);
    await tell(['dana'], 7);
    await delivery.sweep();
    const [row] = await messagesOf(kit);
    const raw = mail.mails[0]!.raw;
    expect(headerOf(raw, 'message-id')).toBe(`<${row!.id}@example.test>`);
    expect(headerOf(raw, 'x-postern-message-id')).toBe(row!.id);
    expect(headerOf(raw, 'from')).toBe('Postern <postern@example.test>');
    expect(headerOf(raw, 'to')).toBe('dana@example.test');
    expect(headerOf(raw, 'subject')).toBe('Approved: host-7');
    expect(raw).toContain('multipart/alternative');
  });

  it('a receiver that takes a mail and hangs up before it says so: again, with the same id', async () => {
    let drops = 1;
    const taken: string[] = [];
    const mail: Receiver = await served({
      onData: (stream, { envelope }, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          taken.push(received(Buffer.concat(chunks).toString(), envelope).id);
          if (drops-- > 0) void mail.down();
          else done();
        });
      },
    });
    const delivery = await posting(mail);
    await tell(['dana'], 1);
    await tell(['dana'], 2);
    await delivery.sweep();
    expect((await messagesOf(kit)).map((r) => r.state)).toEqual(['waiting', 'waiting']);
    await mail.up();
    for (let i = 0; i < 5; i++) {
      kit.clock.advance(60);
      await delivery.sweep();
    }
    const ids = (await messagesOf(kit)).map(({ id }) => id);
    expect(taken).toEqual([ids[0], ids[0], ids[1]]);
  });

  it('an address that is refused for good is given up at once, is on record, and blocks nobody', async () => {
    const mail = await served({
      onRcptTo: ({ address }, _, done) =>
        address === 'ana@example.test'
          ? done(Object.assign(new Error('no such user'), { responseCode: 550 }))
          : done(),
    });
    const delivery = await posting(mail);
    await tell(['ana', 'dana'], 1);
    await tell(['ana', 'dana'], 2);
    await delivery.sweep();
    expect(numbers(mail, 'dana@example.test')).toEqual([1, 2]);
    const rows = (await messagesOf(kit)).filter((r) => r.to_user_id === to('ana'));
    expect(rows.map((r) => [r.state, r.attempts, r.last_error])).toEqual([
      ['dead', 1, 'the mail server answered 550 to RCPT TO'],
      ['dead', 1, 'the mail server answered 550 to RCPT TO'],
    ]);
    expect(delivery.counts()).toEqual({ waiting: 0, dead: 2 });
    const events = await kit.db.sql
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'pam.message.dead')
      .execute();
    expect(events.map((e) => [e.outcome, e.request_id])).toEqual(
      rows.map((r) => [{ result: 'failure', reason: 'refused' }, r.request_id]),
    );
  });

  it('an address that is refused for now is tried again; the others do not wait for it', async () => {
    let greylisted = true;
    const mail = await served({
      onRcptTo: ({ address }, _, done) =>
        greylisted && address === 'ana@example.test'
          ? done(Object.assign(new Error('later'), { responseCode: 451 }))
          : done(),
    });
    const delivery = await posting(mail);
    await tell(['ana', 'dana'], 1);
    await tell(['ana', 'dana'], 2);
    await delivery.sweep();
    expect(numbers(mail, 'dana@example.test')).toEqual([1, 2]);
    expect(numbers(mail, 'ana@example.test')).toEqual([]);
    greylisted = false;
    kit.clock.advance(5);
    await delivery.sweep();
    expect(numbers(mail, 'ana@example.test')).toEqual([]);
    kit.clock.advance(5);
    await delivery.sweep();
    expect(numbers(mail, 'ana@example.test')).toEqual([1, 2]);
  });

  it('given up after a day, and the next one of the request is not held up by a dead one', async () => {
    const mail = await served();
    const delivery = await posting(mail);
    await mail.down();
    await tell(['dana'], 1);
    for (let passed = 0; passed <= 25 * HOUR; passed += 900) {
      await delivery.sweep();
      kit.clock.advance(900);
    }
    const [dead] = await messagesOf(kit);
    expect(dead).toMatchObject({ state: 'dead' });
    expect(dead!.last_error).toContain('could not be reached');
    await mail.up();
    await tell(['dana'], 2);
    await delivery.sweep();
    expect(numbers(mail, 'dana@example.test')).toEqual([2]);
  });

  it('two replicas never send the same one, and keep the order', async () => {
    const mail = await served();
    const first = await posting(mail);
    const db = kit.kind === 'postgres' ? await openDatabase(kit.settings) : undefined;
    const transact =
      db === undefined
        ? kit.transact
        : createTransact({ ...kit, db, jobs: { enqueue: async () => {} }, secrets: 'refuse' });
    const others = [await posting(mail, { transact }), await posting(mail, { transact })];
    for (let n = 1; n <= 15; n++) await tell(['dana', 'ana'], n);
    const all = [first, ...others];
    while ((await messagesOf(kit)).some((r) => r.state === 'waiting'))
      await Promise.all(all.map((delivery) => delivery.sweep()));
    const expected = Array.from({ length: 15 }, (_, i) => i + 1);
    expect(numbers(mail, 'dana@example.test')).toEqual(expected);
    expect(numbers(mail, 'ana@example.test')).toEqual(expected);
    expect(all.flatMap((d) => d.errors)).toEqual([]);
    for (const one of open.splice(0)) await (one.stop?.() ?? one.down?.());
    await db?.close();
  });

  it('a replica that died while it sent: another one sends it when its claim has run out', async () => {
    const mail = await served();
    const delivery = await posting(mail);
    await tell(['dana'], 1);
    const claimed = await kit.transact((tx) => claimMessage(tx, null));
    await delivery.sweep();
    expect(mail.mails).toEqual([]);
    kit.clock.advance(181);
    await delivery.sweep();
    expect(numbers(mail, 'dana@example.test')).toEqual([1]);
    // It was not dead but slow: what it has to say of its attempt changes nothing now.
    const failed = { result: 'failed', error: 'x', of: 'message', permanent: true } as const;
    expect(await kit.transact((tx) => finishMessage(tx, claimed!, failed))).toBe('lost');
    expect((await messagesOf(kit))[0]).toMatchObject({ state: 'delivered', last_error: null });
  });

  it('what has become moot is forgotten: its reader was disabled, or nothing is asked any more', async () => {
    const mail = await served();
    const delivery = await posting(mail, { describe: async () => undefined });
    await tell(['dana'], 1);
    await delivery.sweep();
    expect([mail.mails, await messagesOf(kit)]).toEqual([[], []]);
  });

  it('a fault in composing costs one message an attempt, and stops no other', async () => {
    const mail = await served();
    const broken = await posting(mail, {
      describe: async () => {
        throw new Error('a bug');
      },
    });
    await tell(['dana'], 1);
    await broken.sweep();
    expect(broken.errors).toHaveLength(1);
    expect((await messagesOf(kit))[0]).toMatchObject({
      state: 'waiting',
      attempts: 1,
      last_error: 'the message could not be composed',
    });
  });

  it('what goes nowhere any more is given up after a day', async () => {
    const mail = await served();
    open.push(await posting(mail));
    await tell(['dana'], 1);
    const none = await delivering(kit, { mail: null, webhooks: [] });
    await none.sweep();
    expect((await messagesOf(kit))[0]!.state).toBe('waiting');
    kit.clock.advance(25 * HOUR);
    await none.sweep();
    expect((await messagesOf(kit))[0]).toMatchObject({
      state: 'dead',
      last_error: 'its destination is no longer configured',
    });
  });

  it('a wrong password: nothing of it in a row, a log line, an event or an error', async () => {
    const mail = await served({
      authOptional: false,
      onAuth: ({ password }, _, done) => done(new Error(`refused: ${password}`)),
    });
    const delivery = await posting(mail);
    await tell(['dana'], 1);
    await delivery.sweep();
    const [row] = await messagesOf(kit);
    expect(row).toMatchObject({
      state: 'waiting',
      last_error: 'the mail server answered 535 to AUTH',
    });
    kit.clock.advance(25 * HOUR);
    await delivery.sweep();
    expect((await messagesOf(kit))[0]!.state).toBe('dead');
    const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
    const written = JSON.stringify([
      await messagesOf(kit),
      events,
      delivery.lines,
      delivery.errors,
    ]);
    for (const secret of [SMTP_PASSWORD, encodeURIComponent(SMTP_PASSWORD), 'hunter2'])
      expect(written).not.toContain(secret);
    expect(delivery.attempts).toEqual(['mail failed', 'mail failed']);
  });
});
