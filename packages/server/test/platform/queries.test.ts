import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { testedKinds, withDatabase } from '../kit/index.ts';

// What statements that stay prepared could break; PostgreSQL is held to the same.
describe.each(testedKinds())('queries [%s]', (kind) => {
  const kit = withDatabase(kind);
  const one = async (text: string, ...values: unknown[]) => {
    const parts = text.split('?').map((part) => sql.raw(part));
    const query = parts.slice(1).reduce((q, part, i) => sql`${q}${values[i]}${part}`, parts[0]!);
    const { rows } = await sql<{ v: unknown }>`${query}`.execute(kit.db.sql);
    return rows[0]?.v;
  };

  test('the same text with other values, null and long ones too, answers for these', async () => {
    const long = 'ö'.repeat(100_000);
    for (const value of ['a', '', null, "'; select 1 --", '\\', '$1', long, 'a'])
      expect(await one('select ?::text as v', value)).toBe(value);
  });

  test('an error leaves the same text, and every other, usable', async () => {
    for (let i = 0; i < 3; i++) {
      await expect(one('select 10 / ?::int as v', 0)).rejects.toMatchObject({ code: '22012' });
      expect(await one('select 10 / ?::int as v', 5)).toBe(2);
      await expect(one('select nothing as v')).rejects.toMatchObject({ code: '42703' });
    }
  });

  test('an error carries neither the query nor its values: they may be secret', async () => {
    const failing = one('select ?::text || 1 / ?::int as v', 'hunter2', 0);
    const error = (await failing.catch((reason) => reason)) as Error;
    expect(error).toMatchObject({ code: '22012' });
    const parts = [...Object.entries(error), error.message, error.stack];
    expect(JSON.stringify(parts)).not.toMatch(/hunter2|select/);
  });

  test('a table altered between two of the same text: the next but one is right again, in a transaction the next', async () => {
    await sql`create table altered (a int)`.execute(kit.db.sql);
    await sql`insert into altered values (1)`.execute(kit.db.sql);
    const read = (from = kit.db.sql) =>
      sql<object>`select * from altered where a = ${1}`.execute(from);
    expect((await read()).rows).toEqual([{ a: 1 }]);
    await sql`alter table altered add b text default 'x'`.execute(kit.db.sql);
    await expect(read()).rejects.toMatchObject({ code: '0A000' });
    expect((await read()).rows).toEqual([{ a: 1, b: 'x' }]);
    await sql`alter table altered add c text default 'y'`.execute(kit.db.sql);
    const inside = await kit.db.transact((tx) => read(tx));
    expect(inside.rows).toEqual([{ a: 1, b: 'x', c: 'y' }]);
    await sql`drop table altered`.execute(kit.db.sql);
  });

  test('a failed transaction takes no prepared statement with it', async () => {
    const failing = kit.db.sql.transaction().execute(async (tx) => {
      await sql`select ${7}::int as inside`.execute(tx);
      await sql`select 1 / ${0}::int as inside`.execute(tx);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    const { rows } = await sql`select ${7}::int as inside`.execute(kit.db.sql);
    expect(rows).toEqual([{ inside: 7 }]);
  });

  test('what counts rows counts them', async () => {
    await sql`create table counted (a int)`.execute(kit.db.sql);
    const ran = async (text: string) => (await sql.raw(text).execute(kit.db.sql)).numAffectedRows;
    expect(await ran('insert into counted values (1), (2), (3)')).toBe(3n);
    expect(await ran('update counted set a = 5 where a > 1')).toBe(2n);
    expect(await ran('delete from counted where a = 9')).toBe(0n);
    expect(await ran('delete from counted')).toBe(3n);
    await sql`drop table counted`.execute(kit.db.sql);
  });

  test('more texts than stay prepared, and the first of them again', async () => {
    for (let i = 0; i < 300; i++)
      expect(await one(`select ?::int + ${i % 290} as v`, 1)).toBe(1 + (i % 290));
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from pg_prepared_statements where statement like '%::int + %'`.execute(
      kit.db.sql,
    );
    expect(rows[0]?.n).toBeLessThanOrEqual(256);
  });
});
