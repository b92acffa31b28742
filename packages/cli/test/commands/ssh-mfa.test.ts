import { EXIT } from '@postern/shared';
import { describe, expect, test, vi } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { ending, openAnswer, sshFlow } from '../fake/ssh-flow.ts';
import { approved, at, condition, decided, detail, id, method, SERVER } from '../fake/things.ts';
import type { FakeWorldOptions } from '../fake/world.ts';

const { service, sft } = script();
const { resolves, raises, opens } = sshFlow(service);

const PAGE = 'https://postern.example.test/mfa/secret-1';
const mfa = (acr_values: 'any' | 'phr' = 'any', met = false) => ({
  type: 'mfa' as const,
  condition_is_met: met,
  description: acr_values === 'any' ? 'MFA within 15 min' : 'phishing-resistant MFA within 15 min',
  expires_at: null,
  re_auth_frequency_in_seconds: 900,
  acr_values,
});
const needing = (acr: 'any' | 'phr' = 'any') => method('pamadmin1', { conditionals: [mfa(acr)] });

type State = 'pending' | 'approved' | 'expired' | 'failed';

/** The challenge, and what the browser's page has come to each time it is asked. */
function challenges(
  {
    takes_code = true,
    redirect_url = PAGE,
  }: { takes_code?: boolean; redirect_url?: string | null } = {},
  ...states: State[]
) {
  service()
    .on('createMfaApproval', () => ({
      status: 201,
      body: {
        mfa_id: id(70),
        redirect_url,
        polling_url: `https://postern.example.test/v1/teams/demo/mfa_approvals/${id(70)}/state`,
        expires_at: at(5),
        takes_code,
      },
    }))
    .on('getMfaApprovalState', () => ({ body: { state: states.shift() ?? 'pending' } }));
}

/** Only this code is right. */
const codes = (right: string, wrongs = 5) => {
  let left = wrongs;
  service().on('answerMfaApproval', ({ body }) => {
    if (body.code === right) return { body: { state: 'approved', tries_left: 0 } };
    left -= 1;
    return { body: { state: left > 0 ? 'pending' : 'failed', tries_left: left } };
  });
};

const browser = () => {
  const open = vi.fn(async () => undefined);
  return { browser: { open }, open };
};
/** Time passes at once. */
const clock = { sleep: async () => undefined };
const connects = (options: FakeWorldOptions = {}) => {
  opens();
  const { ssh, run } = ending({ kind: 'exited', exit: 0 });
  return { run, options: { ssh, clock, ...options } };
};

describe('sft ssh: MFA with a one-time code', () => {
  test('asks for the code in the terminal, and goes on by itself', async () => {
    resolves(needing());
    challenges();
    codes('123456');
    const { run, options } = connects({ answers: ['123 456'] });
    const { exit, err, world } = await sft('ssh opa-demo-linux', options);
    expect(exit).toBe(0);
    expect(run).toHaveBeenCalledOnce();
    expect(world.asked).toEqual(['One-time code (Enter opens the browser):']);
    expect(err).toBe('');
    expect(service().asked).toEqual([
      'resolve',
      'createMfaApproval',
      'answerMfaApproval',
      'openSession',
    ]);
    expect(service().last('createMfaApproval').body).toEqual({
      acr: 'any',
      server_id: SERVER.id,
      identity: 'pamadmin1',
      access_credential: { type: 'vaulted_account', account_id: id(30) },
    });
    expect(service().last('answerMfaApproval').body).toEqual({ code: '123456' });
  });

  test('a wrong one: says how many are left, and asks again', async () => {
    resolves(needing());
    challenges();
    codes('123456');
    const { options } = connects({ answers: ['111111', '123456'] });
    const { exit, err } = await sft('ssh opa-demo-linux', options);
    expect(exit).toBe(0);
    expect(err).toBe('That is not the code, or it was used already. Tries left: 4.\n');
  });

  test('too many: 77, nothing is opened, and no code is shown', async () => {
    resolves(needing());
    challenges();
    codes('123456', 2);
    const { exit, err } = await sft('ssh opa-demo-linux', { answers: ['111111', '222222'] });
    expect(exit).toBe(EXIT.refused);
    expect(err).toMatch(/sft: Too many wrong codes\.\nRun the same command again when .*\n$/);
    expect(err).not.toMatch(/111111|222222/);
    expect(service().asked).not.toContain('openSession');
  });

  test('what cannot be a code is asked again before it is sent', async () => {
    resolves(needing());
    challenges();
    await sft('ssh opa-demo-linux', { answers: ['12345'] });
    expect(service().asked).not.toContain('answerMfaApproval');
  });
});

