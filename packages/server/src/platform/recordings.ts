import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface Recordings {
  /** The recording's bytes; undefined when it is not here. */
  open(sessionId: string): Promise<Readable | undefined>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whoever writes there must not make us read something else, nor wait for a pipe's other end. */
const READ_ITSELF = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Recordings that gateways on this host, or on a shared file system, wrote to a directory. */
export const recordingsIn = (directory: string): Recordings => ({
  open: async (sessionId) => {
    if (!UUID.test(sessionId)) return undefined;
    const path = join(directory, `${sessionId}.cast`);
    const file = await open(path, READ_ITSELF).catch(() => undefined);
    if (file === undefined) return undefined;
    if ((await file.stat()).isFile()) return file.createReadStream();
    await file.close();
    return undefined;
  },
});
