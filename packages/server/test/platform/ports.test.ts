import { fromRfc3339, type Instant } from '@postern/shared';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { latestEventAt, type NewEvent, numberEvents } from '../../src/platform/audit.ts';
import { findSecret, isSecretName, withoutSecrets } from '../../src/platform/redaction.ts';
import { createTransact } from '../../src/platform/tx.ts';
import { onBoth } from '../kit/index.ts';

const event: NewEvent = {
  type: 'pam.service.start',
  actor: { type: 'system', id: null, name: 'postern' },
  targets: [{ type: 'server', id: null, name: 'opa-demo-linux' }],
  outcome: { result: 'success', reason: null },
};

onBoth('audit', (kit) => {
  const seqs = async (): Promise<(number | null)[]> => {
    const rows = await kit.db.sql.selectFrom('audit_events').select('seq').orderBy('seq').execute();
    return rows.map(({ seq }) => seq);
  };

  test('an event is written as it was given, at the transaction’s instant, without a number', async () => {
    const full = {
      ...event,
      rule_ids: ['r1'],
      details: { a: ['b'], at: 1 },
      client_address: '::1',
    };
    expect(await latestEventAt(kit.db)).toBe(0);
    await kit.transact((tx) => tx.audit(full));
    expect(await latestEventAt(kit.db)).toBe(kit.clock.now());
    const rows = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
    expect(rows).toMatchObject([{ ...full, seq: null, at: kit.clock.now(), request_id: null }]);
  });

  test('numbers have no gaps, whatever rolled back, and are given once', async () => {
    for (let i = 0; i < 20; i++)
      await kit
        .transact(async (tx) => {
          await tx.audit(event);
          if (i % 3 === 0) throw new Error('rolled back');
        })
        .catch(() => {});
    await Promise.all([numberEvents(kit.db), numberEvents(kit.db), numberEvents(kit.db)]);
    await numberEvents(kit.db);
    expect(await seqs()).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    await kit.transact((tx) => tx.audit(event));
    expect(await numberEvents(kit.db)).toBe(1);
    expect(await numberEvents(kit.db)).toBe(0);
    expect((await seqs()).at(-1)).toBe(15);
  });

  test('an event still open in another transaction is not waited for, and is numbered later', async () => {
    if (kit.kind === 'pglite') return; // one connection: nothing is ever open meanwhile
    let commit = () => {};
    const open = kit.transact(async (tx) => {
      await tx.audit(event);
      await new Promise<void>((done) => {
        commit = done;
      });
    });
    await expect.poll(() => commit.name).toBe('');
    const before = (await seqs()).length;
    expect(await numberEvents(kit.db)).toBe(0);
    commit();
    await open;
    expect(await numberEvents(kit.db)).toBe(1);
    expect(await seqs()).toEqual(Array.from({ length: before + 1 }, (_, i) => i + 1));
  });

  test.each([
    "update audit_events set type = 'x'",
    'update audit_events set seq = null',
    'update audit_events set seq = seq + 1000',
    'delete from audit_events',
    'truncate audit_events',
  ])('refused by the database: %s', async (statement) => {
    await expect(sql.raw(statement).execute(kit.db.sql)).rejects.toThrow(/append-only/);
  });

  test('refused: a secret in the details; in production it is dropped', async () => {
    const leaking = { ...event, details: { account: { password: 'hunter2' }, kept: 1 } };
    await expect(kit.transact((tx) => tx.audit(leaking))).rejects.toThrow(
      'details/account/password is secret',
    );
    const production = createTransact({
      ...kit,
      jobs: { enqueue: async () => {} },
      secrets: 'drop',
    });
    await production((tx) => tx.audit(leaking));
    const { details } = await kit.db.sql
      .selectFrom('audit_events')
      .select('details')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(details).toEqual({ account: {}, kept: 1 });
  });
});

test.each([
  'password',
  'old_password',
  'privateKey',
  'Set-Cookie',
  'access_token',
  'Authorization',
])('secret name: %s', (name) => expect(isSecretName(name)).toBe(true));
test.each(['token_id', 'password_set_at', 'secretary', 'public_key', 'tokens_count'])(
  'not a secret name: %s',
  (name) => expect(isSecretName(name)).toBe(false),
);
test('a private key is secret wherever it stands, and so are bytes', () => {
  const pem = `x -----BEGIN OPENSSH PRIVATE KEY-----`;
  expect(findSecret({ a: [{ b: pem }] })).toBe('/a/0/b');
  expect(findSecret({ a: Buffer.from('x') })).toBe('/a');
  expect(
    findSecret({ a: { token: null }, b: fromRfc3339('2026-03-02T09:00:00Z') as Instant }),
  ).toBe(undefined);
  expect(withoutSecrets({ a: [{ b: pem, token: 'x', c: 1 }] })).toEqual({
    a: [{ b: '[redacted]', c: 1 }],
  });
});
