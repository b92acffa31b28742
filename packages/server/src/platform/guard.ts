import { AsyncLocalStorage } from 'node:async_hooks';
import type { Dialect, DialectAdapter, Driver } from 'kysely';

/**
 * Knows whether the code that runs now runs inside a transaction, so that using the outer
 * handle there throws instead of waiting for itself for ever (PGlite) or silently leaving
 * the transaction (PostgreSQL).
 */
export class TransactionScope {
  readonly #storage = new AsyncLocalStorage<{ open: boolean }>();

  async inside<T>(fn: () => Promise<T>): Promise<T> {
    const scope = { open: true };
    try {
      return await this.#storage.run(scope, fn);
    } finally {
      scope.open = false;
    }
  }

  /** Runs `fn` as if outside: for callbacks that merely happen to be called from within. */
  outside<T>(fn: () => T): T {
    return this.#storage.exit(fn);
  }

  refuseInside(): void {
    if (!this.#storage.getStore()?.open) return;
    throw new Error(
      'the database handle was used inside a transaction: use the handle the transaction was given',
    );
  }
}

/**
 * `inner`, refusing a connection inside a transaction before waiting for one; with
 * `single`, one user of the connection at a time.
 */
export function guarded(inner: Dialect, scope: TransactionScope, single: boolean): Dialect {
  return {
    createAdapter: () => manyConnections(inner.createAdapter()),
    createDriver: () =>
      guardedDriver(inner.createDriver(), scope, single ? new Mutex() : undefined),
    createIntrospector: (db) => inner.createIntrospector(db),
    createQueryCompiler: () => inner.createQueryCompiler(),
  };
}

/** Kysely's own mutex would be waited for before the driver is asked; ours comes after the check. */
function manyConnections(adapter: DialectAdapter): DialectAdapter {
  Object.defineProperty(adapter, 'supportsMultipleConnections', { value: true });
  return adapter;
}

function guardedDriver(driver: Driver, scope: TransactionScope, mutex: Mutex | undefined): Driver {
  const acquire = driver.acquireConnection.bind(driver);
  const release = driver.releaseConnection.bind(driver);
  driver.acquireConnection = async (options) => {
    scope.refuseInside();
    await mutex?.lock();
    try {
      return await acquire(options);
    } catch (error) {
      mutex?.unlock();
      throw error;
    }
  };
  driver.releaseConnection = async (connection, options) => {
    try {
      await release(connection, options);
    } finally {
      mutex?.unlock();
    }
  };
  return driver;
}

/** First come, first served. */
class Mutex {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  async lock(): Promise<void> {
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#held = true;
  }

  unlock(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#held = false;
  }
}
