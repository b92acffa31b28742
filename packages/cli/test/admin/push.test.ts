import { EXIT } from '@postern/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { at, id } from '../fake/things.ts';

const { service, admin } = script();

const CRM = {
  id: id(95),
  name: 'crm',
  url: 'https://crm.example.com/scim/v2',
  groups: [{ id: id(96), name: 'ops' }],
  created_by: { id: id(82), name: 'Pat Moreau' },
  created_at: at(0),
};
const PUSH = {
  id: id(97),
  state: 'dead' as const,
  target: { id: id(95), name: 'crm' },
  group: { id: id(96), name: 'ops' },
  user: { id: id(81), name: 'Dana\u001b[31m Reyes' },
  request_id: id(98),
  told: null,
  attempts: 3,
  last_error: 'the target answered 400',
  next_at: null,
  pushed_at: null,
};

describe('sft-admin scim, push out', () => {
  beforeEach(() => {
    service().on('listPushTargets', () => ({ body: { list: [CRM] } }));
  });

  test('add-target: the token comes from a file, never from the arguments', async () => {
    service().on('createPushTarget', () => ({ status: 201, body: CRM }));
    const files = new Map([['/t', { text: 'secret\n', mode: 0o600 }]]);
    const words = 'scim add-target crm https://crm.example.com/scim/v2 --groups ops';
    const { out } = await admin(`${words} --token-from-file /t`, { files });
    expect(out).toBe('crm is told of: ops.\n');
    expect(service().last('createPushTarget').body).toEqual({
      name: 'crm',
      url: 'https://crm.example.com/scim/v2',
      token: 'secret',
      groups: ['ops'],
    });
    expect((await admin(words)).exit).toBe(EXIT.usage);
  });

  test('targets, push-groups, remove-target', async () => {
    expect((await admin('scim targets')).out).toContain('https://crm.example.com/scim/v2');
    service().on('setPushGroups', () => ({ body: { ...CRM, groups: [] } }));
    expect((await admin('scim push-groups crm none')).out).toBe('crm is told of: no group.\n');
    expect(service().last('setPushGroups').body).toEqual({ groups: [] });
    service().on('removePushTarget', () => ({ status: 204, body: null }));
    expect((await admin('scim remove-target crm')).out).toBe('crm is told nothing any more.\n');
    expect((await admin('scim remove-target nope')).exit).toBe(EXIT.refused);
  });

  test('pushes: what became of them, and why; retry', async () => {
    service().on('listPushes', () => ({ body: { list: [PUSH] } }));
    const { out } = await admin('scim pushes --state dead');
    for (const text of ['crm', 'ops', 'Dana\ufffd[31m Reyes', id(98), 'the target answered 400'])
      expect(out).toContain(text);
    service().on('retryPush', () => ({ body: { ...PUSH, state: 'waiting' } }));
    expect((await admin(`scim retry ${id(97)}`)).out).toBe(`Push ${id(97)} to crm is waiting.\n`);
  });
});
