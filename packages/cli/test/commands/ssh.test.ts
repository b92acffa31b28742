import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { ending, sshFlow } from '../fake/ssh-flow.ts';
import {
  accessRequest,
  approved,
  condition,
  decided,
  detail,
  id,
  method,
  REQUEST_TYPE,
} from '../fake/things.ts';

const { service, sft } = script();
const { resolves, raises, opens } = sshFlow(service);

describe('sft ssh: picking the access method', () => {
  test('the flow of a first request: listed, picked, a reason asked for, raised, 75', async () => {
    resolves(method('pamadmin1'), method('pamadmin2'));
    raises();
    const { exit, out, err, world } = await sft('ssh opa-demo-linux', {
      answers: ['1', 'rotate the logs'],
    });
    expect(exit).toBe(EXIT.waiting);
    expect(out).toBe('');
    expect(err).toBe(
      '  1  pamadmin1  vaulted account  approval required: Server access approval, then 30 min\n' +
        '  2  pamadmin2  vaulted account  approval required: Server access approval, then 30 min\n' +
        `Request ${id(50)} raised. It can be approved by Dana Reyes or 2 people in linux-approvers.\n` +
        'Run the same command again when it is approved, or add --wait.\n',
    );
    expect(world.asked).toEqual(['Access method:', 'Why do you need it:']);
    expect(service().last('createAccessRequest').body).toEqual({
      request_type_id: id(20),
      target: {
        type: 'server_access',
        server_id: id(1),
        identity: 'pamadmin1',
        access_credential: { type: 'vaulted_account', account_id: id(30) },
      },
      answers: { justification: 'rotate the logs' },
    });
  });

  test('an approved one says by whom and for how long, and connects', async () => {
    resolves(approved('pamadmin1', 29.9), method('pamadmin2'));
    service().on('getAccessRequest', () => ({ body: detail(decided('approve')) }));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    const { exit, err } = await sft('ssh opa-demo-linux', { answers: ['1'], ssh });
    expect(exit).toBe(0);
    expect(err).toBe(
      '  1  pamadmin1  vaulted account  approved by Dana Reyes, 29 min left\n' +
        '  2  pamadmin2  vaulted account  approval required: Server access approval, then 30 min\n',
    );
    expect(run).toHaveBeenCalledOnce();
  });

  test('a list that cannot name the approver is shown without him', async () => {
    resolves(approved('pamadmin1', 5), method('pamadmin2'));
    service().on('getAccessRequest', () => problem('not_found', 'There is nothing here.'));
    opens();
    const { ssh } = ending({ kind: 'exited', exit: 0 });
    const { err } = await sft('ssh opa-demo-linux', { answers: ['1'], ssh });
    expect(err).toContain('pamadmin1  vaulted account  approved, 5 min left');
  });

  test('exactly one method is taken without asking', async () => {
    resolves(method('pamadmin1'));
    raises();
    const { exit, world } = await sft('ssh opa-demo-linux --reason logs', { isTerminal: true });
    expect([exit, world.asked]).toEqual([EXIT.waiting, []]);
  });

  test('several, and no terminal: 64, naming --account and the accounts', async () => {
    resolves(method('pamadmin1'), method('pamadmin2'), method('pamadmin1'));
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.usage);
    expect(err).toMatch(/\nPass --account with one of: pamadmin1, pamadmin2\.\n$/);
    expect(service().asked).toEqual(['resolve']);
  });

  test('an unknown host and a forbidden one answer alike: 77', async () => {
    resolves();
    for (const host of ['opa-demo-linux', 'no-such-host']) {
      const { exit, err } = await sft(`ssh ${host}`);
      expect(exit).toBe(EXIT.refused);
      expect(err).toBe(
        `sft: ${host}: no such server, or no access to it.\n` +
          '`sft list-servers` shows the servers you can reach.\n',
      );
    }
  });

  test('an account that is not among the methods: 77, naming those that are', async () => {
    resolves(method('pamadmin1'));
    const { exit, err } = await sft('ssh opa-demo-linux --account root');
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('Pass --account with one of: pamadmin1.');
  });

  test('hostile names in the list reach no terminal', async () => {
    resolves(method('a\u001b[2Jb'), method('pamadmin2'));
    raises();
    const { err } = await sft('ssh opa-demo-linux', { answers: ['2', 'x'] });
    expect(err).not.toContain('\u001b');
  });
});

describe('sft ssh --account with several options', () => {
  const picked = async (...methods: ReturnType<typeof method>[]) => {
    resolves(...methods);
    opens();
    const { ssh } = ending({ kind: 'exited', exit: 0 });
    await sft('ssh opa-demo-linux --account pamadmin1', { ssh });
    const { access_credential: credential } = service().last('openSession').body;
    return credential.type === 'vaulted_account' ? credential.account_id : 'principal';
  };
  const of = (account: number, given: ReturnType<typeof method>) => ({
    ...given,
    access_credential: { type: 'vaulted_account' as const, account_id: id(account) },
  });

  test('the allowed one with the latest expiry wins', async () => {
    expect(await picked(of(1, approved('pamadmin1', 5)), of(2, approved('pamadmin1', 9)))).toBe(
      id(2),
    );
  });

  test('one without an end outlasts all', async () => {
    const endless = method('pamadmin1', { allowed: true, conditionals: [] });
    expect(await picked(of(1, endless), of(2, approved('pamadmin1', 9)))).toBe(id(1));
  });

  test('an allowed one wins over any that is not', async () => {
    expect(await picked(of(1, method('pamadmin1')), of(2, approved('pamadmin1', 1)))).toBe(id(2));
  });

  test('none allowed: the one with the fewest unmet conditions', async () => {
    const other = { id: id(21), name: 'Another type' };
    const two = method('pamadmin1', {
      conditionals: [condition({ request_type: other }), mfa()],
    });
    resolves(two, method('pamadmin1'));
    raises();
    await sft('ssh opa-demo-linux --account pamadmin1 --reason x');
    expect(service().last('createAccessRequest').body.request_type_id).toBe(id(20));
  });
});

