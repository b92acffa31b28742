import { PGlite } from '@electric-sql/pglite';
import { DURABLE_START_PARAMS, DurableNodeFS } from './durable-fs.ts';
import { pgliteParsers } from './parsers.ts';

/** Opens the data directory, creating it (not atomically) when there is none. */
export const openDurable = (directory: string, onSync?: () => void): Promise<PGlite> =>
  PGlite.create({
    fs: new DurableNodeFS(directory, onSync),
    parsers: pgliteParsers(),
    startParams: DURABLE_START_PARAMS,
  });
