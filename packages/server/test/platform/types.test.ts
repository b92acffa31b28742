import { instant } from '@postern/shared';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { INSTANT_COLUMN, ts } from '../../src/platform/instants.ts';
import { json } from '../../src/platform/schema.ts';
import { onBoth } from '../kit/index.ts';

// SQL expression → what a row holds. Identical on both databases.
const VALUES: [string, unknown][] = [
  [`true`, true],
  [`7::int2`, 7],
  [`7::int4`, 7],
  [`9007199254740991::int8`, 9007199254740991],
  [`(select count(*) from (values (1), (2)) v)`, 2],
  [`1.5::float8`, 1.5],
  [`1.5::float4`, 1.5],
  [`12.30::numeric`, '12.30'],
  [`'x'::text`, 'x'],
  [`'x'::varchar(5)`, 'x'],
  [`''::text`, ''],
  [`'0199d3a5-0000-7000-8000-000000000001'::uuid`, '0199d3a5-0000-7000-8000-000000000001'],
  [`'2026-03-02T09:00:00.123Z'::timestamptz`, Date.parse('2026-03-02T09:00:00.123Z')],
  [`'2026-03-02T09:00:00.123999+05:30'::timestamptz`, Date.parse('2026-03-02T03:30:00.123Z')],
  [`'2026-03-02'::date`, '2026-03-02'],
  [`'09:30'::time`, '09:30:00'],
  [`'2026-03-02 09:00'::timestamp`, '2026-03-02 09:00:00'],
  [`'1 day 02:00'::interval`, '1 day 02:00:00'],
  [`'10.0.0.0/8'::cidr`, '10.0.0.0/8'],
  [`'10.0.0.1'::inet`, '10.0.0.1'],
  [`'{"a":[1,null]}'::jsonb`, { a: [1, null] }],
  [`'[1]'::json`, [1]],
  [`'"text"'::jsonb`, 'text'],
  [`'\\x00ff'::bytea`, Buffer.from([0, 255])],
  [`array['a,"b','c', null]::text[]`, ['a,"b', 'c', null]],
  [`array[1,2]::int4[]`, [1, 2]],
  [`array[1,2]::int8[]`, [1, 2]],
  [
    `array['0199d3a5-0000-7000-8000-000000000001']::uuid[]`,
    ['0199d3a5-0000-7000-8000-000000000001'],
  ],
  [`array['2026-03-02T09:00:00Z']::timestamptz[]`, [Date.parse('2026-03-02T09:00:00Z')]],
  [`array['2026-03-02']::date[]`, ['2026-03-02']],
  [`array['{"a":1}']::jsonb[]`, [{ a: 1 }]],
  [`null::int8`, null],
  [`null::timestamptz`, null],
];

onBoth('column types', (kit) => {
  test.each(VALUES)('%s', async (expression, expected) => {
    const { rows } = await sql<{ v: unknown }>`select ${sql.raw(expression)} as v`.execute(
      kit.db.sql,
    );
    expect(rows[0]?.v).toStrictEqual(expected);
  });

  test.each(['9007199254740992', '-9007199254740992'])('int8 %s is refused', async (n) => {
    await expect(sql`select ${sql.raw(n)}::int8 as v`.execute(kit.db.sql)).rejects.toThrow(/2\^53/);
  });

  test.each(['infinity', '-infinity', '0044-03-15 BC'])('timestamptz %s is refused', async (at) => {
    await expect(sql`select ${sql.lit(at)}::timestamptz as v`.execute(kit.db.sql)).rejects.toThrow(
      /not an instant/,
    );
  });

  test('an Instant survives every way the query builder takes it', async () => {
    const at = instant(Date.parse('2026-03-02T09:00:00.123Z'));
    const row = event(kit.ids.uuid(), at);
    await kit.db.sql
      .insertInto('audit_events')
      .values([row, event(kit.ids.uuid(), at)])
      .execute();
    const from = () => kit.db.sql.selectFrom('audit_events').select('at');
    for (const query of [
      from().where('at', '=', at),
      from().where('audit_events.at', '>=', at),
      from().where('at', 'in', [at, instant(0)]),
      from().where((eb) => eb.between('at', at, at)),
      from().where((eb) => eb.or([eb('at', '=', at), eb('at', '<', instant(1))])),
      from().where(sql<boolean>`at = ${ts(at)}`),
    ]) {
      expect(await query.execute()).toStrictEqual([{ at }, { at }]);
    }
  });

  test('jsonb takes arrays, texts and nested objects through json()', async () => {
    for (const value of [[1, 'a'], 'text', { a: { b: [] } }, [], null, 3]) {
      const { rows } = await sql<{ v: unknown }>`select ${json(value)}::jsonb as v`.execute(
        kit.db.sql,
      );
      expect(rows[0]?.v).toStrictEqual(value);
    }
  });

  test('arrays as parameters', async () => {
    const ids = [kit.ids.uuid(), kit.ids.uuid()];
    const { rows } = await sql<{ v: unknown }>`select ${ids}::uuid[] as v`.execute(kit.db.sql);
    expect(rows[0]?.v).toStrictEqual(ids);
  });

  // What the parsers know, and what the Instant compiler goes by.
  const USED = new Set(
    'bool bytea int2 int4 int8 float8 numeric text uuid timestamptz date time jsonb _text _uuid _int4 inet cidr'.split(
      ' ',
    ),
  );
  test('every column has a known type, and is called *_at, *_until, *_before or *_since exactly when it is an instant', async () => {
    const { rows } = await sql<{ table: string; column: string; type: string }>`
      select table_name as "table", column_name as "column", udt_name as type
      from information_schema.columns where table_schema = 'public'`.execute(kit.db.sql);
    expect(rows.length).toBeGreaterThan(10);
    const wrong = rows.filter(
      ({ column, type }) =>
        !USED.has(type) || INSTANT_COLUMN.test(column) !== (type === 'timestamptz'),
    );
    expect(wrong).toEqual([]);
  });
});

const event = (id: string, at: ReturnType<typeof instant>) => ({
  id,
  at,
  type: 'pam.service.start',
  actor: json({ type: 'system', id: null, name: null }),
  targets: json([]),
  outcome: json({ result: 'success', reason: null }),
  request_id: null,
  rule_ids: json([]),
  session_id: null,
  client_address: null,
  details: json({}),
});