function mfa(met = false) {
  return {
    type: 'mfa' as const,
    condition_is_met: met,
    description: 'phishing-resistant MFA within 15 min',
    expires_at: null,
    re_auth_frequency_in_seconds: 900,
    acr_values: 'phr' as const,
  };
}

describe('sft ssh: raising', () => {
  test('--reason fills the justification; no terminal is needed', async () => {
    resolves(method('pamadmin1'));
    raises();
    const { exit } = await sft(['ssh', 'opa-demo-linux', '--reason', 'rotate the logs']);
    expect(exit).toBe(EXIT.waiting);
    expect(service().last('createAccessRequest').body.answers).toEqual({
      justification: 'rotate the logs',
    });
  });

  test('a reason is needed and nobody can be asked: 64, nothing raised', async () => {
    resolves(method('pamadmin1'));
    raises();
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('\nPass --reason TEXT.\n');
    expect(service().asked).not.toContain('createAccessRequest');
  });

  test('with -o json, 75 is a problem document that names the request', async () => {
    resolves(method('pamadmin1'));
    raises();
    const { exit, out } = await sft('ssh opa-demo-linux --reason x -o json');
    expect(exit).toBe(EXIT.waiting);
    expect(JSON.parse(out)).toMatchObject({ code: 'approval_required', request_id: id(50) });
  });

  test('a pending one is not raised again: 75', async () => {
    resolves(method('pamadmin1', { conditionals: [condition({ pending_request_id: id(50) })] }));
    service().on('getAccessRequest', () => ({ body: detail(accessRequest()) }));
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.waiting);
    expect(err).toMatch(/^Request \S+ is waiting\. It can be approved by Dana Reyes or 2 people/);
    expect(service().asked).toEqual(['resolve', 'getAccessRequest']);
  });

  test('the questions are those of the request type', async () => {
    resolves(method('pamadmin1'));
    raises();
    service().on('getRequestType', () => ({
      body: {
        ...REQUEST_TYPE,
        definition: {
          ...REQUEST_TYPE.definition,
          fields: [
            { key: 'ticket', prompt: 'Ticket', type: 'text', max_length: 8 },
            { key: 'side', prompt: 'Which side?', type: 'choice', options: ['left', 'right'] },
            { key: 'note', prompt: 'Anything else?', type: 'text', required: false },
          ],
        },
      },
    }));
    const { world } = await sft('ssh opa-demo-linux --answer ticket=T-1', {
      answers: ['left', ''],
    });
    expect(world.asked).toEqual(['Which side:', 'Anything else:']);
    expect(service().last('createAccessRequest').body.answers).toEqual({
      ticket: 'T-1',
      side: 'left',
    });
  });

  test.each([
    ['--answer nothing=x', /names no field/],
    ['--answer justification', /names no field/],
  ])('%s: 64', async (flag, text) => {
    resolves(method('pamadmin1'));
    raises();
    const { exit, err } = await sft(`ssh opa-demo-linux ${flag}`);
    expect([exit, text.test(err)]).toEqual([EXIT.usage, true]);
  });

  test.each([
    ['no_eligible_approver', EXIT.refused],
    ['rate_limited', EXIT.unavailable],
    ['internal', EXIT.bug],
    ['invalid_request', EXIT.usage],
    ['state_conflict', EXIT.refused],
  ] as const)('the service refuses with %s: %i', async (code, expected) => {
    resolves(method('pamadmin1'));
    raises();
    service().on('createAccessRequest', () => problem(code, 'It says so.'));
    const { exit, err } = await sft('ssh opa-demo-linux --reason x');
    expect(exit).toBe(expected);
    expect(err).toMatch(/^sft: It says so\..*\n.+\n$/);
  });

  test('closed for another reason than an approval: 77, nothing raised', async () => {
    const cases = [
      method('pamadmin1', { conditionals: [mfa()] }),
      method('pamadmin1', { conditionals: [], resource_status: 'checked_out_by_other_user' }),
      method('pamadmin1', { conditionals: [], resource_status: 'unavailable' }),
    ];
    for (const closed of cases) {
      resolves(closed);
      const { exit, err } = await sft('ssh opa-demo-linux');
      expect(exit).toBe(EXIT.refused);
      expect(err).toMatch(/^sft: pamadmin1 on opa-demo-linux /);
    }
    expect(service().asked).toEqual(['resolve', 'resolve', 'resolve']);
  });
});
