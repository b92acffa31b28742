import type { Dialect } from 'kysely';
import type { ConstructorOptions } from 'pg-boss';

/** How many statements stay prepared on one connection. */
export const STATEMENTS_KEPT = 256;
/** SQLSTATE of `cached plan must not change result type`: a table was altered meanwhile. */
export const STALE_STATEMENT = '0A000';

export type DatabaseKind = 'pglite' | 'postgres';

export interface Listening {
  close(): Promise<void>;
}

/** Plain SQL on one connection, without Kysely: for migrations. */
export interface RawSession {
  query<R>(text: string, params?: unknown[]): Promise<R[]>;
  transaction<T>(fn: (tx: RawTransaction) => Promise<T>): Promise<T>;
}
export interface RawTransaction {
  /** Several statements, no parameters. */
  script(text: string): Promise<void>;
  query(text: string, params: unknown[]): Promise<void>;
}

/** What a kind of database brings; `openDatabase` makes the handle from it. */
export interface Backend {
  readonly kind: DatabaseKind;
  readonly dialect: Dialect;
  /** One connection for everybody. */
  readonly single: boolean;
  readonly boss: ConstructorOptions;
  listen(
    channel: string,
    onPayload: (payload: string) => void,
    onConnected: () => void,
  ): Promise<Listening>;
  session<T>(fn: (session: RawSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
