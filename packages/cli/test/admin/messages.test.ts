import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { at, id } from '../fake/things.ts';

const { service, admin } = script();

const DEAD = {
  id: id(70),
  state: 'dead' as const,
  kind: 'request_approved',
  destination: { type: 'mail' as const, name: null },
  to: { id: id(71), name: 'Ana\u001b[31m' },
  request_id: id(50),
  attempts: 1,
  last_error: 'the mail server answered 550 to RCPT TO',
  created_at: at(0),
  next_at: null,
  delivered_at: null,
};

describe('sft-admin messages', () => {
  test('list: those in a state, with where they go and why they did not arrive', async () => {
    const hook = { ...DEAD, destination: { type: 'webhook' as const, name: 'ops' }, to: null };
    service().on('listMessages', () => ({ body: { list: [DEAD, hook] } }));
    const { out } = await admin('messages list --state dead');
    expect(service().last('listMessages').query).toEqual({ state: 'dead', limit: 100 });
    expect(out).toContain('mail to Ana\ufffd[31m');
    expect(out).toContain('webhook ops');
    expect(out).toContain('the mail server answered 550 to RCPT TO');
  });

  test('list: a state that there is not, or no number: 64, nothing is asked', async () => {
    expect((await admin('messages list --state lost')).exit).toBe(EXIT.usage);
    expect((await admin('messages list --limit many')).exit).toBe(EXIT.usage);
    expect(service().asked).toEqual([]);
  });

  test('retry', async () => {
    service().on('retryMessage', () => ({ body: { ...DEAD, state: 'waiting' } }));
    const { out } = await admin(`messages retry ${id(70)}`);
    expect(out).toBe(`Message ${id(70)} is waiting: mail to Ana\ufffd[31m.\n`);
  });

  test('retry of one that is not dead: refused', async () => {
    service().on('retryMessage', () => problem('state_conflict', 'The message is delivered.'));
    expect((await admin(`messages retry ${id(70)}`)).exit).toBe(EXIT.refused);
  });
});
