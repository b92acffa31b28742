import type { ParsedKey } from 'ssh2';
import type { Listener } from './address.ts';
import type { OpenSink } from './appender.ts';
import type { Limits } from './limits.ts';
import type { Logger } from './log.ts';
import type { ServicePort } from './service-port.ts';

export interface HostKey {
  readonly parsed: ParsedKey;
  readonly blob: Buffer;
  /** `ssh-ed25519 AAAA…` */
  readonly line: string;
}

/** Everything the gateway reaches outside itself. */
export interface World {
  readonly service: ServicePort;
  readonly log: Logger;
  readonly limits: Limits;
  readonly hostKey: HostKey;
  readonly recordingDirectory: string;
  readonly openSink: OpenSink;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
  /** Milliseconds since the epoch: for recordings and records, never for a deadline. */
  readonly now: () => number;
  readonly listener: () => Listener;
}

/** Runs a handler so that what it throws ends its own connection and no other. */
export type Guard = <A extends unknown[]>(handler: (...args: A) => void) => (...args: A) => void;
