import type { AccessRequest } from '@postern/shared';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { apply, askOf, codeOf, decide, makeUser, methodsOf, raise, show } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { addConnection, link, withCi } from './world.ts';

const TWO = { any: 1, of: ['group:linux-approvers'] };

onBoth('who is behind a job approves nothing of it', (kit) => {
  const ci = withCi(kit);
  let n = 0;
  beforeEach(async () => {
    ci.address = `192.0.2.${n++ % 250}`;
    await ci.gateway.renew();
    kit.clock.advance(1);
  });
  afterEach(() => askOf(ci, TWO));
  /** What a job of a run of its own asks for. */
  const asked = async (more: Record<string, unknown> = {}, connection = 'ci') => {
    const jwt = await ci.issuer.sign(ci.claims({ run_id: `run-${n}`, ...more }));
    const token = String(must(await ci.present(jwt, connection)).token);
    const methods = await methodsOf(ci.service, token, ci.ids.server);
    return raise(ci.service, token, methods.find((m) => m.identity === 'pamadmin1')!);
  };
  const request = async (...args: Parameters<typeof asked>) =>
    must(await asked(...args)) as AccessRequest;
  const vote = async (by: string, { id }: AccessRequest) => {
    const now = await show(ci.service, ci.tokens.sam, id);
    return decide(ci.service, ci.tokens[by], now);
  };
  const state = async ({ id }: AccessRequest) => (await show(ci.service, ci.tokens.sam, id)).state;

  test('deny: the approver started the job', async () => {
    await link(ci, `ana-${n}`, 'ana');
    const job = await request({ actor_id: `ana-${n}` });
    expect(codeOf(await vote('ana', job))).toBe('not_found');
    must(await vote('bo', job));
    expect(await state(job)).toBe('approved');
  });

  test('deny: the approver ran it again, or wrote the commit', async () => {
    await link(ci, `bo-${n}`, 'bo');
    for (const as of [
      { run_attempt: '2', triggering_actor_id: `bo-${n}` },
      { commit_author_id: `bo-${n}` },
    ]) {
      const job = await request({ ...as, run_id: `${n}-${Object.keys(as)}` });
      expect(codeOf(await vote('bo', job))).toBe('not_found');
      must(await vote('ana', job));
    }
  });

  test('deny: the approver linked the accounts, or said what is trusted', async () => {
    await apply(ci, 'pat', [
      {
        kind: 'User',
        login: 'pat',
        name: 'Pat Moreau',
        groups: ['everyone', 'owners', 'linux-approvers'],
      },
    ]);
    const job = await request();
    expect(codeOf(await vote('pat', job))).toBe('not_found');
    await apply(ci, 'pat', [
      { kind: 'User', login: 'pat', name: 'Pat Moreau', groups: ['everyone', 'owners'] },
    ]);
  });

  test('deny: the approver is linked only after the job asked', async () => {
    const job = await request({ actor_id: `late-${n}` });
    must(await vote('ana', job));
    await link(ci, `late-${n}`, 'ana');
    // What he said before does not stand any more.
    must(await vote('bo', job));
    expect(await state(job)).toBe('pending');
  });

  test('deny: the approver whose link was removed while it waited', async () => {
    const { id } = await link(ci, `gone-${n}`, 'ana');
    const job = await request({ actor_id: `gone-${n}` });
    kit.clock.advance(1);
    must(await ci.service.call(ci.tokens.pat, 'DELETE', `/workload_people/${String(id)}`));
    expect(codeOf(await vote('ana', job))).toBe('not_found');
    must(await vote('bo', job));
    expect(await state(job)).toBe('approved');
  });

  test('somebody whom nobody is linked to: the step takes two', async () => {
    const job = await request({ actor_id: `unknown-${n}` });
    expect(job.steps[0]?.still_needed).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
    must(await vote('ana', job));
    expect(await state(job)).toBe('pending');
    expect(codeOf(await vote('ana', job))).toBe('already_decided');
    // Being known from now on does not change what was asked for before.
    await link(ci, `unknown-${n}`, 'ellis');
    must(await vote('bo', job));
    expect(await state(job)).toBe('approved');
  });

  test('somebody whom the token does not name counts as unknown, unless the connection accepts that', async () => {
    await addConnection(ci, 'strict');
    const named = { commit_author_id: '1' };
    const two = await request({}, 'strict');
    expect(two.steps[0]?.still_needed).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
    const one = await request({ ...named, run_id: `named-${n}` }, 'strict');
    expect(one.steps[0]?.still_needed).toEqual([{ any: 1, of: ['group:linux-approvers'] }]);
    const again = { ...named, run_attempt: '2', run_id: `again-${n}` };
    const retried = await request(again, 'strict');
    expect(retried.steps[0]?.still_needed).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
  });

  test('refused at once where two could never be found', async () => {
    await askOf(ci, { any: 1, of: ['user:dana'] });
    expect(codeOf(await asked({ actor_id: `nobody-${n}` }))).toBe('no_eligible_approver');
    expect(codeOf(await asked({}))).toBe('201');
  });

  test('a step that takes two of different groups already takes no more', async () => {
    await askOf(ci, {
      all: [
        { any: 1, of: ['user:dana'] },
        { any: 1, of: ['user:ana'] },
      ],
    });
    const job = await request({ actor_id: `x-${n}` });
    must(await vote('dana', job));
    must(await vote('ana', job));
    expect(await state(job)).toBe('approved');
  });

  it('an account of another issuer is somebody else', async () => {
    must(
      await ci.service.call(ci.tokens.pat, 'POST', '/workload_people', {
        ...{ issuer: 'https://gitlab.example.com', actor_id: `there-${n}`, login: 'ana' },
      }),
    );
    const job = await request({ actor_id: `there-${n}` });
    expect(job.steps[0]?.still_needed).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
  });

  it('nobody links an account to himself, nor to somebody who is not a person', async () => {
    const say = (login: string, by = 'pat') =>
      ci.service.call(ci.tokens[by], 'POST', '/workload_people', {
        ...{ issuer: ci.issuer.url, actor_id: `self-${n}`, login },
      });
    expect(codeOf(await say('pat'))).toBe('not_permitted');
    expect(codeOf(await say('robot'))).toBe('not_found');
    expect(codeOf(await say('nobody'))).toBe('not_found');
    expect(codeOf(await say('ellis', 'sam'))).toBe('not_permitted');
    must(await say('ellis'));
    expect(codeOf(await say('dana'))).toBe('state_conflict');
  });

  it('a change that a job makes is made by those behind it as well', async () => {
    const owners = ['owners', 'everyone'];
    await makeUser(ci, `admin-${n}`, { type: 'service', owners: ['sam'], groups: owners });
    const rules = [{ service_user: `admin-${n}`, claims: { ...ci.claims(), iss: undefined } }];
    const { repository_id, repository_owner_id, workflow_ref } = ci.claims();
    rules[0]!.claims = { repository_id, repository_owner_id, workflow_ref } as never;
    await addConnection(ci, `admin-${n}`, { rules });
    await link(ci, `eve-${n}`, 'uma');
    const jwt = await ci.issuer.sign(ci.claims({ actor_id: `eve-${n}` }));
    const token = String(must(await ci.present(jwt, `admin-${n}`)).token);
    const group = ci.ids.groups['linux-approvers'];
    must(await ci.service.call(token, 'PUT', `/groups/${group}/users/${ci.ids.users.uma}`));
    const row = await kit.db.sql
      .selectFrom('memberships')
      .select('made_by')
      .where('group_id', '=', group!)
      .where('user_id', '=', ci.ids.users.uma!)
      .executeTakeFirstOrThrow();
    expect(row.made_by).toEqual(expect.arrayContaining([ci.ids.users.uma, ci.ids.users.pat]));
    // It may not say who may log in.
    expect(
      codeOf(
        await ci.service.call(token, 'POST', '/workload_people', {
          ...{ issuer: ci.issuer.url, actor_id: 'y', login: 'ellis' },
        }),
      ),
    ).toBe('not_permitted');
  });
});
