import { isIP } from 'node:net';
import { generateEd25519, isHostname, wireString } from '@postern/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAccessAddress } from '../../src/inventory/address.ts';
import { fingerprint, readHostKeys } from '../../src/inventory/host-keys.ts';
import { allLabels, labelFaults } from '../../src/inventory/labels.ts';
import { serverChanges } from '../../src/inventory/server-changes.ts';
import { DEFAULTS, isMoved, namesOf, readServer } from '../../src/inventory/server-values.ts';
import { HOST_KEY, OTHER_KEY } from '../directory/world.ts';

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '10.0.0.255',
    '::1',
    'fe80::1',
    '2001:db8::1',
    'web1',
    'web1.example.com',
    'a-b.c1',
  ])('%s is one', (text) => expect(isAccessAddress(text)).toBe(true));

  test.each([
    ...[
      '',
      ' ',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '1.2.3',
      '256.1.1.1',
      '1.2.3.4.5',
    ],
    ...[
      '[::1]',
      '::1%lo',
      'fe80::1%eth0',
      '::FFFF',
      '0:0:0:0:0:0:0:1',
      '2001:db8:0::1',
      ':',
      '::ffff:1.2.3.4',
    ],
    ...[
      'Web1',
      'web1.',
      '.web1',
      'web_1',
      '-web',
      'web1:22',
      'root@web1',
      'http://web1',
      'wéb',
      'a\u0000',
      'a.0x1',
    ],
    ...['web1/../x', 'web1\nHost evil', `${'a'.repeat(64)}.example`],
  ])('%j is none', (text) => expect(isAccessAddress(text)).toBe(false));

  test('whatever is one is an IP address in one spelling, or a host name', () => {
    const text = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.stringMatching(/^[0-9a-fx:.]{1,12}$/),
    );
    fc.assert(
      fc.property(text, (address) => {
        if (isAccessAddress(address)) expect(isIP(address) > 0 || isHostname(address)).toBe(true);
      }),
    );
  });
});

