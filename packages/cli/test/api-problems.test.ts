import { createServer } from 'node:net';
import { EXIT, type Problem } from '@postern/shared';
import { expect, test } from 'vitest';
import { problemOf } from '../src/api/problems.ts';
import { scanHostKey } from '../src/ssh/scan.ts';

const SETTINGS = { url: new URL('https://p.test/'), team: 'demo', ca: undefined };
const refusal = (errors: Problem['errors'], code: Problem['code'] = 'invalid_request') =>
  problemOf(SETTINGS, {
    status: 400,
    headers: { 'content-type': 'application/problem+json' },
    text: JSON.stringify({ type: '', title: '', status: 400, detail: 'No.', code, errors }),
  });
const SHAPE = {
  pointer: '/id',
  code: 'pattern',
  detail: 'params: must match pattern "^[0-9a-f]$"',
};

test('an id that is none: said in words, and what one looks like', () => {
  const failure = refusal([SHAPE]);
  expect([failure.exit, failure.detail]).toEqual([EXIT.usage, 'That is not an id.']);
  expect(failure.next).toMatch(/^Give it whole, .+ [0-9a-f-]{36}/);
});

test.each([
  ['a body', [{ ...SHAPE, detail: 'body: must match pattern "^x$"' }]],
  ['another fault too', [SHAPE, { ...SHAPE, pointer: '/reason' }]],
  ['no fault named', []],
])('%s: the service’s own words', (_, errors) => {
  expect(refusal(errors).detail).toMatch(/^No\./);
});

test('a server that does not answer a scan: 69, as everything that cannot be reached', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  const scan = scanHostKey('127.0.0.1', port, new AbortController().signal);
  await expect(scan).rejects.toMatchObject({
    exit: EXIT.unavailable,
    detail: `127.0.0.1:${port} cannot be scanned: ECONNREFUSED.`,
  });
});
