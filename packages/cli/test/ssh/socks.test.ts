import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGreeting, readRequest } from '../../src/ssh/socks.ts';

const bytes = (...values: number[]) => Buffer.from(values);

describe('SOCKS 5', () => {
  test('a greeting that offers "none" is taken, whole only', () => {
    expect(readGreeting(bytes(5, 2, 2, 0))).toEqual({ kind: 'done', value: undefined, length: 4 });
    for (const part of [bytes(), bytes(5), bytes(5, 2), bytes(5, 2, 2)])
      expect(readGreeting(part).kind).toBe('more');
  });

  test.each([
    ['version 4', bytes(4, 1)],
    ['only user and password', bytes(5, 1, 2)],
    ['no method', bytes(5, 0)],
  ])('deny: %s', (_what, greeting) => {
    expect(readGreeting(greeting)).toEqual({ kind: 'bad', reply: bytes(5, 0xff) });
  });

  test.each([
    ['IPv4', bytes(5, 1, 0, 1, 10, 0, 0, 7, 0, 22), { host: '10.0.0.7', port: 22 }],
    [
      'a name',
      Buffer.concat([bytes(5, 1, 0, 3, 2), Buffer.from('db'), bytes(1, 0)]),
      { host: 'db', port: 256 },
    ],
    [
      'IPv6',
      Buffer.concat([bytes(5, 1, 0, 4), Buffer.alloc(15), bytes(1, 0, 80)]),
      { host: '0:0:0:0:0:0:0:1', port: 80 },
    ],
  ])('connect to %s', (_what, request, value) => {
    expect(readRequest(request)).toEqual({ kind: 'done', value, length: request.length });
    for (let n = 0; n < request.length; n++)
      expect(readRequest(request.subarray(0, n)).kind).toBe('more');
  });

  test.each([
    ['BIND', bytes(5, 2, 0, 1, 0, 0, 0, 0, 0, 1), 7],
    ['UDP', bytes(5, 3, 0, 1, 0, 0, 0, 0, 0, 1), 7],
    ['an unknown kind of address', bytes(5, 1, 0, 2, 0, 0), 8],
    ['an empty name', bytes(5, 1, 0, 3, 0, 0, 1), 8],
    [
      'a name that is none',
      Buffer.concat([bytes(5, 1, 0, 3, 3), Buffer.from('a\nb'), bytes(0, 1)]),
      8,
    ],
    ['port 0', bytes(5, 1, 0, 1, 1, 1, 1, 1, 0, 0), 1],
  ])('deny: %s', (_what, request, code) => {
    const step = readRequest(request);
    expect(step.kind === 'bad' && step.reply[1]).toBe(code);
  });

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        readGreeting(Buffer.from(input));
        readRequest(Buffer.from([5, 1, 0, ...input]));
      }),
      { seed: 7 },
    );
  });
});
