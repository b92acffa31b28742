import { EXIT, verifySessionProof } from '@postern/shared';
import { describe, expect, test, vi } from 'vitest';
import type { SshEnd, SshPort } from '../../src/ssh/port.ts';
import { script } from '../fake/script.ts';
import { problem, TEAM } from '../fake/service.ts';
import {
  ANA,
  accessRequest,
  approved,
  condition,
  decided,
  id,
  method,
  REQUEST_TYPE,
  SERVER,
  session,
} from '../fake/things.ts';

const { service, sft } = script();
const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINLZX5Rxa9/cUNKgMrFe9dOZd1xhR8tQLVZ6wJ1cJc7N';

function resolves(...methods: ReturnType<typeof method>[]): void {
  service().on('resolve', ({ body }) => ({
    body: {
      servers: body.names[0] === SERVER.name ? [SERVER] : [],
      unresolved_names: body.names.filter((n) => n !== SERVER.name),
      user_access_methods: body.names[0] === SERVER.name ? methods : [],
    },
  }));
}

function raises(): void {
  service()
    .on('getRequestType', () => ({ body: REQUEST_TYPE }))
    .on('createAccessRequest', () => ({ status: 201, body: accessRequest() }));
}

function opens(): void {
  service()
    .on('whoami', () => ({ body: ANA }))
    .on('createSessionNonce', () => ({
      status: 201,
      body: { nonce: 'nonce-1', expires_in_seconds: 60 },
    }))
    .on('openSession', () => ({
      status: 201,
      body: {
        session: session(),
        gateway: { host: '127.0.0.1', port: 2022, username: id(60), host_keys: [HOST_KEY] },
      },
    }));
}

/** An SSH client that ends like this. */
const ending = (end: SshEnd) => {
  const run = vi.fn<SshPort['run']>(async () => end);
  return { ssh: { run }, run };
};

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
    service().on('getAccessRequest', () => ({ body: decided('approve') }));
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
    description: 'phishing-resistant proof of the last 15 min',
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
    service().on('getAccessRequest', () => ({ body: accessRequest() }));
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

describe('sft ssh: opening', () => {
  test('the proof signs team, user, server, account, nonce and the fresh key', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    await sft('ssh opa-demo-linux', { ssh });
    await sft('ssh opa-demo-linux', { ssh });
    const { body } = service().last('openSession');
    expect(
      verifySessionProof(
        {
          team: TEAM,
          user_id: ANA.user.id,
          server_id: SERVER.id,
          identity: 'pamadmin1',
          access_credential: body.access_credential,
          nonce: 'nonce-1',
          public_key: body.public_key,
        },
        body.proof,
      ),
    ).toEqual({ ok: true });
    const keys = service()
      .received.filter((r) => r.id === 'openSession')
      .map((r) => (r.body as unknown as { public_key: string }).public_key);
    expect(new Set(keys).size).toBe(2);
    const [target] = run.mock.calls[0] ?? [];
    expect(target).toMatchObject({ host: '127.0.0.1', port: 2022, username: id(60) });
    expect(target?.host_keys).toEqual([HOST_KEY]);
  });

  test('what is not allowed any more is refused by the service: 75', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('openSession', () => problem('approval_required', 'The approval has ended.'));
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.waiting);
    expect(err).toMatch(/^sft: The approval has ended\.\nRun the same command again/);
  });

  test('the command is what stands after --, joined by spaces', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 3 });
    const { exit } = await sft(['ssh', 'opa-demo-linux', '--', 'sh', '-c', 'exit 3'], { ssh });
    expect(exit).toBe(3);
    expect(run.mock.calls[0]?.[1].command).toBe('sh -c exit 3');
  });

  test('forwards are parsed before anything is asked: 64', async () => {
    for (const flag of [
      '-L 80',
      '-R a:b',
      '-D 99999',
      '-L 0:x:1',
      '--timeout 5m',
      '--wait --timeout x',
    ]) {
      const { exit } = await sft(`ssh opa-demo-linux ${flag}`);
      expect([flag, exit]).toEqual([flag, EXIT.usage]);
    }
    expect(service().asked).toEqual([]);
  });

  test('forwards reach the client', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    await sft('ssh opa-demo-linux -N -L 8080:db:5432 -L [::1]:81:[fd00::2]:82 -R 0:x:22 -D 1080', {
      ssh,
    });
    expect(run.mock.calls[0]?.[1]).toMatchObject({
      forwards_only: true,
      local: [
        { bind: '127.0.0.1', port: 8080, host: 'db', host_port: 5432 },
        { bind: '::1', port: 81, host: 'fd00::2', host_port: 82 },
      ],
      remote: [{ bind: '127.0.0.1', port: 0, host: 'x', host_port: 22 }],
      dynamic: [{ bind: '127.0.0.1', port: 1080 }],
    });
  });
});

describe('sft ssh: the end of a session', () => {
  const endsWith = async (end: SshEnd, reason: string | null) => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('getSession', () => ({ body: session({ end_reason: reason }) }));
    return await sft('ssh opa-demo-linux', { ssh: ending(end).ssh });
  };

  test('cut: 255, and one line why, as the service knows it', async () => {
    const { exit, err } = await endsWith({ kind: 'lost', why: undefined }, 'revoked');
    expect(exit).toBe(EXIT.transport);
    expect(err).toMatch(/^sft: Your access was revoked\.\n.+\n$/);
  });

  test("lost, and the service knows nothing: the gateway's own words", async () => {
    const { exit, err } = await endsWith({ kind: 'lost', why: 'The key was used.\u001b[2J' }, null);
    expect(exit).toBe(EXIT.transport);
    expect(err).toBe('sft: The key was used.\ufffd[2J\nRun the same command again.\n');
  });

  test('another host key than the pinned one: 255, never a question', async () => {
    const { exit, err } = await endsWith(
      { kind: 'host_key_mismatch', fingerprint: 'SHA256:abc' },
      null,
    );
    expect(exit).toBe(EXIT.transport);
    expect(err).toContain('SHA256:abc');
    expect(err).toContain('Do not go on');
  });

  test('the service away as well: still 255', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('getSession', () => ({ status: 502, raw: 'bad gateway' }));
    const { exit } = await sft('ssh opa-demo-linux', {
      ssh: ending({ kind: 'lost', why: undefined }).ssh,
    });
    expect(exit).toBe(EXIT.transport);
  });
});
