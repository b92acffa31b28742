import { beforeEach, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { approvedFor, codeOf, methodFor, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
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
});
