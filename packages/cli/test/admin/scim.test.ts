import { EXIT } from '@postern/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { at, id } from '../fake/things.ts';
import type { FakeFile } from '../fake/world.ts';

const { service, admin } = script();

const TOKEN = `pst_${'0'.repeat(32)}_${'A'.repeat(43)}`;
const MADE = { id: id(90), name: 'okta', token: TOKEN };
const OKTA = {
  id: id(90),
  name: 'okta',
  authoritative: ['manager'],
  created_by: { id: id(82), name: 'Pat Moreau' },
  created_at: at(0),
  token_made_at: at(0),
  revoked_at: null,
  users: 12,
  groups: 3,
};

describe('sft-admin scim', () => {
  beforeEach(() => {
    service().on('listScimConnections', () => ({ body: { list: [OKTA] } }));
  });

  test('create: the token once, and what is believed', async () => {
    service().on('createScimConnection', () => ({ status: 201, body: MADE }));
    const { out } = await admin('scim create okta --authoritative manager,department');
    expect(out).toBe(`${TOKEN}\n`);
    expect(service().last('createScimConnection').body).toEqual({
      name: 'okta',
      authoritative: ['manager', 'department'],
    });
  });

  test('list', async () => {
    const { out } = await admin('scim list');
    for (const text of ['okta', 'live', '12', '3', 'manager', 'Pat Moreau'])
      expect(out).toContain(text);
  });

  test('rotate by name, into a file: the token is not printed', async () => {
    service().on('rotateScimToken', () => ({ status: 201, body: MADE }));
    const files = new Map<string, FakeFile>();
    const { out, err } = await admin('scim rotate okta --out /tmp/t', { files });
    expect(files.get('/tmp/t')?.text).toBe(`${TOKEN}\n`);
    expect(out + err).not.toContain(TOKEN);
    expect(service().last('rotateScimToken').params).toMatchObject({ id: id(90) });
  });

  test('update: what is believed from now on; without it 64', async () => {
    service().on('updateScimConnection', () => ({ body: { ...OKTA, authoritative: [] } }));
    const { out } = await admin('scim update okta --authoritative none');
    expect(out).toBe('okta is authoritative for: nothing.\n');
    expect(service().last('updateScimConnection').body).toEqual({ authoritative: [] });
    expect((await admin('scim update okta')).exit).toBe(EXIT.usage);
  });

  test('revoke, link-group', async () => {
    service().on('revokeScimConnection', () => ({ status: 204, body: null }));
    expect((await admin('scim revoke okta')).out).toContain('okta is revoked');
    const privileges = { privileged_by: [], privileged_sources: [] };
    const group = {
      ...{ id: id(91), name: 'ops', source: 'local', roles: [], owners: [] },
      ...privileges,
    };
    service().on('linkScimGroup', () => ({ body: group }));
    const { out } = await admin('scim link-group okta ops --external-id 00g1');
    expect(out).toContain('The next push of ops from okta takes it over');
    expect(service().last('linkScimGroup').body).toEqual({ group: 'ops', external_id: '00g1' });
  });

  test('a connection that is not there: refused, and where to look', async () => {
    const { exit, err } = await admin('scim revoke nope');
    expect([exit, err]).toEqual([
      EXIT.refused,
      expect.stringContaining('See what there is: sft-admin scim list'),
    ]);
  });
});
