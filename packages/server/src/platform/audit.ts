import { type EventType, type Instant, instant } from '@postern/shared';
import { type Kysely, sql } from 'kysely';
import type { DatabaseHandle } from './db.ts';
import type { Ids } from './ids.ts';
import { findSecret, withoutSecrets } from './redaction.ts';
import { type Database, json } from './schema.ts';

/** A thing an event names. The name is as it was then. */
export interface EventReference {
  readonly type: string;
  readonly id: string | null;
  readonly name: string | null;
}

export interface NewEvent {
  readonly type: EventType;
  readonly actor: EventReference;
  readonly targets: readonly EventReference[];
  readonly outcome: { readonly result: 'success' | 'failure'; readonly reason: string | null };
  /** An access request. */
  readonly request_id?: string | null;
  readonly rule_ids?: readonly string[];
  readonly session_id?: string | null;
  readonly client_address?: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Something secret in an event is a bug: tests `refuse` it, production `drop`s it and goes on. */
export type SecretPolicy = 'refuse' | 'drop';

interface EventWorld {
  readonly now: Instant;
  readonly ids: Ids;
  readonly secrets: SecretPolicy;
}

/** Writes the events' rows in the caller's transaction; they are numbered after the commit. */
export async function insertEvents(
  handle: Kysely<Database>,
  world: EventWorld,
  events: readonly NewEvent[],
): Promise<void> {
  for (let i = 0; i < events.length; i += ROWS)
    await handle
      .insertInto('audit_events')
      .values(events.slice(i, i + ROWS).map((event) => rowOf(world, event)))
      .execute();
}

/** In one statement: well below the 65,535 parameters that it may have. */
const ROWS = 1_000;

function rowOf(world: EventWorld, event: NewEvent) {
  const details = event.details ?? {};
  const found = findSecret(details);
  if (found !== undefined && world.secrets === 'refuse')
    throw new Error(`audit event ${event.type}: details${found} is secret`);
  return {
    id: world.ids.uuid(),
    at: world.now,
    type: event.type,
    actor: json(event.actor),
    targets: json(event.targets),
    outcome: json(event.outcome),
    request_id: event.request_id ?? null,
    rule_ids: json(event.rule_ids ?? []),
    session_id: event.session_id ?? null,
    client_address: event.client_address ?? null,
    details: json(found === undefined ? details : withoutSecrets(details)),
  };
}

/** When the latest event was; what the clock guard must have seen, so that a restart forgets no step back. */
export async function latestEventAt({ sql }: Pick<DatabaseHandle, 'sql'>): Promise<Instant> {
  const { at } = await sql
    .selectFrom('audit_events')
    .select((eb) => eb.fn.max('at').as('at'))
    .executeTakeFirstOrThrow();
  return (at as Instant | null) ?? instant(0);
}

const APPENDER_LOCK = 7_063_905_448;
const BATCH = 1_000;

/**
 * Numbers committed events that have no number: 1, 2, 3, … without a gap, whatever rolled
 * back. One process at a time, by an advisory lock; who does not get it does nothing.
 *
 * @returns how many it numbered.
 */
export function numberEvents(db: Pick<DatabaseHandle, 'transact'>): Promise<number> {
  return db.transact(async (handle) => {
    const lock = await sql<{ held: boolean }>`
      select pg_try_advisory_xact_lock(${sql.lit(APPENDER_LOCK)}) as held`.execute(handle);
    if (!lock.rows[0]?.held) return 0;
    // A statement of its own: its snapshot must be taken under the lock.
    const numbered = await sql<{ id: string }>`
      with pending as (
        select id, row_number() over (order by at, id) as position
        from (select id, at from audit_events where seq is null order by at, id limit ${sql.lit(BATCH)}) batch
      )
      update audit_events set seq = position + (select coalesce(max(seq), 0) from audit_events)
      from pending where pending.id = audit_events.id
      returning audit_events.id`.execute(handle);
    return numbered.rows.length;
  });
}

export interface Appender {
  stop(): Promise<void>;
}

/**
 * Numbers events twice a second. A timer and not a job: it must go on by itself, and a job
 * per event would double what each change writes.
 */
export function startAppender(
  db: Pick<DatabaseHandle, 'transact'>,
  onError: (error: unknown) => void,
  intervalMs = 500,
): Appender {
  let running: Promise<void> | undefined;
  const round = async (): Promise<void> => {
    try {
      while ((await numberEvents(db)) === BATCH);
    } catch (error) {
      onError(error);
    }
    running = undefined;
  };
  const timer = setInterval(() => {
    running ??= round();
  }, intervalMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
