import { describe, expect, it } from 'vitest';
import { enrolmentOf, readCode, stepOf } from '../../src/credentials/totp.ts';

/** RFC 6238, appendix B: this secret, SHA-1, and the last six of its eight digits. */
const SECRET = Buffer.from('12345678901234567890', 'ascii');
const VECTORS = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const;

describe('time-based codes', () => {
  it.each(VECTORS)('RFC 6238 at %i s', (at, code) => {
    expect(stepOf(SECRET, code, at * 1000)).toBe(Math.floor(at / 30));
  });

  it('one step early and one step late, and not one more', () => {
    const at = 1_111_111_109;
    const step = Math.floor(at / 30);
    const first = step * 30_000;
    const last = (step + 1) * 30_000 - 1;
    const of = (ms: number) => stepOf(SECRET, '081804', ms);
    expect([of(first), of(last)]).toEqual([step, step]);
    expect([of(first - 1), of(first - 30_000)]).toEqual([step, step]);
    expect([of(last + 1), of(last + 30_000)]).toEqual([step, step]);
    expect([of(first - 30_001), of(last + 30_001)]).toEqual([undefined, undefined]);
  });

  it('a code is six digits, with the spaces people type, and nothing else', () => {
    expect([readCode('081 804'), readCode(' 081804\n')]).toEqual(['081804', '081804']);
    for (const text of ['', '08180', '0818044', '08180a', '٠٨١٨٠٤', '-81804'])
      expect(readCode(text)).toBeUndefined();
  });

  it('the URI holds what an authenticator needs, and hostile names stay names', () => {
    const { secret, uri } = enrolmentOf(SECRET, { team: 'a&secret=AAAA', login: 'e:l?l=i#s' });
    expect(secret).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    const url = new URL(uri);
    expect(url.protocol).toBe('otpauth:');
    expect(url.searchParams.getAll('secret')).toEqual([secret]);
    expect(url.searchParams.get('issuer')).toBe('Postern a&secret=AAAA');
  });
});
