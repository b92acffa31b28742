import { messages, type PGlite, parse, protocol, type Results } from '@electric-sql/pglite';
import { STALE_STATEMENT, STATEMENTS_KEPT } from './backend.ts';

const { serialize } = protocol;

type Message = Awaited<ReturnType<PGlite['execProtocolStream']>>[number];

interface Statement {
  readonly name: string;
  /** The OID of each parameter's type. */
  readonly types: readonly number[];
  /** What its rows are, as PostgreSQL describes them; none for what gives no rows. */
  readonly row: readonly Message[];
}

export interface Queries {
  /** Alone, as a transaction of its own. */
  query<T>(text: string, params?: readonly unknown[]): Promise<Results<T>>;
  /** In the transaction that PGlite is in. */
  queryInside<T>(text: string, params?: readonly unknown[]): Promise<Results<T>>;
}

/**
 * Queries of one PGlite, each in one call of its WASM, on statements that stay prepared:
 * PGlite's own `query` makes six calls and has each text parsed and planned again, five times
 * the processor's time. Of too many, what was asked longest ago goes. Values and rows are
 * converted by the same tables as there. Plans are PostgreSQL's to keep or to renew.
 */
export function preparedQueries(pglite: PGlite): Queries {
  const kept = new Map<string, Statement>();
  let serial = 0;

  async function send(...parts: Uint8Array[]) {
    const answers = await pglite.execProtocolStream(Buffer.concat(parts), {
      syncToFs: false, // its file systems here are written through
      throwOnError: false,
    });
    // Not thrown by PGlite itself, which then puts the text and the values into it.
    const error = answers.find((answer) => answer instanceof messages.DatabaseError);
    if (error) throw error;
    return answers;
  }

  async function prepared(text: string): Promise<Statement> {
    const known = kept.get(text);
    if (known !== undefined) kept.delete(text);
    const statement = known ?? (await prepare(text));
    kept.set(text, statement);
    const [oldest] = kept.size > STATEMENTS_KEPT ? kept : [];
    if (oldest !== undefined) await forget(...oldest);
    return statement;
  }

  async function prepare(text: string): Promise<Statement> {
    const name = `q${serial++}`;
    const described = await send(
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    );
    const row = described.filter((answer) => answer instanceof messages.RowDescriptionMessage);
    return { name, types: parse.parseDescribeStatementResults(described), row };
  }

  async function forget(text: string, { name }: Statement): Promise<void> {
    kept.delete(text);
    await send(serialize.close({ type: 'S', name }), serialize.sync());
  }

  const textOf = (value: unknown, type: number | undefined): string | null => {
    if (value === null || value === undefined) return null;
    return pglite.serializers[type ?? 0]?.(value) ?? String(value);
  };

  async function run<T>(text: string, params: readonly unknown[]): Promise<Results<T>> {
    const statement = await prepared(text);
    const values = params.map((value, i) => textOf(value, statement.types[i]));
    try {
      const answers = await send(
        serialize.bind({ statement: statement.name, values }),
        serialize.execute({}),
        serialize.sync(),
      );
      return parse.parseResults([...statement.row, ...answers], pglite.parsers)[0] as Results<T>;
    } catch (error) {
      if ((error as { code?: unknown }).code === STALE_STATEMENT) await forget(text, statement);
      throw error;
    }
  }

  const queryInside: Queries['queryInside'] = (text, params = []) =>
    pglite._runExclusiveQuery(() => run(text, params));
  return {
    queryInside,
    query: async (text, params) => {
      await pglite._checkReady();
      return await pglite._runExclusiveTransaction(() => queryInside(text, params));
    },
  };
}
