import { EXIT } from '@postern/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { at, id } from '../fake/things.ts';

const { service, admin } = script();

const CI = {
  ...{ id: id(60), name: 'ci', provider: 'github', issuer: 'https://token.example.com' },
  jwks_url: 'https://token.example.com/.well-known/jwks',
  audience: 'https://postern.example.test',
  unnamed_people: 'need_two',
  rules: [
    {
      service_user: { id: id(61), login: 'deployer' },
      claims: { repository_id: '74', environment: 'production' },
      ref_pattern: 'refs/heads/release/*',
    },
  ],
  created_by: { id: id(82), name: 'Pat Moreau' },
  ...{ created_at: at(0), updated_at: at(0) },
};
const KEY = {
  ...{ id: id(63), name: 'deploy', kid: 'thumb', alg: 'EdDSA' },
  added_by: { id: id(82), name: 'Pat Moreau' },
  created_at: at(0),
};
const FILE = `
name: ci
provider: github
issuer: https://token.example.com
rules:
  - service_user: deployer
    claims: {repository_id: "74"}
`;
const files = () => new Map([['ci.yaml', { text: FILE, mode: 0o644 }]]);

describe('sft-admin workload', () => {
  beforeEach(() => {
    service().on('listWorkloadConnections', () => ({ body: { list: [CI] } }));
  });

  test('list and show', async () => {
    const { out } = await admin('workload list');
    for (const text of ['ci', 'github', 'https://token.example.com', 'deployer', 'Pat Moreau'])
      expect(out).toContain(text);
    const shown = (await admin('workload show ci')).out;
    for (const text of ['repository_id is 74', 'ref like refs/heads/release/*', 'need two'])
      expect(shown).toContain(text);
    expect((await admin('workload show none')).exit).toBe(EXIT.refused);
  });

  test('set: makes it, or brings the one of that name to it', async () => {
    service().on('replaceWorkloadConnection', () => ({ body: CI }));
    const { out } = await admin('workload set ci.yaml', { files: files() });
    expect(out).toContain('ci trusts https://token.example.com, for https://postern.example.test.');
    expect(service().last('replaceWorkloadConnection').params).toMatchObject({ id: CI.id });
    service().on('listWorkloadConnections', () => ({ body: { list: [] } }));
    service().on('createWorkloadConnection', () => ({ status: 201, body: CI }));
    await admin('workload set ci.yaml', { files: files() });
    expect(service().last('createWorkloadConnection').body).toMatchObject({ name: 'ci' });
  });

  test.each([
    ['none.yaml', 'none.yaml does not exist.'],
    ['bad.yaml', 'bad.yaml:1:'],
    ['list.yaml', 'list.yaml holds no connection.'],
  ])('set %s: 64', async (file, text) => {
    const given = new Map([
      ['bad.yaml', { text: '{a: [', mode: 0o644 }],
      ['list.yaml', { text: '- a', mode: 0o644 }],
    ]);
    const { exit, err } = await admin(`workload set ${file}`, { files: given });
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain(text);
  });

  test('remove', async () => {
    service().on('removeWorkloadConnection', () => ({ status: 204 }));
    expect((await admin('workload remove ci')).out).toBe('ci is trusted no more.\n');
  });

  test('people: who is who', async () => {
    const person = {
      ...{ id: id(62), issuer: CI.issuer, actor_id: '583231', created_at: at(0) },
      user: { id: id(1), name: 'Ellis Kim' },
    };
    service().on('listWorkloadPeople', () => ({ body: { list: [person] } }));
    service().on('linkWorkloadPerson', () => ({ status: 201, body: person }));
    service().on('unlinkWorkloadPerson', () => ({ status: 204 }));
    expect((await admin('workload people')).out).toContain('Ellis Kim');
    const { out } = await admin(`workload link-person ${CI.issuer} 583231 ellis`);
    expect(out).toBe('583231 at https://token.example.com is Ellis Kim.\n');
    expect(service().last('linkWorkloadPerson').body).toEqual({
      ...{ issuer: CI.issuer, actor_id: '583231', login: 'ellis' },
    });
    expect((await admin(`workload unlink-person ${id(62)}`)).out).toContain('nobody’s');
  });
});

describe('sft-admin service-keys', () => {
  test('list, add, remove; by the id of the service user where users cannot be listed', async () => {
    const user = id(61);
    service().on('listServiceUserKeys', () => ({ body: { list: [KEY] } }));
    service().on('addServiceUserKey', () => ({ status: 201, body: KEY }));
    service().on('removeServiceUserKey', () => ({ status: 204 }));
    expect((await admin(`service-keys list ${user}`)).out).toContain('thumb');
    const given = new Map([['k.pem', { text: 'PEM', mode: 0o644 }]]);
    const { out } = await admin(`service-keys add ${user} k.pem --name deploy`, { files: given });
    expect(out).toContain('The kid of its assertions is thumb.');
    expect(service().last('addServiceUserKey').body).toEqual({ name: 'deploy', public_key: 'PEM' });
    expect((await admin(`service-keys remove ${user} deploy`)).out).toContain('deploy');
    expect(service().last('removeServiceUserKey').params).toMatchObject({ key_id: KEY.id });
    expect((await admin(`service-keys remove ${user} none`)).exit).toBe(EXIT.refused);
    expect((await admin(`service-keys add ${user} none.pem`)).exit).toBe(EXIT.usage);
  });
});
