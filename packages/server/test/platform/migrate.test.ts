import { createHash } from 'node:crypto';
import { EXIT } from '@postern/shared';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Migration, migrate, readMigrations } from '../../src/platform/migrate.ts';
import { onBoth } from '../kit/index.ts';

const file = (name: string, text: string): Migration => ({
  name,
  text,
  checksum: createHash('sha256').update(text).digest('hex'),
});
const present = readMigrations();

onBoth('migrations', (kit) => {
  const tables = async (name: string): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from information_schema.tables where table_name = ${name}`.execute(
      kit.db.sql,
    );
    return rows[0]!.n;
  };

  test('a second run applies nothing', async () => {
    expect(await migrate(kit.db)).toEqual([]);
  });

  test('a file that fails half-way leaves nothing behind, and is one line with exit 78', async () => {
    const bad = file('9000-bad.sql', 'create table half (id int); select 1/0;');
    const failure = migrate(kit.db, [...present, bad]);
    await expect(failure).rejects.toMatchObject({ name: 'StartupError', exit: EXIT.config });
    await expect(failure).rejects.toThrow(/^migration 9000-bad\.sql failed: division by zero$/);
    expect(await tables('half')).toBe(0);
    expect(await migrate(kit.db)).toEqual([]);
  });

  test('a new file is applied once, in order, several statements at a time', async () => {
    const more = [
      file('9001-one.sql', 'create table one (id int); insert into one values (1);'),
      file('9002-two.sql', 'create table two (id int); insert into two select id from one;'),
    ];
    const runs = await Promise.all([
      migrate(kit.db, [...present, ...more]),
      kit.kind === 'postgres' ? migrate(kit.db, [...present, ...more]) : [],
    ]);
    expect(runs.flat()).toEqual(['9001-one.sql', '9002-two.sql']);
    expect(await tables('two')).toBe(1);
  });

  test('refused: a file changed after it was applied', async () => {
    const changed = [...present, file('9001-one.sql', 'select 2'), file('9002-two.sql', '')];
    await expect(migrate(kit.db, changed)).rejects.toThrow(
      /^migration 9001-one\.sql was changed after it was applied\.$/,
    );
  });

  test('refused: a database newer than the program', async () => {
    await expect(migrate(kit.db, present)).rejects.toThrow(/newer than this program: .*9001-one/);
  });
});

test('refused: a file that would come before one already applied has no place in the order', () => {
  const names = present.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  expect(names[0]).toBe('0000-platform.sql');
});
