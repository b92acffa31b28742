import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import type { FakeFile } from '../fake/world.ts';

const { service, admin } = script();

const files = (texts: Readonly<Record<string, string>>): Map<string, FakeFile> =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { text, mode: 0o644 }]));

const SERVER = `kind: Server
resource_group: demo
project: demo
hostname: opa-demo-linux
access_address: 127.0.0.1
accounts:
  - username: pamadmin1
    credential: {type: password, from_env: PAM1}
  - username: pamadmin2
    credential:
      type: private_key
      from_file: keys/pamadmin2
`;

function applies(): void {
  service().on('apply', ({ body }) => ({
    body: {
      dry_run: body.dry_run === true,
      changes: [
        { kind: 'Group', name: 'linux-users', action: 'create', details: [] },
        { kind: 'User', name: 'ana', action: 'update', details: ['manager: none -> dana'] },
        { kind: 'Group', name: 'audit', action: 'unchanged', details: [] },
      ],
    },
  }));
}

describe('sft-admin apply', () => {
  test('a folder: its YAML files in order, all their documents, in one call', async () => {
    applies();
    const { exit, out } = await admin('apply -f world', {
      files: files({
        'world/2-users.yaml': 'kind: User\nlogin: ana\nname: Ana\n',
        'world/1-groups.yml':
          'kind: Group\nname: linux-users\n---\nkind: Group\nname: audit\n---\n',
        'world/README.md': '# not this',
      }),
    });
    expect(exit).toBe(EXIT.ok);
    expect(service().asked).toEqual(['apply']);
    expect(service().last('apply').body).toEqual({
      dry_run: false,
      documents: [
        { kind: 'Group', name: 'linux-users' },
        { kind: 'Group', name: 'audit' },
        { kind: 'User', login: 'ana', name: 'Ana' },
      ],
    });
    expect(out).toBe(
      'create  Group linux-users\n' +
        'update  User ana\n' +
        '          manager: none -> dana\n' +
        '1 created, 1 updated, 1 unchanged.\n',
    );
  });

  test('--dry-run says that nothing was changed', async () => {
    applies();
    const { out } = await admin('apply --dry-run -f g.yaml', {
      files: files({ 'g.yaml': 'kind: Group\nname: g\n' }),
    });
    expect(service().last('apply').body.dry_run).toBe(true);
    expect(out).toContain('A dry run: nothing was changed.');
  });

  test('credentials come from variables and files, relative to the YAML file', async () => {
    applies();
    const { exit, out, err } = await admin('apply -f world/servers.yaml', {
      env: { PAM1: 'hunter2' },
      files: files({ 'world/servers.yaml': SERVER, 'world/keys/pamadmin2': 'KEY\n' }),
    });
    expect(exit).toBe(EXIT.ok);
    expect(service().last('apply').body.documents[0]).toMatchObject({
      accounts: [
        { username: 'pamadmin1', credential: { type: 'password', password: 'hunter2' } },
        { username: 'pamadmin2', credential: { type: 'private_key', private_key: 'KEY\n' } },
      ],
    });
    expect(out + err).not.toContain('hunter2');
  });

  test('a secret in a file is refused where it stands, and never shown: 64', async () => {
    const text = SERVER.replace('from_env: PAM1', 'password: hunter2');
    const { exit, out, err } = await admin('apply -f s.yaml', { files: files({ 's.yaml': text }) });
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain(
      'sft-admin: s.yaml:8:34: a secret never stands in a file; write from_env',
    );
    expect(out + err).not.toContain('hunter2');
    expect(service().asked).toEqual([]);
  });

  test('what is missing is said all at once: the variable and the file', async () => {
    const { exit, err } = await admin('apply -f s.yaml', { files: files({ 's.yaml': SERVER }) });
    expect(exit).toBe(EXIT.usage);
    expect(err).toBe(
      'sft-admin: s.yaml:8:34: The variable PAM1 is not set.\n' +
        'sft-admin: s.yaml:12:7: ./keys/pamadmin2 does not exist.\n' +
        'Nothing was changed. Correct it, then run the same command again.\n',
    );
  });

  test.each([
    ['{type: token, from_env: A}', /type of a credential .*allowed: password, private_key/],
    ['{type: password}', /comes from one place/],
    ['{type: password, from_env: A, from_file: B}', /comes from one place/],
    ['{type: password, from_env: A, hint: x}', /unknown field; allowed: type, from_env, from_file/],
  ])('credential %s: refused', async (credential, text) => {
    const yaml = SERVER.replace('{type: password, from_env: PAM1}', credential);
    const { exit, err } = await admin('apply -f s.yaml', {
      env: { A: 'a' },
      files: files({ 's.yaml': yaml, './keys/pamadmin2': 'K' }),
    });
    expect([exit, text.test(err)]).toEqual([EXIT.usage, true]);
  });

  test('YAML that is none: file, line and column', async () => {
    const { exit, err } = await admin('apply -f a.yaml', {
      files: files({ 'a.yaml': 'kind: Group\nname: [a\nroles: x\n' }),
    });
    expect(exit).toBe(EXIT.usage);
    expect(err).toMatch(/^sft-admin: a\.yaml:\d+:\d+: /);
  });

  test.each([
    ['a key twice', 'kind: Group\nname: a\nname: b\n', /a\.yaml:3:1: Map keys must be unique/],
    [
      'an unknown kind',
      'kind: Grup\nname: a\n',
      /a\.yaml:1:1: there is no such kind; allowed: Group,/,
    ],
    ['no kind', 'name: a\n', /a\.yaml:1:1: kind is missing; allowed: Group/],
    ['a list', '- a\n', /a\.yaml:1:1: a document is a mapping/],
    ['too many aliases', bomb(), /alias/i],
  ])('%s: 64', async (_what, text, expected) => {
    const { exit, err } = await admin('apply -f a.yaml', { files: files({ 'a.yaml': text }) });
    expect(exit).toBe(EXIT.usage);
    expect(err).toMatch(expected);
  });

  test("the service's faults stand at their lines, with what is allowed there", async () => {
    service().on('apply', () =>
      problem('invalid_request', 'The documents are not valid.', {
        errors: [
          { pointer: '/documents/0/nmae', code: 'unknown_field', detail: 'unknown field' },
          { pointer: '/documents/0/name', code: 'required', detail: 'required field is missing' },
          {
            pointer: '/documents/1/rules/0/privileges/0/channels/1',
            code: 'unknown_value',
            detail: 'is no channel',
          },
          { pointer: '/documents/7', code: 'x', detail: 'somewhere else' },
        ],
      }),
    );
    const { exit, err } = await admin('apply -f d', {
      files: files({
        'd/a.yaml': '# a group\nkind: Group\nnmae: x\n',
        'd/b.yaml':
          'kind: SecurityPolicy\nname: p\nrules:\n  - privileges:\n' +
          '      - privilege_type: vaulted_account_ssh\n        channels: [shell, shel]\n',
      }),
    });
    expect(exit).toBe(EXIT.usage);
    expect(err.split('\n')).toEqual([
      'sft-admin: d/a.yaml:3:1: nmae: unknown field; allowed: kind, name, roles, owners, privileged_sources, review',
      'sft-admin: d/a.yaml:2:1: name: required field is missing; allowed: kind, name, roles, owners, privileged_sources, review',
      'sft-admin: d/b.yaml:6:27: rules.0.privileges.0.channels.1: is no channel; ' +
        'allowed: shell, exec, sftp, local_forward, remote_forward',
      'sft-admin: /documents/7: somewhere else',
      'Nothing was changed. Correct it, then run the same command again.',
      '',
    ]);
  });

  test('with -o json the faults are in the document', async () => {
    const { out } = await admin('apply -o json -f a.yaml', {
      files: files({ 'a.yaml': 'kind: Nothing\n' }),
    });
    expect(JSON.parse(out).faults[0]).toContain('a.yaml:1:1');
  });

  test.each([
    ['apply', EXIT.usage],
    ['apply -f nowhere', EXIT.usage],
    ['apply -f empty.yaml', EXIT.usage],
  ])('%s: %i', async (words, expected) => {
    const { exit } = await admin(words, { files: files({ 'empty.yaml': '# nothing\n' }) });
    expect(exit).toBe(expected);
  });
});

function bomb(): string {
  const lines = ['kind: Group', 'a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++) {
    const before = `*a${i - 1}`;
    lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => before).join(', ')}]`);
  }
  return `${lines.join('\n')}\n`;
}
