import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { HttpFault } from '../src/api/port.ts';
import { serviceUrl } from '../src/settings.ts';
import { sft as program } from '../src/sft.ts';
import { runIn, script } from './fake/script.ts';

const { service, sft } = script();
const ENV = { SFT_TEAM: 'demo', SFT_TOKEN: 'fake-token' };

describe('which service', () => {
  test.each(['http://postern.example.com', 'http://10.0.0.1', 'http://127.0.0.1.evil.example'])(
    'deny: %s would carry the token in the clear',
    (url) => {
      expect(() => serviceUrl(url)).toThrow(/in the clear/);
    },
  );

  test.each(['http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:1', 'https://x.example'])(
    'allow: %s',
    (url) => {
      expect(serviceUrl(url).href).toContain(url);
    },
  );

  test.each(['', 'postern', 'ftp://x', 'file:///etc', 'https://user:pw@x.example'])(
    'deny: %s is no URL of a service',
    (url) => {
      expect(() => serviceUrl(url)).toThrow(/is not the URL/);
    },
  );

  test('none is known: 78, with every way to say it', async () => {
    const { exit, err } = await runIn(program, 'list-servers', { env: ENV });
    expect(exit).toBe(EXIT.config);
    expect(err).toMatch(/^sft: No service is known\.\nPass --url URL, set SFT_URL, or log in/);
  });

  test('there is no flag that turns verification off', async () => {
    expect((await sft('list-servers --insecure')).exit).toBe(EXIT.usage);
  });
});

describe('a service that is not there', () => {
  test('nothing listens: 69, with the URL', async () => {
    const { exit, err } = await sft('list-servers --url http://127.0.0.1:1');
    expect(exit).toBe(EXIT.unavailable);
    expect(err).toBe(
      'sft: The service at http://127.0.0.1:1/ cannot be reached: nothing listens there.\n' +
        'Check --url and SFT_URL, and that the service runs.\n',
    );
  });

  test('with -o json: a document too', async () => {
    const { out } = await sft('list-servers -o json --url http://127.0.0.1:1');
    expect(JSON.parse(out)).toMatchObject({ code: 'unreachable', title: expect.any(String) });
  });

  test.each([
    ['TIMEOUT', /did not answer in time/],
    ['ENOTFOUND', /no such host/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted .*\nPass the certificate authority with --ca-file/s],
  ])('%s: 69', async (code, text) => {
    const http = { send: () => Promise.reject(new HttpFault(code)) };
    const { exit, err } = await sft('list-servers', { http });
    expect(exit).toBe(EXIT.unavailable);
    expect(err).toMatch(text);
  });

  test('something else answers there: 69', async () => {
    service().on('listServers', () => ({
      raw: '<html>Log in to the hotel</html>',
      headers: { 'content-type': 'text/html' },
    }));
    const { exit, err } = await sft('list-servers');
    expect(exit).toBe(EXIT.unavailable);
    expect(err).toContain('is not a working Postern service (HTTP 200)');
  });

  test.each([301, 302, 307])('a redirect (%i) is not followed: 69', async (status) => {
    service().on('listServers', () => ({
      status,
      raw: '',
      headers: { location: 'https://evil.example/' },
    }));
    expect((await sft('list-servers')).exit).toBe(EXIT.unavailable);
  });
});
