// The process of initdb.ts: argument 1 is the folder to create. It holds nothing but a
// fresh data directory when this ends with 0.
import { openDurable } from './pglite-durable.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: initdb-main DIRECTORY');
const pglite = await openDurable(directory);
await pglite.close();
