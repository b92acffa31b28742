import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_WIRE_BYTES,
  parseWire,
  wireMpint,
  wireString,
  wireU32,
  wireU64,
} from '../../src/ssh/wire.ts';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('wire: the examples of RFC 4251 §5', () => {
  test.each([
    ['00', '00000000'],
    ['09a378f9b2e332a7', '0000000809a378f9b2e332a7'],
    ['80', '000000020080'],
    ['0000000000007f', '000000017f'],
  ])('mpint %s', (unsigned, wire) => {
    expect(wireMpint(hex(unsigned)).toString('hex')).toBe(wire);
  });

  test('string "testing"', () => {
    expect(wireString('testing').toString('hex')).toBe('0000000774657374696e67');
  });

  test('uint32 and uint64', () => {
    expect(wireU32(699_921_578).toString('hex')).toBe('29b7f4aa');
    expect(wireU64(2n ** 64n - 1n).toString('hex')).toBe('ffffffffffffffff');
    expect(() => wireU32(-1)).toThrow(RangeError);
    expect(() => wireU64(-1n)).toThrow(RangeError);
  });
});

describe('wire: refused', () => {
  test('a length that goes beyond the end', () => {
    expect(parseWire(hex('00000005 61'), (r) => r.string())).toEqual({
      ok: false,
      reason: 'truncated',
    });
    expect(parseWire(hex('ffffffff 61'), (r) => r.string())).toEqual({
      ok: false,
      reason: 'truncated',
    });
  });

  test('bytes that nobody read', () => {
    expect(parseWire(hex('00000000 00'), (r) => r.string())).toEqual({
      ok: false,
      reason: 'trailing_bytes',
    });
  });

  test('input beyond the bound, unread', () => {
    const read = () => expect.fail('must not be read');
    expect(parseWire(Buffer.alloc(MAX_WIRE_BYTES + 1), read)).toEqual({
      ok: false,
      reason: 'too_long',
    });
  });

  test.each(['80', 'ff', '0001', '00', '', '007f'])(
    'mpint that is not positive and shortest: %s',
    (body) => {
      expect(parseWire(wireString(hex(body)), (r) => r.positiveMpint()).ok).toBe(false);
    },
  );

  test('a boolean other than 0 and 1', () => {
    expect(parseWire(hex('02'), (r) => r.boolean())).toEqual({ ok: false, reason: 'malformed' });
  });

  test.each(['c080', 'eda080', 'ff', '610062'])(
    'text that is not UTF-8, or holds U+0000: %s',
    (body) => {
      expect(parseWire(wireString(hex(body)), (r) => r.text())).toEqual({
        ok: false,
        reason: 'malformed',
      });
    },
  );

  test('writing a lone surrogate, which would collide with U+FFFD', () => {
    expect(() => wireString('a\ud800')).toThrow(RangeError);
  });

  test('an error that is not about the bytes is not swallowed', () => {
    const bug = () => {
      throw new TypeError('bug');
    };
    expect(() => parseWire(Buffer.alloc(0), bug)).toThrow(TypeError);
  });
});

describe('wire: properties', () => {
  test('what is written reads back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.nat(0xffffffff),
        fc.uint8Array({ minLength: 1, maxLength: 64 }).filter((n) => n.some((b) => b !== 0)),
        (bytes, big, small, number) => {
          const wire = Buffer.concat([
            wireString(bytes),
            wireU64(big),
            wireU32(small),
            wireMpint(number),
          ]);
          const read = parseWire(wire, (r) => [r.string(), r.u64(), r.u32(), r.positiveMpint()]);
          const first = number.findIndex((b) => b !== 0);
          expect(read).toEqual({
            ok: true,
            value: [Buffer.from(bytes), big, small, Buffer.from(number.subarray(first))],
          });
        },
      ),
    );
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseWire(bytes, (r) => [r.string(), r.text(), r.boolean(), r.u64(), r.positiveMpint()]);
        parseWire(bytes, (r) => r.positiveMpint());
        parseWire(bytes, (r) => r.text());
      }),
    );
  });

  test('a value that was read does not change with the input', () => {
    const input = wireString('abc');
    const read = parseWire(input, (r) => r.string());
    input.fill(0);
    expect(read).toEqual({ ok: true, value: Buffer.from('abc') });
  });
});
