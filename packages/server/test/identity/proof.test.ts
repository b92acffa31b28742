import { instant } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { createProofMemory, memoryKey } from '../../src/identity/presented.ts';
import {
  claimFault,
  headerFault,
  isFresh,
  PROOF_WINDOW_SECONDS,
  proofHash,
} from '../../src/identity/proof.ts';

const HEADER = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } };
const ED = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' } };

describe('the header of a proof (RFC 9449, 4.3)', () => {
  it('is right as it is', () => {
    expect(headerFault(HEADER)).toBeUndefined();
    expect(headerFault(ED)).toBeUndefined();
    expect(headerFault({ ...HEADER, kid: 'a name says nothing' })).toBeUndefined();
  });

  it.each([
    ['typ', { typ: undefined }],
    ['typ', { typ: 'DPoP+JWT' }],
    ['alg', { alg: 'none' }],
    ['alg', { alg: 'HS256' }],
    ['alg', { alg: 'RS256' }],
    ['alg', { alg: ['ES256'] }],
    ['jwk', { jwk: undefined }],
    ['jwk', { jwk: null }],
    ['jwk', { jwk: [] }],
    ['jwk', { jwk: 'a text' }],
    ['jwk', { jwk: { kty: 'oct', k: 'k' } }],
    ['jwk', { jwk: { ...HEADER.jwk, d: 'private' } }],
    ['jwk', { jwk: { ...HEADER.jwk, k: 'symmetric' } }],
    ['jwk', { jwk: { ...HEADER.jwk, crv: 'P-384' } }],
    ['jwk', { jwk: ED.jwk }],
    ['jwk', { alg: 'EdDSA' }],
    ['malformed', { crit: ['exp'] }],
    ['malformed', { b64: false }],
  ] as const)('is refused for its %s: %j', (fault, bent) => {
    expect(headerFault({ ...HEADER, ...bent })).toBe(fault);
  });
});

describe('the claims of a proof', () => {
  const target = {
    method: 'GET',
    urls: ['https://a.example/v1/x', 'http://127.0.0.1:4747/v1/x'],
    token: 'token',
  };
  const CLAIMS = {
    htm: 'GET',
    htu: 'https://a.example/v1/x',
    iat: 1,
    jti: '12345678',
    ath: 'PEaeuRFFC_F2TRXvPQo8Z1ha3AzTK3thhOYDqGhPdyc',
  };
  const ath = claimFault({ ...CLAIMS, ath: 'x' }, target);

  it('each is looked at', () => {
    expect(ath).toBe('ath');
    for (const name of ['htm', 'htu', 'iat', 'jti', 'ath'] as const)
      expect(claimFault({ ...CLAIMS, [name]: undefined }, target)).toBe(name);
  });

  it.each([
    ['htm', { htm: 'get' }],
    ['htu', { htu: 'https://a.example/v1/x/' }],
    ['htu', { htu: 'https://a.example/v1/X' }],
    ['htu', { htu: 'https://a.example:8443/v1/x' }],
    ['htu', { htu: 'https://user:pw@a.example/v1/x' }],
    ['htu', { htu: '/v1/x' }],
    ['htu', { htu: `https://a.example/v1/x?${'q'.repeat(5000)}` }],
    ['iat', { iat: '1' }],
    ['iat', { iat: 1.5 }],
    ['iat', { iat: -1 }],
    ['jti', { jti: 'short' }],
    ['jti', { jti: 'x'.repeat(257) }],
  ] as const)('refuses for its %s: %j', (fault, bent) => {
    expect(claimFault({ ...CLAIMS, ...bent }, target)).toBe(fault);
  });

  it('allows every address that is ours, as URLs write them', () => {
    for (const htu of [
      'https://A.example/v1/x',
      'https://a.example:443/v1/x#f',
      'https://a.example/v1/y/../x',
      'http://127.0.0.1:4747/v1/x?q=1',
    ])
      expect(claimFault({ ...CLAIMS, htu }, target)).not.toBe('htu');
  });
});

describe('the age of a proof', () => {
  const now = instant(1_000_000_000_000);
  it('is at most a minute, before or after', () => {
    for (const [off, fresh] of [
      [0, true],
      [PROOF_WINDOW_SECONDS, true],
      [-PROOF_WINDOW_SECONDS, true],
      [PROOF_WINDOW_SECONDS + 1, false],
      [-PROOF_WINDOW_SECONDS - 1, false],
    ] as const)
      expect(isFresh({ iat: now / 1000 + off }, now)).toBe(fresh);
  });

  it('a memory takes each once, and forgets it when it could not be fresh any more', () => {
    let at = 0;
    const memory = createProofMemory(() => at);
    const proof = { jkt: 'a', jti: 'b', iat: now / 1000 + 60 };
    expect(memory.take(proof, now)).toBe(true);
    expect(memory.take(proof, now)).toBe(false);
    at = 119_000;
    expect(memory.take(proof, instant(now + at))).toBe(false);
    at = 500_000;
    expect(memory.take(proof, instant(now + at))).toBe(false);
    expect(memory.take({ ...proof, iat: now / 1000 + 500 }, instant(now + at))).toBe(true);
  });

  it('a memory holds the names of one key and of another apart', () => {
    expect(proofHash({ jkt: 'a', jti: 'b', iat: 1 })).not.toBe(
      proofHash({ jkt: 'ab', jti: '', iat: 1 }),
    );
  });
});

it('an answer is remembered for one token, scheme and key', () => {
  const proof = { jkt: 'k', jti: 'j', iat: 1 };
  const keys = [
    memoryKey({ scheme: 'Bearer', token: 't' }),
    memoryKey({ scheme: 'DPoP', token: 't', proof }),
    memoryKey({ scheme: 'DPoP', token: 't', proof: { ...proof, jkt: 'l' } }),
    memoryKey({ scheme: 'DPoP', token: 'u', proof }),
    memoryKey(undefined),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(memoryKey({ scheme: 'DPoP', token: 't', proof: { ...proof, jti: 'other' } })).toBe(
    keys[1],
  );
  expect(keys.join()).not.toContain('t\0');
});
