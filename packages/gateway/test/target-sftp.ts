import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { type SFTPWrapper, utils } from 'ssh2';

const { STATUS_CODE, OPEN_MODE } = utils.sftp;

/** Enough of SFTP version 3 for put and get below one folder. */
export function serveSftp(sftp: SFTPWrapper, directory: string): void {
  // sftp-server ends when its input does, with status 0: scp takes nothing less for a success.
  sftp.once('end', () => {
    const wire = sftp as unknown as {
      _protocol: { exitStatus: (channel: number, status: number) => void };
      outgoing: { id: number };
    };
    wire._protocol.exitStatus(wire.outgoing.id, 0);
    sftp.end();
  });
  const at = (path: string) => join(directory, normalize(`/${path}`));
  const handle = (file: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(file);
    return bytes;
  };
  const attempt = (id: number, run: () => void) => {
    try {
      run();
    } catch (error) {
      const missing = (error as { code?: string }).code === 'ENOENT';
      sftp.status(id, missing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  const attributes = (s: { mode: number; uid: number; gid: number; size: number }) => ({
    mode: s.mode,
    uid: s.uid,
    gid: s.gid,
    size: s.size,
    atime: 0,
    mtime: 0,
  });
  sftp.on('REALPATH', (id, path) => {
    const filename = normalize(`/${path}`);
    sftp.name(id, [{ filename, longname: filename, attrs: {} as never }]);
  });
  for (const event of ['STAT', 'LSTAT'] as const)
    sftp.on(event, (id: number, path: string) =>
      attempt(id, () => sftp.attrs(id, attributes(statSync(at(path))))),
    );
  sftp.on('FSTAT', (id, file) =>
    attempt(id, () => sftp.attrs(id, attributes(fstatSync(file.readUInt32BE(0))))),
  );
  sftp.on('OPEN', (id, path, flags) =>
    attempt(id, () =>
      sftp.handle(id, handle(openSync(at(path), (flags & OPEN_MODE.WRITE) === 0 ? 'r' : 'w'))),
    ),
  );
  sftp.on('WRITE', (id, file, offset, data) =>
    attempt(id, () => {
      writeSync(file.readUInt32BE(0), data, 0, data.length, offset);
      sftp.status(id, STATUS_CODE.OK);
    }),
  );
  sftp.on('READ', (id, file, offset, length) =>
    attempt(id, () => {
      const bytes = Buffer.alloc(Math.min(length, 32_768));
      const read = readSync(file.readUInt32BE(0), bytes, 0, bytes.length, offset);
      if (read === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, bytes.subarray(0, read));
    }),
  );
  sftp.on('CLOSE', (id, file) =>
    attempt(id, () => {
      closeSync(file.readUInt32BE(0));
      sftp.status(id, STATUS_CODE.OK);
    }),
  );
  for (const event of ['SETSTAT', 'FSETSTAT'] as const)
    sftp.on(event, (id: number) => sftp.status(id, STATUS_CODE.OK));
}
