import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type ChildHello, ChildWelcome } from '@postern/shared';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import { ConfigError } from './config.ts';

/** The pipe to the service that started this gateway as its child. */
export interface Parent {
  /** Says who this gateway is. @returns the id under which the service knows it */
  introduce(hello: Static<typeof ChildHello>): Promise<string>;
  /** Calls back once when the pipe closes: the parent is gone. */
  onGone(callback: () => void): void;
}

const PIPE = 3;
const WELCOME_MS = 30_000;

/**
 * Descriptor 3, inherited; one JSON line each way, then held open as a sign of life.
 * @throws ConfigError when there is no such pipe
 */
export function openParent(): Parent {
  const pipe = openPipe();
  pipe.on('error', () => undefined);
  const lines = createInterface({ input: pipe });
  return {
    introduce: (hello) =>
      new Promise((done, fail) => {
        const timer = setTimeout(() => fail(new Error('the parent did not answer')), WELCOME_MS);
        lines.once('line', (line) => {
          clearTimeout(timer);
          const welcome = parse(line);
          if (Value.Check(ChildWelcome, welcome)) done(welcome.gateway_id);
          else fail(new Error('the parent answered something else than agreed'));
        });
        pipe.once('close', () => {
          clearTimeout(timer);
          fail(new Error('the parent is gone'));
        });
        pipe.write(`${JSON.stringify(hello)}\n`);
      }),
    onGone: (callback) => {
      pipe.once('close', callback);
    },
  };
}

function openPipe(): Socket {
  try {
    return new Socket({ fd: PIPE, readable: true, writable: true });
  } catch {
    throw new ConfigError(
      'without --data-dir this is a child of `posternd serve`, and there is no pipe to it',
      'usage',
    );
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
