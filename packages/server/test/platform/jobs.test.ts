import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/platform/db.ts';
import { QUEUES } from '../../src/platform/job-table.ts';
import { type Jobs, startJobs } from '../../src/platform/jobs.ts';
import { createTransact, type Transact } from '../../src/platform/tx.ts';
import { onBoth } from '../kit/index.ts';
import { NEVER } from '../kit/still.ts';

onBoth('jobs', (kit) => {
  let jobs: Jobs;
  let transact: Transact;
  const errors: unknown[] = [];
  const worked: string[] = [];
  const ping = (id: string) => ({ name: 'platform.ping', payload: { id } }) as const;

  const begin = async (pollSeconds?: Parameters<typeof startJobs>[3]) => {
    jobs = await startJobs(kit.db, (error) => errors.push(error), undefined, pollSeconds);
    transact = createTransact({ ...kit, jobs, secrets: 'refuse' });
    await jobs.work('platform.ping', async ({ id }) => {
      worked.push(id);
      if (id === 'fails once' && worked.filter((w) => w === id).length === 1)
        throw new Error('once');
    });
  };
  afterAll(() => jobs?.stop());

  describe('by wake-ups alone', () => {
    beforeAll(() => begin(NEVER));
    afterAll(() => jobs?.stop());

    test('wake-ups are on, both here and on every queue: one of the two alone polls, silently', async () => {
      expect(jobs.listening).toBe(true);
      const queues = await jobs.boss.getQueues();
      const named = queues.filter(({ name }) => name in QUEUES);
      expect(named.map(({ name }) => name).sort()).toEqual(Object.keys(QUEUES).sort());
      expect(named.filter(({ notify }) => notify !== true)).toEqual([]);
      expect(errors).toEqual([]);
    });

    test('a job exists when its transaction commits, and only then; it is taken without polling', async () => {
      await transact(async (tx) => {
        await tx.enqueue(ping('a'));
        await new Promise((done) => setTimeout(done, 100));
        expect(worked).not.toContain('a');
      });
      await expect.poll(() => worked).toContain('a');
      await transact(async (tx) => {
        await tx.enqueue(ping('rolled back'));
        throw new Error('no');
      }).catch(() => {});
      await transact((tx) => tx.enqueue(ping('b')));
      await expect.poll(() => worked).toContain('b');
      expect(worked).not.toContain('rolled back');
    });

    test('many that came at once are all taken, though they woke each worker once', async () => {
      const ids = Array.from({ length: 20 }, (_, i) => `at once ${i}`);
      await transact(async (tx) => {
        for (const id of ids) await tx.enqueue(ping(id));
      });
      await expect.poll(() => worked).toEqual(expect.arrayContaining(ids));
    });
  });

  describe('whatever becomes of a wake-up', () => {
    beforeAll(() => begin({ woken: 1, deaf: 1 }));

    test('a handler that throws gets the job again', async () => {
      await transact((tx) => tx.enqueue(ping('fails once')));
      await expect.poll(() => worked.filter((w) => w === 'fails once').length).toBe(2);
    });

    test('each job reaches one worker of one process', async () => {
      if (kit.kind === 'pglite') return; // one process
      const db = await openDatabase(kit.settings);
      const other = await startJobs(db, (error) => errors.push(error));
      await other.work('platform.ping', async ({ id }) => {
        worked.push(id);
      });
      const ids = Array.from({ length: 30 }, (_, i) => `many ${i}`);
      await Promise.all(ids.map((id) => transact((tx) => tx.enqueue(ping(id)))));
      await expect
        .poll(() => ({ many: worked.filter((w) => w.startsWith('many')).sort(), errors }))
        .toEqual({ many: [...ids].sort(), errors: [] });
      await other.stop();
      await db.close();
    });
  });
});
