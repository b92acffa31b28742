import type { Socket } from 'node:net';

/** The promise's value, or undefined once `ms` are over; never rejects. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the socket is closed. */
export async function gone(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** For what is sent while a connection ends: ssh2 throws when it has ended meanwhile. */
export function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It is ending anyway.
  }
}
