import { beforeEach, describe, expect, it, test } from 'vitest';
import { matchesPattern } from '../../src/workload/match.ts';
import { codeOf } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';
import { PINNED, withCi } from './world.ts';

describe('a pattern of refs', () => {
  it.each([
    ['refs/heads/*', 'refs/heads/main', true],
    ['refs/heads/*', 'refs/heads/a/b', false],
    ['refs/heads/*', 'refs/tags/main', false],
    ['refs/heads/*', 'refs/heads/', true],
    ['refs/tags/v*.*', 'refs/tags/v1.2', true],
    ['refs/tags/v*.*', 'refs/tags/v1', false],
    ['refs/heads/*-x', 'refs/heads/a-x', true],
    ['refs/heads/*-x', 'refs/heads/a-xy', false],
    ['refs/heads/main', 'refs/heads/main', true],
    ['refs/heads/main', 'refs/heads/main2', false],
    ['refs/heads/aa*aa', 'refs/heads/aaa', false],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
    expect(matchesPattern(pattern, undefined)).toBe(false);
  });
});

onBoth('connections to issuers of job tokens', (kit) => {
  const ci = withCi(kit);
  let n = 0;
  beforeEach(() => {
    n += 1;
  });
  const GITLAB = {
    ...{ project_id: '7', namespace_id: '8' },
    ci_config_ref_uri: 'gitlab.com/octo/shop//.gitlab-ci.yml@refs/heads/main',
  };
  const body = (more: Record<string, unknown> = {}, claims: unknown = PINNED) => ({
    ...{ name: `c-${n}`, provider: 'github', issuer: 'https://token.example.com' },
    rules: [{ service_user: 'robot', claims }],
    ...more,
  });
  const create = (sent: unknown, by = 'pat') =>
    ci.service.call(ci.tokens[by], 'POST', '/workload_connections', sent);

  test('what is left out is written out: its keys, its audience, two people', async () => {
    expect(must(await create(body()))).toMatchObject({
      jwks_url: 'https://token.example.com/.well-known/jwks',
      audience: PUBLIC_URL,
      unnamed_people: 'need_two',
      rules: [{ service_user: { id: ci.robot, login: 'robot' }, ref_pattern: null }],
    });
    const gitlab = body(
      { name: `g-${n}`, provider: 'gitlab', issuer: 'https://gitlab.com' },
      GITLAB,
    );
    expect(must(await create(gitlab)).jwks_url).toBe('https://gitlab.com/oauth/discovery/keys');
  });

  const without = (name: string, claims: Record<string, string> = PINNED) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

  it.each<[string, Record<string, unknown>, unknown?]>([
    ['GitHub without the repository’s number', {}, without('repository_id')],
    ['GitHub without the owner’s number', {}, without('repository_owner_id')],
    ['GitHub with a name for the number', {}, { ...PINNED, repository_id: 'octo/shop' }],
    ['GitHub without a workflow', {}, without('workflow_ref')],
    ['GitLab without the project’s number', { provider: 'gitlab' }, without('project_id', GITLAB)],
    ['GitLab without the namespace’s', { provider: 'gitlab' }, without('namespace_id', GITLAB)],
    ['GitLab without a workflow', { provider: 'gitlab' }, without('ci_config_ref_uri', GITLAB)],
    ['a generic one without its keys', { provider: 'generic' }, { sub: 'x' }],
    [
      'a generic one without a subject',
      { provider: 'generic', jwks_url: 'https://x.example.com/k' },
      { aud: 'x' },
    ],
    ['no claims at all', {}, {}],
    ['a claim that is none of the provider', {}, { ...PINNED, branch: 'main' }],
    ['a wildcard', {}, { ...PINNED, environment: '*' }],
    ['a wildcard in a number', {}, { ...PINNED, repository_id: '7*' }],
    ['a workflow of any branch', {}, { ...without('workflow_ref'), workflow_path: 'x.yml' }],
    ['no rules', { rules: [] }],
    ['a user who is no service user', { rules: [{ service_user: 'ellis', claims: PINNED }] }],
    ['nobody’s login', { rules: [{ service_user: 'nobody', claims: PINNED }] }],
    [
      'a pattern beside a ref',
      {
        rules: [
          { service_user: 'robot', claims: { ...PINNED, ref: 'x' }, ref_pattern: 'refs/heads/*' },
        ],
      },
    ],
    [
      'a pattern of everything',
      { rules: [{ service_user: 'robot', claims: PINNED, ref_pattern: '*' }] },
    ],
    ['plain http', { issuer: 'http://token.example.com' }],
    ['keys over plain http', { jwks_url: 'http://token.example.com/jwks' }],
    ['a user in the URL', { issuer: 'https://a:b@token.example.com' }],
    ['another’s audience', { audience: 'https://sigstore.example.com' }],
    ['an audience that begins like ours', { audience: `${PUBLIC_URL}.evil.example` }],
    ['a field that is none', { allow: true }],
    ['a name that is no path', { name: '../x' }],
    ['a provider that is none', { provider: 'jenkins' }],
  ])('refused: %s', async (_, more, claims) => {
    const said = await create(body(more, claims ?? PINNED));
    expect([said.statusCode, codeOf(said)]).toEqual([400, 'invalid_request']);
  });

  it('is pam_admin’s to say, and an auditor’s to see', async () => {
    for (const login of ['sam', 'uma', 'ellis', 'robot'])
      expect(codeOf(await create(body(), login))).toBe('not_permitted');
    const list = (login: string) =>
      ci.service.call(ci.tokens[login], 'GET', '/workload_connections');
    expect(codeOf(await list('uma'))).toBe('200');
    expect(codeOf(await list('ellis'))).toBe('not_permitted');
  });

  it('has one name, which it keeps, and which is free once it is removed', async () => {
    const { id } = must(await create(body()));
    expect(codeOf(await create(body()))).toBe('state_conflict');
    const path = `/workload_connections/${String(id)}`;
    const put = (sent: unknown) => ci.service.call(ci.tokens.pat, 'PUT', path, sent);
    expect(codeOf(await put(body({ name: 'other' })))).toBe('invalid_request');
    expect(must(await put(body({ unnamed_people: 'accepted' }))).unnamed_people).toBe('accepted');
    must(await ci.service.call(ci.tokens.pat, 'DELETE', path));
    expect(codeOf(await put(body()))).toBe('not_found');
    expect(must(await create(body())).id).not.toBe(id);
  });

  test('GitLab: its claims, its merge requests, its branch', async () => {
    const name = `gl-${n}`;
    const rules = [{ service_user: 'robot', claims: { ...GITLAB, environment: 'production' } }];
    const jwks_url = `${ci.issuer.url}/jwks`;
    must(await create(body({ name, provider: 'gitlab', issuer: ci.issuer.url, jwks_url, rules })));
    const knock = async (more: Record<string, unknown> = {}) => {
      const { iss, aud, iat, exp, jti } = ci.claims();
      const claims = {
        ...{ iss, aud, iat, exp, jti, ...GITLAB, environment: 'production' },
        ...{ sha: 'c'.repeat(40), ref: 'main', ref_path: 'refs/heads/main', user_id: '9' },
        ...{ pipeline_id: '1', job_id: '2', pipeline_source: 'push', project_path: 'octo/shop' },
        ...more,
      };
      return ci.present(await ci.issuer.sign(claims as never), name);
    };
    expect(codeOf(await knock())).toBe('200');
    for (const source of ['merge_request_event', 'external_pull_request_event', undefined])
      expect(codeOf(await knock({ pipeline_source: source }))).toBe('unauthenticated');
    expect(codeOf(await knock({ project_id: '70' }))).toBe('unauthenticated');
    for (const ref of ['main', undefined])
      expect(codeOf(await knock({ ref_path: 'refs/merge-requests/1/head', ref }))).toBe(
        'unauthenticated',
      );
    // What a merge request's pipeline starts is called so, on the name of the branch proposed.
    expect(codeOf(await knock({ pipeline_source: 'parent_pipeline' }))).toBe('unauthenticated');
  });
});
