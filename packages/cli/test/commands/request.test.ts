import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { sshFlow } from '../fake/ssh-flow.ts';
import { accessRequest, approved, condition, detail, id, method } from '../fake/things.ts';

const { service, sft } = script();
const { resolves, raises } = sshFlow(service);

describe('sft request create', () => {
  test('raises without connecting: 0, the request on stdout', async () => {
    resolves(method('pamadmin1'));
    raises();
    const { exit, out } = await sft([
      'request',
      'create',
      'opa-demo-linux',
      '--reason',
      'rotate the logs',
    ]);
    expect([exit, out]).toEqual([
      0,
      `Request ${id(50)} is pending. It can be approved by Dana Reyes or 2 people in linux-approvers.\n`,
    ]);
  });

  test('while access runs it asks for more time: another request of the same', async () => {
    resolves(approved('pamadmin1', 10));
    raises();
    const words = ['request', 'create', 'opa-demo-linux', '--reason', 'not done', '-o', 'json'];
    const { exit, out } = await sft(words);
    expect([exit, JSON.parse(out).id]).toEqual([0, id(50)]);
    expect(service().last('createAccessRequest').body).toMatchObject({
      request_type_id: id(20),
      answers: { justification: 'not done' },
    });
  });

  test('a pending one is answered, not raised again', async () => {
    resolves(method('pamadmin1', { conditionals: [condition({ pending_request_id: id(50) })] }));
    service().on('getAccessRequest', () => ({
      body: detail(accessRequest()),
    }));
    const { exit } = await sft('request create opa-demo-linux');
    expect(exit).toBe(0);
    expect(service().asked).not.toContain('createAccessRequest');
  });

  test('standing access needs no request: 77, nothing raised', async () => {
    resolves(method('pamadmin1', { allowed: true, conditionals: [] }));
    const { exit } = await sft('request create opa-demo-linux --reason x');
    expect(exit).toBe(EXIT.refused);
    expect(service().asked).not.toContain('createAccessRequest');
  });

  test('--timeout without --wait, and a wrong one: 64, nothing is asked', async () => {
    for (const flags of ['--timeout 5m', '--wait --timeout soon']) {
      const { exit, err } = await sft(`request create opa-demo-linux ${flags}`);
      expect(exit).toBe(EXIT.usage);
      expect(err.trim().split('\n')).toHaveLength(2);
    }
    expect(service().asked).toEqual([]);
  });

  test('nobody could approve it: the service’s words, 77', async () => {
    resolves(method('pamadmin1'));
    raises();
    service().on('createAccessRequest', () =>
      problem('no_eligible_approver', 'Nobody could approve step "Manager" for you.'),
    );
    const { exit, err } = await sft('request create opa-demo-linux --reason x');
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('sft: Nobody could approve step "Manager" for you.\n');
  });
});

describe('sft request escalate', () => {
  test('says whom it asks now', async () => {
    service().on('escalateAccessRequest', () => ({ body: accessRequest() }));
    const { exit, out } = await sft(['request', 'escalate', id(50), '--reason', 'shop is down']);
    expect([exit, out]).toEqual([
      0,
      'Escalated: pamadmin1 on opa-demo-linux.\n' +
        'It can be approved by Dana Reyes or 2 people in linux-approvers.\n',
    ]);
    expect(service().last('escalateAccessRequest').body).toEqual({ reason: 'shop is down' });
  });

  test.each([[[]], [['--reason', ' ']]])('without a reason: 64, nothing is asked', async (more) => {
    const { exit, err } = await sft(['request', 'escalate', id(50), ...more]);
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('Pass --reason TEXT; the approvers read it.');
    expect(service().asked).toEqual([]);
  });

  test('too early: from when on, 77', async () => {
    service().on('escalateAccessRequest', () =>
      problem('state_conflict', 'You may escalate this step from 2026-11-24T13:00:00.000Z on.'),
    );
    const { exit, err } = await sft(['request', 'escalate', id(50), '--reason', 'x']);
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('from 2026-11-24T13:00:00.000Z on.');
  });
});