describe('host keys', () => {
  const read = (...lines: string[]) => readHostKeys(lines, '/host_keys');
  const cert = `ssh-ed25519-cert-v01@openssh.com ${Buffer.concat([
    wireString('ssh-ed25519-cert-v01@openssh.com'),
    wireString(Buffer.alloc(32)),
  ]).toString('base64')}`;

  test('are kept without comment, each once, in one order', () => {
    const { keys, faults } = read(`${OTHER_KEY} root@x`, HOST_KEY, `${HOST_KEY} again`);
    expect(faults).toEqual([]);
    expect(keys).toEqual([HOST_KEY, OTHER_KEY].sort());
  });

  test('deny: a certificate, garbage, another type than said, two lines in one', () => {
    const { keys, faults } = read(
      HOST_KEY,
      cert,
      'x',
      HOST_KEY.replace('ed25519', 'rsa'),
      `${HOST_KEY}\n${HOST_KEY}`,
    );
    expect(keys).toEqual([HOST_KEY]);
    expect(faults.map((f) => `${f.pointer} ${f.code}`)).toEqual([
      '/host_keys/1 certificate',
      '/host_keys/2 malformed',
      '/host_keys/3 type_mismatch',
      '/host_keys/4 malformed',
    ]);
  });

  test('are shown by their fingerprint', () => {
    expect(fingerprint(generateEd25519().public_line)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });
});

describe('labels', () => {
  const faults = (labels: Record<string, string>) =>
    labelFaults(labels, '/labels').map((fault) => `${fault.pointer} ${fault.code}`);

  test('deny: what the system sets, in any case of letters', () => {
    for (const key of ['system.os_type', 'system.', 'System.project', 'SYSTEM.x', 'system.a/b'])
      expect(faults({ [key]: 'x' })).toEqual([`/labels/${key.replace('/', '~1')} system_label`]);
  });

  test('deny: keys and values that no selector could name', () => {
    expect(faults({ 'a b': 'x' })).toEqual(['/labels/a b label_key']);
    expect(faults({ env: 'a\u202eb' })).toEqual(['/labels/env label_value']);
    expect(faults({ env: '*' })).toEqual(['/labels/env label_value']);
    expect(faults({ __proto__: 'x' })).toEqual([]);
    expect(faults(JSON.parse('{"__proto__":"x"}'))).toEqual(['/labels/__proto__ label_key']);
    expect(faults({ 'example.com/env': 'prod', empty: '' })).toEqual([]);
  });

  test('the system’s win over any that people might have written', () => {
    const server = { hostname: 'web1', os_type: 'linux', project_name: 'demo' };
    const labels = { env: 'prod', 'system.project': 'other' };
    expect(allLabels({ ...server, labels })).toEqual({
      env: 'prod',
      'system.os_type': 'linux',
      'system.hostname': 'web1',
      'system.project': 'demo',
    });
  });
});

describe('a server', () => {
  const written = { hostname: 'web1', access_address: '10.0.0.1' };
  const { values: before } = readServer(DEFAULTS, written);
  const faultsOf = (more: object) =>
    readServer(before, more).faults.map((fault) => `${fault.pointer} ${fault.code}`);

  test.each(['Web1', 'wéb', 'xn--..', 'a_b', 'a\u0000', '10.0.0.1', '', 'a..b', 'pаypal'])(
    'deny: %j as one of its names',
    (name) => {
      expect(faultsOf({ hostname: name })).toEqual(['/hostname hostname']);
      expect(faultsOf({ canonical_name: name })).toEqual(['/canonical_name hostname']);
      expect(faultsOf({ alt_names: ['ok', name] })).toEqual(['/alt_names/1 hostname']);
    },
  );

  test.each([
    '{unix_name}',
    'adm',
    '{unix_name}{unix_name}',
    '{unix_name} x',
    '{login}-adm',
    '9{unix_name}',
    'A{unix_name}',
  ])('deny: %j as a template for admin accounts', (template) =>
    expect(faultsOf({ admin_account_template: template })).toEqual([
      '/admin_account_template template',
    ]),
  );

  test('all faults are told together', () => {
    const bad = {
      hostname: 'A',
      access_address: '127.1',
      labels: { 'system.x': 'y' },
      os_type: 'a b',
    };
    expect(faultsOf(bad)).toHaveLength(4);
  });

  test('names are told once each', () => {
    const { values } = readServer(before, { canonical_name: 'web1', alt_names: ['b', 'a', 'b'] });
    expect(namesOf(values)).toEqual(['web1', 'a', 'b']);
  });

  const changed = (more: object) => readServer(before, more).values;

  test('address, port and host keys move it; nothing else does, the order of keys neither', () => {
    const keyed = changed({ host_keys: [HOST_KEY, OTHER_KEY] });
    expect(isMoved(keyed, readServer(keyed, { host_keys: [OTHER_KEY] }).values)).toBe(true);
    expect(isMoved(keyed, readServer(keyed, { host_keys: [] }).values)).toBe(true);
    expect(isMoved(before, changed({ access_address: '10.0.0.2' }))).toBe(true);
    expect(isMoved(before, changed({ access_port: 2222 }))).toBe(true);
    expect(
      isMoved(keyed, readServer(keyed, { host_keys: [`${OTHER_KEY} c`, HOST_KEY] }).values),
    ).toBe(false);
    const rest = {
      hostname: 'web2',
      alt_names: ['x'],
      labels: { a: 'b' },
      state: 'INACTIVE' as const,
    };
    expect(isMoved(before, changed({ ...rest, os_type: 'bsd', via: 'direct' }))).toBe(false);
  });

  test('the first pinning of host keys completes the record: no move', () => {
    expect(isMoved(before, changed({ host_keys: [HOST_KEY] }))).toBe(false);
  });

  test('every change has its line; a move is announced', () => {
    const after = changed({
      access_port: 2222,
      labels: { env: 'prod' },
      host_keys: [HOST_KEY],
      alt_names: ['x'],
    });
    expect(serverChanges(before, after)).toEqual([
      'access_port: 22 → 2222',
      'alternative name added: x',
      'label added: env=prod',
      `host key added: ${fingerprint(HOST_KEY)}`,
      'new identity: approvals and sessions end, credentials must be entered again',
    ]);
    expect(serverChanges(before, { ...before })).toEqual([]);
  });
});
