import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createDescribe,
  type Delivery,
  sendLater,
  startMessages,
} from '../../src/notifications/index.ts';
import { type Jobs, startJobs } from '../../src/platform/jobs.ts';
import { json } from '../../src/platform/schema.ts';
import { createTransact, type Transact } from '../../src/platform/tx.ts';
import { onBoth } from '../kit/index.ts';
import { NEVER, withoutIntervals } from '../kit/still.ts';
import { type Receiver, receiver } from './mailbox.ts';
import { mailTo, messagesOf } from './world.ts';

onBoth('messages in a running service', (kit) => {
  let jobs: Jobs;
  let transact: Transact;
  let mail: Receiver;
  let delivery: Delivery;
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);

  beforeAll(async () => {
    mail = await receiver();
    jobs = await startJobs(kit.db, onError, undefined, NEVER);
    transact = createTransact({ ...kit, jobs, secrets: 'refuse' });
    delivery = await withoutIntervals(() =>
      startMessages({
        team: 'demo',
        settings: { mail: mailTo(mail.port), webhooks: [] },
        transact,
        clock: kit.clock,
        jobs,
        describe: createDescribe({
          pendingFor: async () => undefined,
          linkFor: async () => null,
        }),
        counted: () => {},
        log: { info: () => {}, error: () => {} },
        onError,
      }),
    );
  });
  afterAll(async () => {
    await delivery?.stop();
    await jobs?.stop();
    await mail?.down();
  });

  test('one leaves as soon as its change is committed, without waiting for a sweep', async () => {
    const id = kit.ids.uuid();
    await kit.db.sql
      .insertInto('users')
      .values({
        id,
        login: 'dana',
        name: 'Dana Reyes',
        email: 'dana@example.test',
        type: 'human',
        manager_id: null,
        manager_made_by: json([]),
        unix_name: null,
        attributes: json({}),
        created_at: kit.clock.now(),
      })
      .execute();
    const message = { to: id, kind: 'token_made', request_id: null, body: {} } as const;
    await transact(async (tx) => {
      await sendLater(tx, [message]);
      await new Promise((done) => setTimeout(done, 100));
      expect(mail.mails).toEqual([]);
    });
    await expect.poll(() => mail.mails.length).toBe(1);
    await expect.poll(async () => (await messagesOf(kit))[0]?.state).toBe('delivered');
    expect(errors).toEqual([]);
  });
});
