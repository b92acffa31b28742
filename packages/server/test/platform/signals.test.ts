import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/platform/db.ts';
import { decode, encode, type Heard, startSignals } from '../../src/platform/signals.ts';
import { onBoth } from '../kit/index.ts';

const unexpected = (error: unknown) => {
  throw error;
};

onBoth('signals', (kit) => {
  test('heard after the commit, only then, and only by those of its kind', async () => {
    const heard: Heard[] = [];
    const signals = await startSignals(kit.db, unexpected);
    signals.on('user', (s) => heard.push(s));
    signals.on('policy', (s) => heard.push(s));
    const id = kit.ids.uuid();
    await kit.transact(async (tx) => {
      await tx.signal({ kind: 'user', id });
      await tx.signal({ kind: 'server', id });
      expect(heard).toEqual([]);
    });
    await kit
      .transact(async (tx) => {
        await tx.signal({ kind: 'user', id: kit.ids.uuid() });
        throw new Error('rolled back');
      })
      .catch(() => {});
    await kit.transact((tx) => tx.signal({ kind: 'policy' }));
    await expect.poll(() => heard).toEqual([{ kind: 'user', id }, { kind: 'policy' }]);
    await signals.close();
  });

  test('who hears may use the database at once', async () => {
    const signals = await startSignals(kit.db, unexpected);
    const read = new Promise<number>((resolve, reject) => {
      signals.on('policy', () => {
        kit.db.sql
          .selectFrom('audit_events')
          .select((eb) => eb.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
          .then(({ n }) => resolve(n), reject);
      });
    });
    await kit.transact((tx) => tx.signal({ kind: 'policy' }));
    await expect(read).resolves.toBeTypeOf('number');
    await signals.close();
  });

  test('a callback that throws does not silence the others; a stopped one hears nothing', async () => {
    const errors: unknown[] = [];
    const heard: string[] = [];
    const signals = await startSignals(kit.db, (error) => errors.push(error));
    signals.on('policy', () => {
      throw new Error('broken');
    });
    const stop = signals.on('policy', () => heard.push('stopped'));
    signals.on('policy', () => heard.push('kept'));
    stop();
    await kit.transact((tx) => tx.signal({ kind: 'policy' }));
    await expect.poll(() => heard).toEqual(['kept']);
    expect(errors).toHaveLength(1);
    await signals.close();
  });

  test('another replica hears it, and after a broken connection everything is read again', async () => {
    if (kit.kind === 'pglite') return; // one process
    const other = await openDatabase(kit.settings);
    const heard: Heard['kind'][] = [];
    const signals = await startSignals(other, () => {});
    signals.on('policy', (s) => heard.push(s.kind));
    signals.on('reload', (s) => heard.push(s.kind));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query like 'listen%' and datname = current_database()`.execute(kit.db.sql);
    await expect.poll(() => heard).toEqual(['reload']);
    await kit.transact((tx) => tx.signal({ kind: 'policy' }));
    await expect.poll(() => heard).toEqual(['reload', 'policy']);
    await signals.close();
    await other.close();
  });
});

test('ids only: anything else cannot be sent', () => {
  expect(() => encode({ kind: 'user', id: 'ana' })).toThrow(/not an id/);
});

test.each(['', 'user', 'user:x', 'sudo:0199d3a5-0000-7000-8000-000000000001', 'policy:1'])(
  'not understood: "%s"',
  (payload) => expect(decode(payload)).toBe(undefined),
);
