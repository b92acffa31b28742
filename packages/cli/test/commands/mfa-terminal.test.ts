import { expect, test } from 'vitest';
import { Terminal } from '../fake/process.ts';
import { reach } from '../fake/reach.ts';
import { at, id, method, SERVER } from '../fake/things.ts';

const { service, env } = reach();

test('in a real terminal: the code is asked for, a wrong one again, and the shell comes', async () => {
  const needing = method('pamadmin1', {
    conditionals: [
      {
        type: 'mfa',
        condition_is_met: false,
        description: 'MFA within 15 min',
        expires_at: null,
        re_auth_frequency_in_seconds: 900,
        acr_values: 'any',
      },
    ],
  });
  service()
    .on('resolve', () => ({
      body: { servers: [SERVER], unresolved_names: [], user_access_methods: [needing] },
    }))
    .on('createMfaApproval', () => ({
      status: 201,
      body: {
        mfa_id: id(70),
        redirect_url: 'https://postern.example.test/mfa/secret-1',
        polling_url: '/v1',
        expires_at: at(5),
        takes_code: true,
      },
    }))
    .on('answerMfaApproval', ({ body }) => ({
      body:
        body.code === '123456'
          ? { state: 'approved', tries_left: 0 }
          : { state: 'pending', tries_left: 4 },
    }));
  const terminal = new Terminal(['ssh', SERVER.name], env());
  try {
    await terminal.see('? One-time code (Enter opens the browser):');
    terminal.type('12x\r');
    await terminal.see('Type the six digits');
    // Takes back what was typed.
    terminal.type('\u0015111111\r');
    await terminal.see('Tries left: 4.');
    terminal.type('123456\r');
    await terminal.see('there$ ');
    expect(service().last('createMfaApproval').body).toMatchObject({ server_id: SERVER.id });
  } finally {
    terminal.kill();
  }
});
