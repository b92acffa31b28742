import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contentDigest,
  type IncomingHeaders,
  MAX_SIGNATURE_SKEW,
  parseSignature,
  SIGNATURE_NONCE_LIFE,
  signatureBase,
  signRequest,
  splitTarget,
  verifyRequest,
} from '../src/http-signature.ts';
import { instant } from '../src/units.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

// RFC 9421, B.1.4: test-key-ed25519.
const key = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
    x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
  },
});
const publicKey = createPublicKey(key);
const stranger = generateKeyPairSync('ed25519');

const NOW = instant(1_618_884_473_000);
const BODY = Buffer.from('{"session_id":"x"}');
const REQUEST = {
  method: 'POST',
  path: '/v1/teams/demo/gateway/admissions',
  query: 'a=1&b=%2F',
  body: BODY as Uint8Array,
  keyid: 'gw-1',
};
const headers = signRequest({ ...REQUEST, key, created: NOW, nonce: 'A'.repeat(22) });
const INPUT = headers['signature-input'];

const judge = (
  changes: Partial<Parameters<typeof verifyRequest>[0]> = {},
  more: IncomingHeaders = {},
) => {
  const all = { ...headers, ...more };
  const result = verifyRequest({ ...REQUEST, headers: all, key: publicKey, now: NOW, ...changes });
  return result.ok ? 'accepted' : result.reason;
};
/** Headers that say `input` and are signed over it with the right key. */
const signedAs = (input: string, digest = headers['content-digest']): IncomingHeaders => {
  const base = signatureBase(
    [
      ['@method', REQUEST.method],
      ['@path', REQUEST.path],
      ['@query', `?${REQUEST.query}`],
      ['content-digest', digest],
    ],
    input.replace(/^[^=]*=/, ''),
  );
  const signature = `postern=:${sign(null, Buffer.from(base), key).toString('base64')}:`;
  return { 'content-digest': digest, 'signature-input': input, signature };
};

describe('http signature: a changed request is refused', () => {
  test.each([
    ['method', { method: 'PUT' }, 'bad_signature'],
    ['path', { path: '/v1/teams/demo/gateway/leases' }, 'bad_signature'],
    ['path, by letter case', { path: '/v1/teams/Demo/gateway/admissions' }, 'bad_signature'],
    ['query', { query: 'a=2&b=%2F' }, 'bad_signature'],
    ['query, decoded', { query: 'a=1&b=/' }, 'bad_signature'],
    ['query, gone', { query: '' }, 'bad_signature'],
    ['body', { body: Buffer.from('{"session_id":"y"}') }, 'digest_mismatch'],
    ['body, one byte more', { body: Buffer.concat([BODY, Buffer.from(' ')]) }, 'digest_mismatch'],
    ['body, gone', { body: Buffer.alloc(0) }, 'digest_mismatch'],
    ['expected key id', { keyid: 'gw-2' }, 'wrong_key_id'],
    ['key', { key: stranger.publicKey }, 'bad_signature'],
    [
      'kind of key',
      { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey },
      'bad_signature',
    ],
  ] as const)('%s', (_, changes, why) => {
    expect(judge(changes)).toBe(why);
  });

  test('body and its digest both changed', () => {
    const body = Buffer.from('{"session_id":"y"}');
    expect(judge({ body }, { 'content-digest': contentDigest(body) })).toBe('bad_signature');
  });

  test.each([
    ['a lower-case method', { method: 'post' }],
    ['a path without its slash', { path: 'v1' }],
    ['a question mark in the path', { path: '/v1?a=1', query: '' }],
    ['a line end in the path', { path: '/v1\n"@query": ?' }],
    ['a line end in the query', { query: 'a\nb' }],
    ['a fragment', { query: 'a#b' }],
    ['a space', { path: '/v 1' }],
  ])('not a target: %s', (_, changes) => {
    expect(judge(changes)).toBe('bad_target');
    const whole = { ...REQUEST, key, created: NOW, nonce: 'A'.repeat(22), ...changes };
    expect(() => signRequest(whole)).toThrow(TypeError);
  });
});

