import type { Socket } from 'node:net';
import type { Limits } from './limits.ts';

interface Side {
  readonly socket: Socket;
  readonly rekey: () => void;
  bytes: number;
  at: number;
}

/** Fresh session keys after so many bytes or so much time (RFC 4253 §9), for each side apart. */
export class Rekeying {
  readonly #limits: Pick<Limits, 'rekeyBytes' | 'rekeyMs'>;
  readonly #sides: Side[] = [];

  constructor(limits: Pick<Limits, 'rekeyBytes' | 'rekeyMs'>) {
    this.#limits = limits;
  }

  watch(socket: Socket, now: number, rekey: () => void): void {
    this.#sides.push({ socket, rekey, bytes: socket.bytesRead + socket.bytesWritten, at: now });
  }

  tick(now: number): void {
    for (const side of this.#sides) {
      const bytes = side.socket.bytesRead + side.socket.bytesWritten;
      const { rekeyBytes, rekeyMs } = this.#limits;
      const due = bytes - side.bytes >= rekeyBytes || now - side.at >= rekeyMs;
      if (!due || side.socket.destroyed) continue;
      side.bytes = bytes;
      side.at = now;
      side.rekey();
    }
  }
}
