import { readFileSync } from 'node:fs';
import { EXIT } from '@postern/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { nodeHttp } from '../../src/api/http.ts';
import { HttpFault, type HttpPort } from '../../src/api/port.ts';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { at, id } from '../fake/things.ts';
import type { FakeFile } from '../fake/world.ts';

const { service, sft } = script();
const ISSUED = `pst_${'0'.repeat(32)}_${'B'.repeat(43)}`;
const JWT = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
const AUTHENTICATE = 'workload authenticate --connection ci';
const GITHUB = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner.example.com/token?api-version=2',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-secret',
};

describe('sft workload authenticate', () => {
  beforeEach(() => {
    service().on('issueWorkloadToken', () => ({
      body: {
        ...{ token: ISSUED, expires_at: at(3600) },
        service_user: { id: id(7), login: 'deployer' },
      },
    }));
  });

  /** GitHub's own endpoint; everything else goes where it goes. */
  const github = (answer: { status?: number; text?: string } | HttpFault) => {
    const asked: { url: string; authorization: string | undefined }[] = [];
    const send: HttpPort['send'] = async (request) => {
      if (request.url.hostname !== 'runner.example.com') return nodeHttp.send(request);
      asked.push({ url: request.url.href, authorization: request.headers.authorization });
      if (answer instanceof HttpFault) throw answer;
      return { status: 200, headers: {}, text: JSON.stringify({ value: JWT }), ...answer };
    };
    return { http: { send }, asked };
  };

  test('reads the provider’s token from a variable, and prints one', async () => {
    const { exit, out, err } = await sft(`${AUTHENTICATE} --jwt-env ID_TOKEN`, {
      env: { ID_TOKEN: `${JWT}\n` },
    });
    expect([exit, out, err]).toEqual([0, `${ISSUED}\n`, '']);
    const asked = service().last('issueWorkloadToken');
    expect(asked.params).toMatchObject({ connection: 'ci' });
    expect(asked.body).toEqual({ jwt: JWT });
    expect(asked.headers.authorization).toBeUndefined();
  });

  test('in GitHub Actions it asks GitHub, for this service as audience', async () => {
    const { http, asked } = github({});
    const { exit, out } = await sft(AUTHENTICATE, { env: GITHUB, http });
    expect([exit, out]).toEqual([0, `${ISSUED}\n`]);
    const audience = encodeURIComponent(service().url);
    expect(asked).toEqual([
      {
        url: `${GITHUB.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${audience}`,
        authorization: 'Bearer runner-secret',
      },
    ]);
  });

  test.each([
    [{ status: 500 }, 'it answered 500'],
    [{ text: 'nonsense' }, 'it answered none'],
    [new HttpFault('ECONNREFUSED'), 'ECONNREFUSED'],
  ])('GitHub has none: 69, and why', async (answer, why) => {
    const { exit, out, err } = await sft(AUTHENTICATE, {
      ...{ env: GITHUB, http: github(answer).http },
    });
    expect([exit, out]).toEqual([EXIT.unavailable, '']);
    expect(err).toContain(`GitHub gave the job no token (${why}).`);
    expect(err).not.toContain('runner-secret');
  });

  test('the runner’s secret goes to https only', async () => {
    const env = { ...GITHUB, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://runner.example.com/token' };
    const { http, asked } = github({});
    expect((await sft(AUTHENTICATE, { env, http })).exit).toBe(EXIT.unavailable);
    expect(asked).toEqual([]);
  });

  test('--github-env: kept for the steps that follow, and hidden in the log', async () => {
    const files = new Map<string, FakeFile>([['/env', { text: 'A=1', mode: 0o600 }]]);
    const { exit, out } = await sft(`${AUTHENTICATE} --jwt-env T --github-env`, {
      ...{ env: { T: JWT, GITHUB_ENV: '/env' }, files },
    });
    expect([exit, out]).toEqual([0, `::add-mask::${ISSUED}\n`]);
    expect(files.get('/env')?.text).toBe(`A=1\nSFT_TOKEN=${ISSUED}\n`);
  });

  test.each([
    ['workload authenticate --jwt-env T', { T: JWT }, EXIT.usage, 'No connection is named.'],
    [AUTHENTICATE, {}, EXIT.usage, 'There is no token of a provider.'],
    [`${AUTHENTICATE} --jwt-env T`, { T: ' ' }, EXIT.config, 'T is not set, or empty.'],
    [`${AUTHENTICATE} --jwt-env T --github-env`, { T: JWT }, EXIT.usage, '--github-env is for'],
  ])('%s with %j: says what to pass', async (words, env, code, text) => {
    const { exit, err } = await sft(words, { env: { ...env } as Record<string, string> });
    expect(exit).toBe(code);
    expect(err).toContain(text);
    expect(service().asked).toEqual([]);
  });

  test('refused: 78, in one line, without the token', async () => {
    service().on('issueWorkloadToken', () => problem('unauthenticated', 'This is not believed.'));
    const { exit, err } = await sft(`${AUTHENTICATE} --jwt-env T`, { env: { T: JWT } });
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('This is not believed.');
    expect(err).not.toContain(JWT);
  });

  test('a token on the command line is no way', async () => {
    expect((await sft([...AUTHENTICATE.split(' '), JWT], {})).exit).toBe(EXIT.usage);
    const source = readFileSync(
      new URL('../../src/commands/workload-authenticate.ts', import.meta.url),
      'utf8',
    );
    expect(source).not.toContain('args:');
  });
});