describe('http signature: time', () => {
  const SKEW = MAX_SIGNATURE_SKEW * 1000;
  test.each([
    [SKEW, 'accepted'],
    [SKEW + 1, 'too_old'],
    [86_400_000, 'too_old'],
    [-SKEW, 'accepted'],
    [-SKEW - 1, 'in_the_future'],
    [-86_400_000, 'in_the_future'],
  ])('seen %i ms after it was made: %s', (late, verdict) => {
    expect(judge({ now: instant(NOW + late) })).toBe(verdict);
  });

  test('created changed in the header only', () => {
    const later = INPUT.replace('created=1618884473', 'created=1618884480');
    expect(judge({}, { 'signature-input': later })).toBe('bad_signature');
  });

  test('a nonce is remembered for longer than its signature is taken', () => {
    expect(SIGNATURE_NONCE_LIFE).toBeGreaterThan(2 * MAX_SIGNATURE_SKEW);
  });

  test('a request that is sent again is for the caller to refuse: the nonce is the same', () => {
    const first = verifyRequest({ ...REQUEST, headers, key: publicKey, now: NOW });
    const again = verifyRequest({ ...REQUEST, headers, key: publicKey, now: NOW });
    expect(first).toEqual(again);
    expect(first).toMatchObject({ value: { nonce: 'A'.repeat(22), keyid: 'gw-1' } });
  });
});

