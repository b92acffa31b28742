import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface Recordings {
  /** The recording's bytes; undefined when it is not here. */
  open(sessionId: string): Promise<Readable | undefined>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Recordings that gateways on this host, or on a shared file system, wrote to a directory. */
export const recordingsIn = (directory: string): Recordings => ({
  open: async (sessionId) => {
    if (!UUID.test(sessionId)) return undefined;
    const file = join(directory, `${sessionId}.cast`);
    const found = await stat(file).catch(() => undefined);
    return found?.isFile() ? createReadStream(file) : undefined;
  },
});
