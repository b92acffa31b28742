import { operations } from '@postern/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { forwardSpec } from '../src/access/forward-spec.ts';
import { methodOf, pathOf, ROUTES, type RouteId } from '../src/api/routes.ts';
import { eventsOf } from '../src/api/server-sent.ts';
import { duration, parseDuration } from '../src/render/duration.ts';
import { stillNeeded } from '../src/render/needed.ts';
import { widthOf } from '../src/render/render.ts';
import { VERSION } from '../src/version.ts';
import { accessRequest } from './fake/things.ts';

describe('routes', () => {
  test.each(Object.keys(ROUTES) as RouteId[])('%s is the operation of the contract', (id) => {
    expect(ROUTES[id]).toBe(`${operations[id].method} ${operations[id].path}`);
    expect(methodOf(id)).toBe(operations[id].method);
  });

  test('a parameter never leaves its place in the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(!/^\.{1,2}$/.test(text) && text.isWellFormed());
        const path = pathOf('getAccessRequest', { team: 'demo', id: text });
        const url = new URL(path, 'http://127.0.0.1');
        expect(url.pathname.split('/')).toHaveLength(6);
        expect([url.search, url.hash]).toEqual(['', '']);
      }),
      { seed: 7 },
    );
    for (const id of ['', '.', '..'])
      expect(() => pathOf('getAccessRequest', { team: 'd', id })).toThrow();
  });
});

async function* chunked(text: string, size: number): AsyncIterable<string> {
  for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
}

async function collect(text: string, size = 1000) {
  const found = [];
  for await (const event of eventsOf(chunked(text, size))) found.push(event);
  return found;
}

describe('server-sent events', () => {
  test('names, several data lines, comments, all line ends', async () => {
    const text =
      ': hi\n\nevent: request\ndata: {\r\ndata:  "a"}\r\n\r\ndata:x\r\rid: 3\n\nevent: y\n\n';
    expect(await collect(text)).toEqual([
      { name: 'request', data: '{\n "a"}' },
      { name: 'message', data: 'x' },
    ]);
  });

  test('how it is cut into chunks makes no difference', async () => {
    const text = ': hi\r\n\r\nevent: request\r\ndata: one\r\ndata: two\r\n\r\ndata: three\r\n\r\n';
    const whole = await collect(text);
    expect(whole).toHaveLength(2);
    for (let size = 1; size < text.length; size++) expect(await collect(text, size)).toEqual(whole);
  });

  test('an event without an end is not kept for ever', async () => {
    await expect(collect('x'.repeat(2_000_000), 100_000)).rejects.toThrow(RangeError);
  });
});

describe('words for people', () => {
  const needs = (...still_needed: unknown[]) => {
    const [step] = accessRequest().steps;
    return stillNeeded(accessRequest({ steps: step ? [{ ...step, still_needed }] : [] }));
  };

  test.each([
    [[{ any: 1, of: ['Dana Reyes'] }], 'Dana Reyes'],
    [[{ any: 1, of: ['Dana Reyes', 'group:sre'] }], 'Dana Reyes or anybody in sre'],
    [[{ any: 2, of: ['group:sre'] }], '2 people in sre'],
    [[{ any: 2, of: ['A', 'B', 'group:c'] }], '2 of A, B, members of c'],
    [
      [
        {
          all: [
            { any: 1, of: ['A'] },
            { any: 1, of: ['B'] },
          ],
        },
      ],
      'A and B',
    ],
    [
      [
        { any: 1, of: ['A'] },
        { any: 1, of: ['B'] },
      ],
      'A and B',
    ],
    [
      [
        {
          all: [
            { any: 1, of: ['A'] },
            {
              either: [
                { any: 1, of: ['B'] },
                { any: 1, of: ['C'] },
              ],
            },
          ],
        },
      ],
      'A and (B or C)',
    ],
    [[{ any: 1, of: [] }], 'nobody at present'],
    [['nonsense', null, 3], 'nobody at present'],
  ])('%j is %s', (tree, text) => {
    expect(needs(...tree)).toBe(text);
  });

  test.each([
    [29.9 * 60, '29 min'],
    [59, '59 s'],
    [7200, '2 h'],
    [3 * 86_400, '3 days'],
    [-5, '0 s'],
  ])('%d s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', undefined],
    ['10', undefined],
    ['-1m', undefined],
    ['1.5h', undefined],
  ])('%s is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test('widths of a terminal', () => {
    expect([widthOf('abc'), widthOf('日本'), widthOf('e\u0301'), widthOf('🙂')]).toEqual([
      3, 4, 1, 2,
    ]);
  });

  test.each(['80:x:1', '[::1]:80:x:1', '*:80:x:1', '127.0.0.1:80:[::1]:1'])('-L %s', (spec) => {
    expect(forwardSpec('-L', spec)).toMatchObject({ port: 80, host_port: 1 });
  });

  test.each([
    '',
    ':',
    '80',
    '80:x',
    '80:x:1:2:3',
    'x:80:y:z',
    '0:x:1',
    '80:x:70000',
    '[:80:x:1',
    '::80:x:1',
  ])('deny: -L %s', (spec) => {
    expect(() => forwardSpec('-L', spec)).toThrow();
  });

  test('a spec without an address listens at loopback only', () => {
    expect(forwardSpec('-L', '80:x:1').bind).toBe('127.0.0.1');
    expect(forwardSpec('-R', '0:x:1').bind).toBe('127.0.0.1');
  });
});

test('the version is that of the package', () => {
  expect(VERSION).toBe(manifest.version);
});
