import type { AccessMethod, AccessRequest } from '@postern/shared';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { codeOf, decide, methodsOf, raised, show } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';
import { SHA, withCi } from './world.ts';

onBoth('what is approved for a job is for that job', (kit) => {
  const ci = withCi(kit);
  const OTHER = 'b'.repeat(40);
  let run = 100;
  let id: string;
  beforeEach(async () => {
    id = String(run++);
    ci.address = `192.0.2.${run % 250}`;
    await ci.gateway.renew();
  });
  const login = (more: Record<string, unknown> = {}) => ci.login({ run_id: id, ...more });
  const methodOf = async (token: string): Promise<AccessMethod> => {
    const methods = await methodsOf(ci.service, token, ci.ids.server);
    return methods.find((method) => method.identity === 'pamadmin1')!;
  };
  const ask = async (token: string) => raised(ci.service, token, await methodOf(token));
  const approve = async (request: AccessRequest, by = 'ana') => {
    must(await decide(ci.service, ci.tokens[by], request));
    await ci.service.settled();
  };
  const open = async (token: string) => {
    await ci.gateway.renew();
    return openAs(ci.service, token, { ...(await methodOf(token)) });
  };

  test('a job asks, waits, and gets its session, with no second factor and no terminal', async () => {
    const token = await login();
    expect(codeOf((await open(token)).response)).toBe('approval_required');
    await approve(await ask(token));
    const { response, key } = await open(token);
    const { session } = must(response) as { session: { id: string } };
    const admitted = await ci.gateway.call('POST', '/gateway/admissions', signIn(session.id, key));
    expect(codeOf(admitted)).toBe('200');
  });

  test('it may ask again while it waits, and is answered the same request', async () => {
    const token = await login();
    const first = await ask(token);
    expect((await ask(token)).id).toBe(first.id);
    expect((await ask(await login({ run_attempt: '2' }))).id).toBe(first.id);
    expect((await ask(await login({ sha: OTHER }))).id).not.toBe(first.id);
  });

  test('the approver is shown repository, commit, workflow, job and who started it', async () => {
    const request = await ask(await login());
    const card = must(
      await ci.service.call(ci.tokens.ana, 'GET', `/access_requests/${request.id}/card`),
    ) as { rows: { label: string; lines: string[] }[] };
    const row = (label: string) => card.rows.find((one) => one.label === label)?.lines.join('\n');
    expect(row('Repository')).toContain('octo/shop, number 74');
    expect(row('Commit')).toBe(`${SHA} of refs/heads/main`);
    expect(row('Job')).toContain('octo/shop/.github/workflows/deploy.yml@refs/heads/main');
    expect(row('Job')).toContain('environment production');
    expect(row('Job')).toContain(`run ${id}, attempt 1, by push`);
    expect(row('Behind it')).toContain('started by octocat (account 1): Ellis Kim');
  });

  test('a retried job uses what was approved for it', async () => {
    await approve(await ask(await login()));
    const again = await login({ run_attempt: '2', actor_id: '1' });
    expect((await methodOf(again)).allowed).toBe(true);
    expect(codeOf((await open(again)).response)).toBe('201');
  });

  describe('deny: another login of the same service user', () => {
    it.each<[string, Record<string, unknown>]>([
      ['of another commit', { sha: OTHER }],
      ['of another run', { run_id: '999999' }],
      ['of another called workflow', { job_workflow_ref: 'octo/lib/.github/workflows/x.yml@v1' }],
    ])('%s', async (_, more) => {
      await approve(await ask(await login()));
      const other = await login(more);
      expect((await methodOf(other)).allowed).toBe(false);
      expect(codeOf((await open(other)).response)).toBe('approval_required');
    });

    it.each([
      ['of another repository', { repository_id: '75' }],
      [
        'of another workflow',
        { workflow_ref: 'octo/shop/.github/workflows/other.yml@refs/heads/main' },
      ],
      ['of another environment', { environment: 'staging' }],
      ['without an environment', { environment: undefined }],
    ] as const)('%s, where another connection believes it', async (_, more) => {
      const { repository_id, repository_owner_id, workflow_ref, environment } = ci.claims(more);
      const claims = JSON.parse(
        JSON.stringify({ repository_id, repository_owner_id, workflow_ref, environment }),
      );
      must(
        await ci.service.call(ci.tokens.pat, 'PUT', `/workload_connections/${ci.connection}`, {
          ...{ name: 'ci', provider: 'github', issuer: ci.issuer.url },
          ...{ jwks_url: `${ci.issuer.url}/jwks`, unnamed_people: 'accepted' },
          rules: [
            { service_user: 'robot', claims },
            {
              service_user: 'robot',
              claims: {
                ...{ repository_id: '74', repository_owner_id: '65', environment: 'production' },
                workflow_ref: 'octo/shop/.github/workflows/deploy.yml@refs/heads/main',
              },
            },
          ],
        }),
      );
      await approve(await ask(await login()));
      expect((await methodOf(await login({ run_attempt: '2' }))).allowed).toBe(true);
      const other = await login(more);
      expect((await methodOf(other)).allowed).toBe(false);
      expect(codeOf((await open(other)).response)).toBe('approval_required');
    });

    it('a static token of it', async () => {
      await approve(await ask(await login()));
      const still = ci.tokens.robot!;
      expect((await methodOf(still)).allowed).toBe(false);
      expect(codeOf((await open(still)).response)).toBe('approval_required');
    });
  });

  test('deny: a job with what was approved for a static token of its service user', async () => {
    const request = await ask(ci.tokens.robot!);
    await approve(request);
    expect((await methodOf(ci.tokens.robot!)).allowed).toBe(true);
    const token = await login();
    expect((await methodOf(token)).allowed).toBe(false);
    expect(codeOf((await open(token)).response)).toBe('approval_required');
    must(await ci.service.call(ci.tokens.robot, 'POST', `/access_requests/${request.id}/drop`));
  });

  test('without an environment a job is one attempt: a retry asks anew', async () => {
    must(
      await ci.service.call(ci.tokens.pat, 'PUT', `/workload_connections/${ci.connection}`, {
        ...{ name: 'ci', provider: 'github', issuer: ci.issuer.url },
        ...{ jwks_url: `${ci.issuer.url}/jwks`, unnamed_people: 'accepted' },
        rules: [
          {
            service_user: 'robot',
            claims: {
              ...{ repository_id: '74', repository_owner_id: '65' },
              workflow_ref: 'octo/shop/.github/workflows/deploy.yml@refs/heads/main',
            },
          },
        ],
      }),
    );
    const bare = { environment: undefined, check_run_id: '500' };
    await approve(await ask(await login(bare)));
    expect((await methodOf(await login(bare))).allowed).toBe(true);
    const retried = await login({ ...bare, check_run_id: '501', run_attempt: '2' });
    expect((await methodOf(retried)).allowed).toBe(false);
  });

  describe('a job’s login is for access, and for nothing that would last longer', () => {
    it('it makes no token', async () => {
      const body = { name: 'mine', expires_in_seconds: 60 };
      const said = await ci.service.call(await login(), 'POST', '/tokens', body);
      expect(codeOf(said)).toBe('not_permitted');
    });

    it('it asks for no membership', async () => {
      const token = await login();
      const body = {
        request_type_id: ci.ids.request_type,
        target: { type: 'group_membership', groups: [ci.ids.groups['linux-users']] },
        answers: {},
      };
      const said = await ci.service.call(token, 'POST', '/access_requests', body);
      expect(['not_permitted', 'invalid_request']).toContain(codeOf(said));
    });

    it('it decides nothing', async () => {
      const token = await login();
      const request = await ask(await login({ sha: OTHER }));
      const said = await decide(ci.service, token, request);
      expect(codeOf(said)).toBe('not_permitted');
    });
  });

  test('disabling the service user ends its logins and cuts what is open', async () => {
    const token = await login();
    await approve(await ask(token));
    must((await open(token)).response);
    const status = (to: string) =>
      ci.service.call(ci.tokens.pat, 'PATCH', `/users/${ci.robot}`, { status: to });
    must(await status('DISABLED'));
    expect(codeOf(await ci.service.call(token, 'GET', '/whoami'))).toBe('unauthenticated');
    expect(codeOf(await ci.knock({ run_id: id }))).toBe('unauthenticated');
    expect(await ci.why()).toBe('service_user_inactive');
    must(await status('ACTIVE'));
    expect(codeOf(await ci.service.call(token, 'GET', '/whoami'))).toBe('unauthenticated');
  });

  test('a request raised by a job says so in the log', async () => {
    const request = await ask(await login());
    const event = await kit.db.sql
      .selectFrom('audit_events')
      .select('details')
      .where('type', '=', 'access.request.create')
      .where('request_id', '=', request.id)
      .executeTakeFirstOrThrow();
    expect(event.details).toMatchObject({ job: { repository: { id: '74' }, sha: SHA } });
    expect((await show(ci.service, ci.tokens.ana, request.id)).state).toBe('pending');
  });

  test('changing or removing a connection logs its jobs out', async () => {
    const token = await login();
    must(await ci.service.call(ci.tokens.pat, 'DELETE', `/workload_connections/${ci.connection}`));
    expect(codeOf(await ci.service.call(token, 'GET', '/whoami'))).toBe('unauthenticated');
    expect(codeOf(await ci.knock({ run_id: id }))).toBe('unauthenticated');
    expect(await ci.why()).toBe('no_connection');
  });
});
