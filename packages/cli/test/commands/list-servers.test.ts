import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { id, SERVER } from '../fake/things.ts';

const { service, sft } = script();

describe('sft list-servers', () => {
  test('a table of what the person can reach, on stdout', async () => {
    service().on('listServers', () => ({ body: { list: [SERVER] } }));
    const { exit, out, err } = await sft('list-servers');
    expect(out).toBe(
      'HOSTNAME        OS_TYPE  PROJECT_NAME  ACCESS_ADDRESS\n' +
        'opa-demo-linux  linux    demo          127.0.0.1:2222\n',
    );
    expect([exit, err]).toEqual([EXIT.ok, '']);
  });

  test('nothing to reach: stdout is empty, a line on stderr, 0', async () => {
    service().on('listServers', () => ({ body: { list: [] } }));
    const { exit, out, err } = await sft('list-servers');
    expect([exit, out, err]).toEqual([0, '', 'No servers that you can reach.\n']);
  });

  test('-l goes to the service as it is', async () => {
    service().on('listServers', () => ({ body: { list: [] } }));
    await sft(['list-servers', '-l', 'env in (demo,prod),tier!=web']);
    expect(service().last('listServers').query?.selector).toBe('env in (demo,prod),tier!=web');
  });

  test('all pages are read', async () => {
    service().on('listServers', ({ query }) =>
      query?.cursor === undefined
        ? {
            body: { list: [SERVER] },
            headers: { link: '</v1/teams/demo/servers?cursor=c2&limit=500>; rel="next"' },
          }
        : { body: { list: [{ ...SERVER, id: id(2), name: 'second' }] } },
    );
    const { out } = await sft('list-servers --columns HOSTNAME');
    expect(out).toBe('HOSTNAME\nopa-demo-linux\nsecond\n');
  });

  test('a next page at another origin is not asked: the token stays here', async () => {
    service().on('listServers', () => ({
      body: { list: [SERVER] },
      headers: { link: '<http://127.0.0.2:1/steal>; rel="next"' },
    }));
    expect((await sft('list-servers')).exit).toBe(EXIT.unavailable);
  });

  test('--columns names the columns, in that order', async () => {
    service().on('listServers', () => ({ body: { list: [SERVER] } }));
    const { out } = await sft('list-servers --columns id,labels');
    expect(out.split('\n')[1]).toBe(`${id(1)}  env=demo`);
  });

  test('an unknown column: 64, and the ones there are', async () => {
    service().on('listServers', () => ({ body: { list: [SERVER] } }));
    const { exit, err } = await sft('list-servers --columns COLOUR');
    expect(exit).toBe(EXIT.usage);
    expect(err).toMatch(/^sft: There is no column COLOUR\.\nPass --columns .*HOSTNAME/);
  });

  test('-o json: the data as the service gave it', async () => {
    service().on('listServers', () => ({ body: { list: [SERVER] } }));
    const { out } = await sft('-o json list-servers');
    expect(JSON.parse(out)).toEqual([SERVER]);
  });

  test('-o describe: every field of every server', async () => {
    service().on('listServers', () => ({ body: { list: [SERVER, SERVER] } }));
    const { out } = await sft('list-servers -o describe');
    expect(out).toContain('HOSTNAME:        opa-demo-linux\n');
    expect(out).toContain('LABELS:          env=demo\n');
    expect(out.split('\n\n')).toHaveLength(2);
  });

  test('a refusal of the service: its exit code, its words, what to do next', async () => {
    service().on('listServers', () => problem('rate_limited', 'Too many requests.'));
    const { exit, out, err } = await sft('list-servers');
    expect(exit).toBe(EXIT.unavailable);
    expect([out, err]).toEqual([
      '',
      'sft: Too many requests.\nWait a moment, then run the same command again.\n',
    ]);
  });

  test('a refusal with -o json: the problem document on stdout', async () => {
    service().on('listServers', () =>
      problem('invalid_request', 'The selector is not valid.', {
        next: 'Write it as key=value.',
        errors: [{ pointer: '/selector', code: 'selector', detail: 'unexpected )' }],
      }),
    );
    const { exit, out, err } = await sft('list-servers -o json');
    expect(exit).toBe(EXIT.usage);
    expect(JSON.parse(out)).toMatchObject({
      type: 'urn:postern:invalid_request',
      code: 'invalid_request',
      trace_id: 'trace-1',
      next: 'Write it as key=value.',
      errors: [{ pointer: '/selector' }],
    });
    expect(err).toBe(
      'sft: The selector is not valid. (/selector: unexpected ))\nWrite it as key=value.\n',
    );
  });

  test('hostile text reaches no terminal: controls, escapes and bidi marks are replaced', async () => {
    const name = 'a\u001b]0;owned\u0007\u009b31m\u202eb';
    service().on('listServers', () => ({ body: { list: [{ ...SERVER, name }] } }));
    const plain = await sft('list-servers');
    expect(plain.out).toContain('a\ufffd]0;owned\ufffd\ufffd31m\ufffdb');
    const json = await sft('list-servers -o json');
    expect(json.out).toMatch(/^[\u0020-\u007e\n]*$/);
    expect(JSON.parse(json.out)[0].name).toBe(name);
  });
});
