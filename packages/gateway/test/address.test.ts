import { describe, expect, test } from 'vitest';
import { isLocalAddress, isOwnListener, plainAddress } from '../src/address.ts';

describe('local addresses', () => {
  const local = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    '::ffff:127.0.0.1',
    '::FFFF:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:1',
    '::ffff:a9fe:a9fe',
  ];
  for (const address of local)
    test(`local: ${address}`, () => expect(isLocalAddress(address)).toBe(true));

  for (const address of [
    '10.0.0.1',
    '192.168.1.1',
    '8.8.8.8',
    '2001:db8::1',
    'fd00::1',
    'fec0::1',
    '::ffff:10.0.0.1',
  ])
    test(`not local: ${address}`, () => expect(isLocalAddress(address)).toBe(false));

  test('what is not an IP address counts as local', () => {
    for (const text of ['', 'localhost', '127.1', '2130706433', '0x7f.1'])
      expect(isLocalAddress(text)).toBe(true);
  });

  test('a mapped address is written in dots', () => {
    expect(plainAddress('::ffff:a00:1')).toBe('10.0.0.1');
    expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
  });
});

describe('the gateway never dials itself', () => {
  const interfaces = ['127.0.0.1', '::1', '10.1.1.5'];
  const wildcard = { address: '0.0.0.0', port: 2022 };
  const loopback = { address: '127.0.0.1', port: 2022 };
  const outer = { address: '10.1.1.5', port: 2022 };

  test('its own: every address of this machine when it listens on all', () => {
    for (const address of [
      '127.0.0.1',
      '127.8.8.8',
      '::1',
      '10.1.1.5',
      '::ffff:10.1.1.5',
      '0.0.0.0',
    ])
      expect(isOwnListener(address, 2022, wildcard, interfaces)).toBe(true);
  });
  test('its own: all of loopback when it listens there', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::'])
      expect(isOwnListener(address, 2022, loopback, interfaces)).toBe(true);
  });
  test('its own: the address it listens on', () => {
    expect(isOwnListener('10.1.1.5', 2022, outer, interfaces)).toBe(true);
  });
  test('another port, another machine, or another interface is not', () => {
    expect(isOwnListener('127.0.0.1', 22, wildcard, interfaces)).toBe(false);
    expect(isOwnListener('10.1.1.6', 2022, wildcard, interfaces)).toBe(false);
    expect(isOwnListener('10.1.1.5', 2022, loopback, interfaces)).toBe(false);
    expect(isOwnListener('127.0.0.1', 2022, outer, interfaces)).toBe(false);
  });
});
