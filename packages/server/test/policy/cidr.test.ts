import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, parseAddress, parseCidr } from '../../src/policy/cidr.ts';

const inside = (address: string, cidr: string): boolean => {
  const [block, groups] = [parseCidr(cidr), parseAddress(address)];
  if (block === undefined || groups === undefined) throw new Error('not readable');
  return contains(block, groups);
};

describe('refuse what is no block', () => {
  test.each([
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/33',
    '10.0.0.0/ 8',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '10.0.0.1/31',
    '10.0.0/8',
    '010.0.0.0/8',
    '0x0a.0.0.0/8',
    '256.0.0.0/8',
    '10.0.0.0.0/8',
    '2001:db8::1/32',
    '2001:db8::/129',
    '2001:db8:::/32',
    '2001:db8/32',
    '1:2:3:4:5:6:7:8:9/128',
    '1::2::3/128',
    'fe80::1%eth0/128',
    '::ffff:10.0.0.0/104',
    'gggg::/16',
    '1.2.3.4::/16',
  ])('%s', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe('who is in it', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.1', '10.0.0.0/8', true],
    ['11.0.0.1', '10.0.0.0/8', false],
    ['192.0.2.7', '192.0.2.7/32', true],
    ['192.0.2.8', '192.0.2.7/32', false],
    ['192.0.2.129', '192.0.2.128/25', true],
    ['192.0.2.127', '192.0.2.128/25', false],
    ['203.0.113.9', '0.0.0.0/0', true],
    ['2001:db8:0:1::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:DB8::A', '2001:db8::/32', true],
    ['::1', '::1/128', true],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8/128', true],
    ['64:ff9b::10.0.0.1', '64:ff9b::/96', true],
    // An address of one family is never in a block of the other, not even in all of it.
    ['10.0.0.1', '::/0', false],
    ['2001:db8::1', '0.0.0.0/0', false],
    // How a dual-stack socket reports an IPv4 client (RFC 4291, 2.5.5.2).
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
    ['::ffff:a00:1', '10.0.0.0/8', true],
    ['::ffff:10.0.0.1', '::/0', false],
    ['::10.0.0.1', '10.0.0.0/8', false],
  ])('%s in %s: %s', (address, cidr, expected) => {
    expect(inside(address, cidr)).toBe(expected);
  });
});

test('an address is read exactly when Node reads it, zones and trimming aside', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{0,24}$/),
    fc.stringMatching(/^(\d{1,4}\.){3}\d{1,4}$/),
    fc.stringMatching(/^([0-9a-f]{0,5}:){2,8}[0-9a-f]{0,5}$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(parseAddress(text) !== undefined, text).toBe(isIP(text) !== 0);
    }),
    { seed: 20260504, numRuns: 5000 },
  );
});

test('an address is in each of its own blocks, and in no block beside them', () => {
  const bits = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(bits, fc.integer({ min: 1, max: 32 }), (bytes, prefix) => {
      const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
      const size = 2 ** (32 - prefix);
      const text = (n: number) => [24, 16, 8, 0].map((s) => Math.floor(n / 2 ** s) % 256).join('.');
      const base = Math.floor(value / size) * size;
      const beside = (base + size) % 2 ** 32;
      expect(inside(text(value), `${text(base)}/${prefix}`)).toBe(true);
      expect(inside(text(value), `${text(beside)}/${prefix}`)).toBe(false);
    }),
    { seed: 20260504, numRuns: 2000 },
  );
});