describe('http signature: headers', () => {
  test.each(['content-digest', 'signature-input', 'signature'])('missing: %s', (name) => {
    expect(judge({}, { [name]: undefined })).toBe('missing_header');
  });

  test.each(['content-digest', 'signature-input', 'signature'] as const)('twice: %s', (name) => {
    const value = headers[name];
    expect(judge({}, { [name]: [value, value] })).toBe('duplicate_header');
    expect(judge({}, { [name]: [value] })).toBe('duplicate_header');
    expect(judge({}, { [name]: `${value}, ${value}` })).toBe('duplicate_header');
    expect(judge({}, { [name]: `${value},evil=:AA==:` })).toBe('duplicate_header');
  });

  // Each is validly signed by the right key: only the profile refuses it.
  test.each([
    ['fewer components', INPUT.replace(' "content-digest"', '')],
    ['more components', INPUT.replace(' "content-digest"', ' "content-digest" "date"')],
    ['other order', INPUT.replace('"@method" "@path"', '"@path" "@method"')],
    ['a component parameter', INPUT.replace('"@path"', '"@path";req')],
    ['another label', INPUT.replace('postern=', 'sig1=')],
    ['no nonce', INPUT.replace(/;nonce="[^"]*"/, '')],
    ['a short nonce', INPUT.replace(/nonce="[^"]*"/, 'nonce="abc"')],
    ['no created', INPUT.replace(/;created=\d+/, '')],
    ['created as text', INPUT.replace(/created=(\d+)/, 'created="$1"')],
    ['created with a fraction', INPUT.replace(/created=(\d+)/, 'created=$1.0')],
    ['created with a leading zero', INPUT.replace(/created=(\d+)/, 'created=0$1')],
    ['no alg', INPUT.replace(';alg="ed25519"', '')],
    ['another alg', INPUT.replace('alg="ed25519"', 'alg="hmac-sha256"')],
    ['expires', `${INPUT};expires=1618884999`],
    ['parameters in another order', INPUT.replace(/(;created=\d+)(;nonce="[^"]*")/, '$2$1')],
    ['a key id with a quote', INPUT.replace('keyid="gw-1"', 'keyid="gw\\"-1"')],
    ['white space', ` ${INPUT}`],
    ['a line end', `${INPUT}\n`],
  ])('not in the profile: %s', (_, input) => {
    expect(judge({}, signedAs(input))).toBe('not_in_profile');
  });

  test('the same, signed as it is, is accepted: the cases above are refused for what they change', () => {
    expect(judge({}, signedAs(INPUT))).toBe('accepted');
  });

  test.each([
    ['sha-512', 'sha-512=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:'],
    ['without colons', headers['content-digest'].replaceAll(':', '')],
    ['base64url', 'sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:'],
    ['a second spelling', 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:'],
  ])('not in the profile: digest %s', (_, digest) => {
    expect(judge({}, signedAs(INPUT, digest))).toBe('not_in_profile');
  });

  test.each([
    '',
    'postern=::',
    'postern=:AAAA:',
    `sig1=:${'A'.repeat(86)}==:`,
    `postern=:${'A'.repeat(85)}B==:`,
  ])('not in the profile: signature %#', (signature) => {
    expect(judge({}, { signature })).toBe('not_in_profile');
  });
});

describe('http signature: accepted', () => {
  test('as signed', () => {
    expect(judge()).toBe('accepted');
  });

  test('an empty body and no query, over "?"', () => {
    const target = { method: 'GET', path: '/', query: '', body: new Uint8Array(), keyid: 'gw-1' };
    const signed = signRequest({ ...target, key, created: NOW, nonce: 'n'.repeat(16) });
    const input = { ...target, headers: { ...signed }, key: publicKey, now: NOW };
    expect(verifyRequest(input).ok).toBe(true);
  });

  test('parseSignature tells whose key to look up', () => {
    expect(parseSignature({ ...headers })).toMatchObject({
      ok: true,
      value: { keyid: 'gw-1', created: NOW },
    });
  });

  test('splitTarget keeps every byte', () => {
    expect(splitTarget('/a%2Fb?c=d?e')).toEqual({ path: '/a%2Fb', query: 'c=d?e' });
    expect(splitTarget('/a')).toEqual({ path: '/a', query: '' });
  });

  test.each([
    ['an empty key id', { keyid: '' }],
    ['a key id with a quote', { keyid: 'a"b' }],
    ['a short nonce', { nonce: 'abc' }],
    ['a time before 1970', { created: instant(-1) }],
  ])('signing refuses %s', (_, changes) => {
    const whole = { ...REQUEST, key, created: NOW, nonce: 'A'.repeat(22), ...changes };
    expect(() => signRequest(whole)).toThrow(TypeError);
  });

  test('signing refuses another kind of key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const whole = { ...REQUEST, key: privateKey, created: NOW, nonce: 'A'.repeat(22) };
    expect(() => signRequest(whole)).toThrow(TypeError);
  });
});

describe('http signature: published vectors', () => {
  test('RFC 9421, B.2.6: base and signature', () => {
    const params =
      '("date" "@method" "@path" "@authority" "content-type" "content-length")' +
      ';created=1618884473;keyid="test-key-ed25519"';
    const base = signatureBase(
      [
        ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['@method', 'POST'],
        ['@path', '/foo'],
        ['@authority', 'example.com'],
        ['content-type', 'application/json'],
        ['content-length', '18'],
      ],
      params,
    );
    expect(sign(null, Buffer.from(base), key).toString('base64')).toBe(
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
    );
  });

  test('RFC 9530, appendix B: sha-256 of a JSON line', () => {
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    );
  });
});

describe('http signature: properties', () => {
  test('random headers never throw and are never accepted', () => {
    const value = fc.oneof(fc.string(), anyText, fc.constantFrom(...Object.values(headers)));
    fc.assert(
      fc.property(value, value, value, (input, signature, digest) => {
        const random = { 'signature-input': input, signature, 'content-digest': digest };
        const same =
          JSON.stringify(random) ===
          JSON.stringify({
            'signature-input': INPUT,
            signature: headers.signature,
            'content-digest': headers['content-digest'],
          });
        expect(judge({}, random) === 'accepted').toBe(same);
      }),
    );
  });

  test('any target and body that can be signed verifies, and no other body does', () => {
    const visible = fc.stringMatching(/^[a-z0-9%&=._~-]{0,30}$/);
    fc.assert(
      fc.property(
        visible,
        visible,
        fc.uint8Array(),
        fc.uint8Array(),
        (path, query, body, other) => {
          const target = { method: 'POST', path: `/${path}`, query, body, keyid: 'gw-1' };
          const signed = signRequest({ ...target, key, created: NOW, nonce: 'n'.repeat(16) });
          const input = { ...target, headers: { ...signed }, key: publicKey, now: NOW };
          expect(verifyRequest(input).ok).toBe(true);
          const changed = verifyRequest({ ...input, body: other });
          expect(changed.ok).toBe(Buffer.from(other).equals(Buffer.from(body)));
        },
      ),
    );
  });
});
