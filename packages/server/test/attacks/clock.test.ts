import { generateEd25519 } from '@postern/shared';
import { beforeEach, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import type { JobHandler, Jobs } from '../../src/platform/jobs.ts';
import { startTimers } from '../../src/requests/index.ts';
import {
  approvedFor,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PREFIX } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';

onBoth('while the clock cannot be trusted', (kit) => {
  const demo = withDemo(kit);
  const unsafe = new Refusal('clock_unsafe', 'Nothing is issued: the clock stepped back.');
  beforeEach(() => {
    demo.service.clock.refusal = undefined;
  });

  it('nothing is opened, and nothing that was opened is admitted', async () => {
    await approvedFor(demo);
    const method = { ...(await methodFor(demo, 'ellis')) };
    const { response, key } = await openAs(demo.service, demo.tokens.ellis!, method);
    const { id } = must(response).session as { id: string };
    demo.service.clock.refusal = unsafe;
    expect(codeOf((await openAs(demo.service, demo.tokens.ellis!, method)).response)).toBe(
      'clock_unsafe',
    );
    const admission = await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key));
    expect(codeOf(admission)).toBe('clock_unsafe');
    demo.service.clock.refusal = undefined;
    const later = await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key));
    expect(codeOf(later)).toBe('200');
  });

  it('nothing is approved: its end would be counted from a wrong beginning', async () => {
    const request = await raisedBy(demo, 'ellis', 'pamadmin2');
    const decide = (decision: string) =>
      demo.service.call(
        demo.tokens.dana,
        'POST',
        `/access_requests/${request.id}/decisions`,
        { decision, step: 0 },
        { 'if-match': `"${request.etag}"` },
      );
    demo.service.clock.refusal = unsafe;
    expect(codeOf(await decide('approve'))).toBe('clock_unsafe');
    // What takes away, or refuses, is always possible.
    expect(codeOf(await decide('deny'))).toBe('200');
  });

  it('no token is made, nor a gateway’s code, and no gateway enrols: all live by the clock', async () => {
    const token = () =>
      demo.service.call(demo.tokens.ellis, 'POST', '/tokens', {
        name: 'x',
        expires_in_seconds: 86_400,
      });
    const code = () => demo.service.call(demo.tokens.pat, 'POST', '/gateways', { name: 'x' });
    const good = must(await code()).code as string;
    const enrol = () =>
      demo.service.app.inject({
        method: 'POST',
        url: `${PREFIX}/gateway/enroll`,
        payload: {
          code: good,
          public_key: generateEd25519().public_line,
          host_keys: [generateEd25519().public_line],
          host: '192.0.2.7',
          port: 22,
        },
      });
    demo.service.clock.refusal = unsafe;
    for (const refused of [await token(), await code(), await enrol()])
      expect(codeOf(refused)).toBe('clock_unsafe');
    demo.service.clock.refusal = undefined;
    for (const answer of [await token(), await enrol()]) expect(codeOf(answer)).toBe('201');
  });

  it('no step times out: what escalates then counts votes, and may approve', async () => {
    await makeUser(demo, 'esther', { groups: ['linux-users'], manager: 'dana' });
    await askOf(
      demo,
      {
        all: [
          { any: 1, of: ['manager'] },
          { any: 1, of: ['group:linux-approvers'] },
        ],
      },
      { timeout: '5m', on_timeout: { escalate_to: ['group:linux-approvers'] } },
    );
    for (const login of ['ana', 'bo'])
      must(
        await demo.service.call(
          demo.tokens.pat,
          'PUT',
          `/groups/${demo.ids.groups['linux-approvers']}/users/${demo.ids.users[login]}`,
        ),
      );
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'esther');
    const first = must(await decide(demo.service, demo.tokens.ana, request)) as never;
    must(await decide(demo.service, demo.tokens.bo, first));
    const state = async () => (await show(demo.service, demo.tokens.esther, request.id)).state;

    const handlers = new Map<string, JobHandler<'request.timeout'>>();
    const jobs = {
      work: async (name: string, handler: JobHandler<'request.timeout'>) => {
        handlers.set(name, handler);
      },
    } as unknown as Jobs;
    const clock = {
      assertSafe: () => {
        if (demo.service.clock.refusal !== undefined) throw demo.service.clock.refusal;
      },
    };
    const onError = (error: unknown): never => expect.fail(String(error));
    const timers = await startTimers({ jobs, transact: kit.transact, clock, onError });
    kit.clock.advance(300);
    demo.service.clock.refusal = unsafe;
    await handlers.get('request.timeout')?.({ request_id: request.id });
    expect(await state()).toBe('pending');
    demo.service.clock.refusal = undefined;
    await handlers.get('request.timeout')?.({ request_id: request.id });
    expect(await state()).toBe('approved');
    await timers.stop();
  });
});
