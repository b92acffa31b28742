import type { AccessRequest } from '@postern/shared';
import { beforeEach, expect, it } from 'vitest';
import { createDescribe, sendLater } from '../../src/notifications/index.ts';
import { describePending } from '../../src/requests/index.ts';
import { decide, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { receiver } from './mailbox.ts';
import { delivering, mailTo, messagesOf } from './world.ts';

onBoth('messages', (kit) => {
  const demo = withDemo(kit);
  beforeEach(async () => {
    await kit.db.sql.deleteFrom('messages').execute();
  });
  const call = (login: string, method: 'GET' | 'POST', path: string) =>
    demo.service.call(demo.tokens[login], method, path);

  it('a dead one is listed without what it says, sent again by an admin, and on record', async () => {
    let refuse = true;
    const mail = await receiver({
      onRcptTo: (_, __, done) =>
        refuse ? done(Object.assign(new Error('no'), { responseCode: 550 })) : done(),
    });
    const delivery = await delivering(kit, { mail: mailTo(mail.port), webhooks: [] });
    const body = { token_name: 'words-of-the-body', made_by: 'Pat' };
    const to = demo.ids.users.dana!;
    await kit.transact((tx) => sendLater(tx, [{ to, kind: 'token_made', request_id: null, body }]));
    await delivery.sweep();
    const listed = await call('pat', 'GET', '/messages?state=dead');
    const [dead] = must(listed).list as [{ id: string }];
    expect(dead).toMatchObject({
      state: 'dead',
      kind: 'token_made',
      destination: { type: 'mail', name: null },
      to: { id: to, name: 'Dana Reyes' },
      attempts: 1,
      last_error: 'the mail server answered 550 to RCPT TO',
      next_at: null,
    });
    expect(listed.body).not.toContain('words-of-the-body');
    expect(must(await call('uma', 'GET', '/messages?state=waiting')).list).toEqual([]);

    kit.clock.advance(3_600);
    refuse = false;
    expect((await call('uma', 'POST', `/messages/${dead.id}/retry`)).statusCode).toBe(403);
    const retried = must(await call('pat', 'POST', `/messages/${dead.id}/retry`));
    expect(retried).toMatchObject({ state: 'waiting', attempts: 0 });
    expect((await call('pat', 'POST', `/messages/${dead.id}/retry`)).json().code).toBe(
      'state_conflict',
    );
    expect(kit.enqueued.at(-1)).toEqual({ name: 'message.send', payload: { message_id: dead.id } });
    await delivery.sweep();
    expect(mail.mails.map(({ id }) => id)).toEqual([dead.id]);
    const events = await kit.db.sql
      .selectFrom('audit_events')
      .select(['actor', 'targets'])
      .where('type', '=', 'pam.message.retry')
      .execute();
    expect(events).toMatchObject([
      { actor: { id: demo.ids.users.pat }, targets: [{ type: 'message', id: dead.id }, {}] },
    ]);
    await delivery.stop();
    await mail.down();
  });

  it('approvers are mailed the card; one whom nothing is asked of any more is not', async () => {
    const mail = await receiver();
    const describe = createDescribe({ pendingFor: describePending, linkFor: async () => null });
    const settings = { mail: mailTo(mail.port), webhooks: [] };
    const delivery = await delivering(kit, settings, { describe });
    const request = (await raisedBy(demo, 'ellis')) as AccessRequest;
    const asked = (await messagesOf(kit)).filter((m) => m.kind === 'approval_needed');
    expect(asked.map((m) => m.to_user_id).sort()).toEqual(
      ['ana', 'bo', 'dana'].map((login) => demo.ids.users[login]).sort(),
    );
    await delivery.sweep();
    expect(mail.mails.map(({ to }) => to).sort()).toEqual(
      ['ana', 'bo', 'dana'].map((login) => `${login}@example.test`),
    );
    for (const { raw } of mail.mails) {
      expect(raw).toContain('Ellis Kim asks for opa-demo-linux');
      expect(raw).toContain(`sft-admin approve ${request.id}`);
      expect(raw).toContain('rotate the logs');
    }
    // Asked again, and then decided before the mail leaves: only the decision is told.
    await kit.transact((tx) =>
      sendLater(tx, [
        {
          to: demo.ids.users.dana!,
          kind: 'approval_reminder',
          request_id: request.id,
          body: { requester: 'Ellis Kim', server: 'opa-demo-linux' },
        },
      ]),
    );
    must(await decide(demo.service, demo.tokens.dana, request));
    mail.mails.splice(0);
    await delivery.sweep();
    expect(
      mail.mails.map(({ to, raw }) => [to, /^Subject: (.*)$/m.exec(raw)?.[1]?.trim()]),
    ).toEqual([['ellis@example.test', 'Approved: opa-demo-linux']]);
    expect(delivery.errors).toEqual([]);
    await delivery.stop();
    await mail.down();
  });

  it('what is counted is to be read', async () => {
    const answer = await demo.service.app.inject({ method: 'GET', url: '/metrics' });
    for (const name of ['messages_waiting', 'messages_dead', 'message_attempts_total'])
      expect(answer.body).toContain(`# TYPE postern_${name}`);
  });
});
