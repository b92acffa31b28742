import { type AccessRequest, type CatalogEntry, EXIT } from '@postern/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { accessRequest, at, detail, id } from '../fake/things.ts';

const { service, sft } = script();

const GROUP = { id: id(60), name: 'PAM Linux Sysadmins' };
const ENTRY: CatalogEntry = {
  request_type: { id: id(21), name: 'PAM sysadmins', version: 1 },
  description: 'Time-bound membership.',
  purpose: 'group_membership',
  fields: [
    { key: 'justification', prompt: 'Why do you need it?', type: 'text' },
    { key: 'team', prompt: 'Which?', type: 'choice', options: [GROUP.name] },
    { key: 'until', prompt: 'Until which day?', type: 'date', zone: 'Europe/Berlin' },
  ],
  groups: [GROUP],
};
const SERVER_ENTRY: CatalogEntry = { ...ENTRY, purpose: 'server_access', groups: [] };
const request = (more: Partial<AccessRequest> = {}): AccessRequest =>
  accessRequest({
    request_type: ENTRY.request_type,
    target: {
      type: 'group_membership',
      memberships: [
        {
          group: GROUP,
          date: '2026-03-09',
          time_zone: 'Europe/Berlin',
          duration_seconds: null,
          ends_at: at(1440),
        },
      ],
    },
    ...more,
  });
const ANSWERS = ['--reason', 'patch day', '--answer', `team=${GROUP.name}`];

beforeEach(() => {
  service()
    .on('listCatalog', () => ({ body: { list: [ENTRY, SERVER_ENTRY] } }))
    .on('createAccessRequest', () => ({ status: 201, body: request() }));
});

describe('the catalogue', () => {
  test('what can be asked for by itself; servers are asked for by their names', async () => {
    const { out } = await sft('request catalog');
    expect(out).toMatch(/^REQUEST_TYPE +GROUPS +ASKS +DESCRIPTION\nPAM sysadmins +PAM Linux/);
    expect(out.trim().split('\n')).toHaveLength(2);
  });

  test('--type asks for one of it, with all its answers', async () => {
    const words = ['request', 'create', '--type', 'PAM sysadmins', ...ANSWERS];
    const { exit, out } = await sft([...words, '--answer', 'until=2026-03-09']);
    expect([exit, out]).toEqual([0, expect.stringContaining('is pending')]);
    expect(service().last('createAccessRequest').body).toEqual({
      request_type_id: id(21),
      target: { type: 'group_membership' },
      answers: { justification: 'patch day', team: GROUP.name, until: '2026-03-09' },
    });
  });

  test.each<[string, string[], number]>([
    ['nothing to ask for, and no terminal', [], EXIT.usage],
    ['a server and a type', ['host', '--type', 'PAM sysadmins'], EXIT.usage],
    ['an account without a server', ['--type', 'PAM sysadmins', '--account', 'x'], EXIT.usage],
    ['an answer that is missing', ['--type', 'PAM sysadmins', ...ANSWERS], EXIT.usage],
    [
      'an answer that is no date',
      ['--type', 'PAM sysadmins', '--answer', 'until=soon'],
      EXIT.usage,
    ],
    ['a type that is not there', ['--type', 'Other', ...ANSWERS], EXIT.refused],
  ])('%s: two lines, and nothing is raised', async (_, words, status) => {
    const { exit, err } = await sft(['request', 'create', ...words]);
    expect(exit).toBe(status);
    expect(err.trim().split('\n')).toHaveLength(2);
    expect(service().asked).not.toContain('createAccessRequest');
  });
});

describe('sft request show', () => {
  test('each step of a membership: added, timer, removed', async () => {
    const by = { id: id(11), name: 'Dana Reyes' };
    const change = (from: string, to: string, event: string, minutes: number) => ({
      ...{ at: at(minutes), from, to, event: event as 'active', step: null, by: null },
    });
    service().on('getAccessRequest', () => ({
      body: detail(request({ state: 'ended', end_reason: 'expired', ends_at: at(1440) }), {
        history: [
          { ...change('pending', 'approved', 'approved', 1), by },
          change('approved', 'active', 'active', 1),
          change('active', 'ended', 'ended', 1441),
        ],
        memberships: [
          { group: GROUP, added_at: at(1), expires_at: at(1440), removed_at: at(1441) },
        ],
      }),
    }));
    const { out } = await sft(`request show ${id(50)}`);
    expect(out).toMatch(
      /Group: +PAM Linux Sysadmins, until the end of 2026-03-09 \(Europe\/Berlin\)/,
    );
    expect(out).toMatch(/added to PAM Linux Sysadmins, timer set to .*, by the service/);
    expect(out).toMatch(/ended: removed from PAM Linux Sysadmins by the service/);
    expect(out).toMatch(/Memberships: +PAM Linux Sysadmins +added .*, timer .*, removed /);
  });
});