describe('sft ssh: MFA in the browser', () => {
  test('Enter opens the page; when it is answered there the connection goes on', async () => {
    resolves(needing());
    challenges({}, 'pending', 'pending', 'approved');
    const { browser: port, open } = browser();
    const { run, options } = connects({ answers: [''], browser: port });
    const { exit, err } = await sft('ssh opa-demo-linux', options);
    expect([exit, run.mock.calls.length]).toEqual([0, 1]);
    expect(open).toHaveBeenCalledExactlyOnceWith(new URL(PAGE));
    expect(err).toContain(`If it does not open, go to:\n  ${PAGE}\n`);
    expect(service().asked.filter((o) => o === 'getMfaApprovalState')).toHaveLength(3);
  });

  test('phishing-resistant, or no authenticator app: no code is asked for', async () => {
    resolves(needing('phr'));
    challenges({ takes_code: false }, 'approved');
    const { browser: port } = browser();
    const { options } = connects({ isTerminal: true, browser: port });
    const { exit, world } = await sft('ssh opa-demo-linux', options);
    expect([exit, world.asked]).toEqual([0, []]);
    expect(service().last('createMfaApproval').body.acr).toBe('phr');
  });

  test('SFT_NO_BROWSER: the page is named, and nothing is opened', async () => {
    resolves(needing());
    challenges({ takes_code: false }, 'approved');
    const { options } = connects({ isTerminal: true, env: { SFT_NO_BROWSER: '1' } });
    const { exit, err } = await sft('ssh opa-demo-linux', options);
    expect(exit).toBe(0);
    expect(err).toContain(PAGE);
  });

  test.each(['expired', 'failed'] as const)('%s: 77, nothing is opened', async (state) => {
    resolves(needing());
    challenges({ takes_code: false }, 'pending', state);
    const { browser: port } = browser();
    const { exit } = await sft('ssh opa-demo-linux', { isTerminal: true, browser: port, clock });
    expect(exit).toBe(EXIT.refused);
    expect(service().asked).not.toContain('openSession');
  });

  test('Ctrl-C while it waits: 130', async () => {
    resolves(needing());
    challenges({ takes_code: false });
    const { browser: port } = browser();
    const { exit } = await sft('ssh opa-demo-linux', {
      isTerminal: true,
      browser: port,
      onWorld: (world) => {
        (world.clock as { sleep: unknown }).sleep = async () => world.interruptNow();
      },
    });
    expect(exit).toBe(EXIT.interrupted);
  });

  test('a service that is away for a moment is asked again', async () => {
    resolves(needing());
    challenges({ takes_code: false });
    let asked = 0;
    service().on('getMfaApprovalState', () => {
      asked += 1;
      return asked === 1 ? problem('unavailable', 'Away.') : { body: { state: 'approved' } };
    });
    const { browser: port } = browser();
    const { options } = connects({ isTerminal: true, browser: port });
    expect((await sft('ssh opa-demo-linux', options)).exit).toBe(0);
  });

  test.each([
    'http://postern.example.test/mfa/x',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '--help',
    '$(id)',
    null,
  ])('a page that is not safe to open is not opened: %s', async (redirect_url) => {
    resolves(needing());
    challenges({ takes_code: false, redirect_url });
    const { exit, err } = await sft('ssh opa-demo-linux', { isTerminal: true });
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('Tell your administrators');
  });
});

