import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ChildWelcome } from '@postern/shared';
import { Value } from 'typebox/value';

/** The pipe to the service that started this gateway as its child. */
export interface Parent {
  /** Says who this gateway is. @returns the id under which the service knows it */
  introduce(hello: unknown): Promise<string>;
  /** Calls back once when the pipe closes: the parent is gone. */
  onGone(callback: () => void): void;
}

const PIPE = 3;
const WELCOME_MS = 30_000;

/** Descriptor 3, inherited; one JSON line each way, then held open as a sign of life. */
export function openParent(): Parent {
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  pipe.on('error', () => undefined);
  const lines = createInterface({ input: pipe });
  return {
    introduce: (hello) =>
      new Promise((done, fail) => {
        const timer = setTimeout(() => fail(new Error('the parent did not answer')), WELCOME_MS);
        lines.once('line', (line) => {
          clearTimeout(timer);
          const welcome: unknown = JSON.parse(line);
          if (Value.Check(ChildWelcome, welcome)) done(welcome.gateway_id);
          else fail(new Error('the parent answered something else than agreed'));
        });
        pipe.once('close', () => fail(new Error('the parent is gone')));
        pipe.write(`${JSON.stringify(hello)}\n`);
      }),
    onGone: (callback) => {
      pipe.once('close', callback);
    },
  };
}
