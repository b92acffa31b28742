import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { onBoth, openKit } from '../kit/index.ts';

onBoth('transactions', (kit) => {
  const count = async (): Promise<number> => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from audit_events`.execute(
      kit.db.sql,
    );
    return rows[0]!.n;
  };
  const event = {
    type: 'pam.service.start',
    actor: { type: 'system', id: null, name: null },
    targets: [],
    outcome: { result: 'success', reason: null },
  } as const;

  test('what commits is there, what throws is not', async () => {
    const before = await count();
    await kit.transact((tx) => tx.audit(event));
    await expect(
      kit.transact(async (tx) => {
        await tx.audit(event);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await count()).toBe(before + 1);
  });

  test('the outer handle inside a transaction throws, and nothing hangs afterwards', async () => {
    await expect(kit.transact(() => sql`select 1`.execute(kit.db.sql))).rejects.toThrow(
      /inside a transaction/,
    );
    await expect(
      kit.transact(() => kit.db.sql.selectFrom('audit_events').execute()),
    ).rejects.toThrow(/inside a transaction/);
    await expect(count()).resolves.toBeTypeOf('number');
  });

  test('a transaction inside a transaction throws', async () => {
    await expect(kit.transact(() => kit.transact(async () => 1))).rejects.toThrow(
      /inside a transaction/,
    );
  });

  test('what a transaction started without waiting may use the outer handle once it has ended', async () => {
    let later: Promise<number> | undefined;
    await kit.transact(async () => {
      later = new Promise((done) => setTimeout(done, 50)).then(count);
    });
    await expect(later).resolves.toBeTypeOf('number');
  });

  test('a failed statement fails the transaction even when its error is swallowed', async () => {
    const before = await count();
    await expect(
      kit.transact(async (tx) => {
        await tx.audit(event);
        await sql`select 1/0`.execute(tx.sql).catch(() => {});
      }),
    ).rejects.toThrow();
    expect(await count()).toBe(before);
  });

  test.each(['40001', '40P01'])('SQLSTATE %s runs the whole transaction again', async (state) => {
    const before = await count();
    let runs = 0;
    await kit.transact(async (tx) => {
      await tx.audit(event);
      runs += 1;
      if (runs < 3) await sql.raw(raise(state)).execute(tx.sql);
    });
    expect(runs).toBe(3);
    expect(await count()).toBe(before + 1);
  });

  test('retries end: a transaction that always fails so is given up', async () => {
    let runs = 0;
    const always = kit.transact(async (tx) => {
      runs += 1;
      await sql.raw(raise('40001')).execute(tx.sql);
    });
    await expect(always).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(6);
  });

  test('other errors are not retried', async () => {
    let runs = 0;
    const once = kit.transact(async (tx) => {
      runs += 1;
      await sql`select 1/0`.execute(tx.sql);
    });
    await expect(once).rejects.toMatchObject({ code: '22012' });
    expect(runs).toBe(1);
  });

  test('concurrent transactions and reads all get through', async () => {
    const before = await count();
    const work = Array.from({ length: 30 }, (_, i) =>
      i % 3 ? kit.transact((tx) => tx.audit(event)) : count(),
    );
    await Promise.all(work);
    expect(await count()).toBe(before + 20);
  });

  test('READ COMMITTED, in UTC', async () => {
    await kit.transact(async (tx) => {
      const { rows } = await sql`select current_setting('transaction_isolation') as isolation,
        current_setting('TimeZone') as zone`.execute(tx.sql);
      expect(rows).toEqual([{ isolation: 'read committed', zone: 'UTC' }]);
    });
  });

  test('one instant for the whole transaction', async () => {
    await kit.transact(async (tx) => {
      const first = tx.now;
      kit.clock.advance(10);
      expect(tx.now).toBe(first);
    });
  });

  test('the database tells its time', async () => {
    const before = Date.now() - 1_000;
    const now = await kit.db.now();
    expect(now).toBeGreaterThan(before);
    expect(now).toBeLessThan(Date.now() + 1_000);
  });
});

test('after close nothing hangs: it fails', async () => {
  const { db } = await openKit('pglite');
  await db.close();
  await expect(db.transact((h) => sql`select 1`.execute(h))).rejects.toThrow(/closed/);
  await expect(sql`select 1`.execute(db.sql)).rejects.toThrow(/closed/);
});

const raise = (state: string) =>
  `do $$ begin raise exception 'simulated' using errcode = '${state}'; end $$`;