describe('sft ssh: MFA and the rest', () => {
  test('without a terminal: 77 with the command to run, and no challenge', async () => {
    resolves(needing());
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.refused);
    expect(err).toBe(
      'sft: pamadmin1 on opa-demo-linux needs MFA within 15 min, and there is no terminal to ask for it.\n' +
        'Run it in a terminal: sft ssh opa-demo-linux --account pamadmin1\n',
    );
    expect(service().asked).toEqual(['resolve']);
  });

  test('with -o json it is a problem document', async () => {
    resolves(needing());
    const { out } = await sft('ssh opa-demo-linux -o json');
    expect(JSON.parse(out)).toMatchObject({ code: 'mfa_required' });
  });

  test('the list says it in words', async () => {
    resolves(needing(), method('pamadmin2', { conditionals: [condition(), mfa('phr')] }));
    const { err } = await sft('ssh opa-demo-linux', { answers: ['9'] });
    expect(err).toContain('pamadmin1  vaulted account  needs MFA within 15 min\n');
    expect(err).toContain(
      'approval required: Server access approval, then 30 min, needs phishing-resistant MFA within 15 min\n',
    );
  });

  test('--wait: the approval first, then the code, then the connection', async () => {
    resolves(method('pamadmin1', { conditionals: [condition(), mfa()] }));
    raises();
    service().on('getAccessRequest', () => ({ body: detail(decided('approve')) }));
    challenges();
    codes('123456');
    const { options } = connects({ answers: ['123456'] });
    const { exit } = await sft('ssh opa-demo-linux --wait --reason logs', options);
    expect(exit).toBe(0);
    const order = service().asked.filter((o) => /create|open|answer/.test(o));
    expect(order).toEqual([
      'createAccessRequest',
      'createMfaApproval',
      'answerMfaApproval',
      'openSession',
    ]);
  });

  test('an approval is needed too and nobody waits: 75, and no code is asked for', async () => {
    resolves(method('pamadmin1', { conditionals: [condition(), mfa()] }));
    raises();
    const { exit, err } = await sft('ssh opa-demo-linux --reason logs', { isTerminal: true });
    expect(exit).toBe(EXIT.waiting);
    expect(err).toContain('Besides the approval it needs MFA within 15 min.');
    expect(service().asked).not.toContain('createMfaApproval');
  });

  test('closed for another reason as well: no code is asked for', async () => {
    const address = {
      type: 'source_address' as const,
      condition_is_met: false,
      description: 'from 10.0.0.0/8',
      expires_at: null,
      cidrs: ['10.0.0.0/8'],
    };
    resolves(method('pamadmin1', { conditionals: [mfa(), address] }));
    const { exit, err } = await sft('ssh opa-demo-linux', { isTerminal: true });
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain('needs MFA within 15 min and from 10.0.0.0/8');
    expect(service().asked).toEqual(['resolve']);
  });

  test('what was enough when it was listed is too old when it is opened: asked once', async () => {
    resolves(approved('pamadmin1', 20));
    opens();
    challenges();
    codes('123456');
    let opened = 0;
    const refuse = () =>
      problem('mfa_required', 'Needed first: MFA within 15 min.', { acr_values: 'any' });
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    service().on('openSession', () => {
      opened += 1;
      return opened === 1 ? refuse() : openAnswer();
    });
    const { exit } = await sft('ssh opa-demo-linux', { answers: ['123456'], ssh });
    expect([exit, opened, run.mock.calls.length]).toEqual([0, 2, 1]);
    opened = -10;
    service().on('openSession', refuse);
    const again = await sft('ssh opa-demo-linux', { answers: ['123456'], ssh });
    expect(again.exit).toBe(EXIT.refused);
  });
});
