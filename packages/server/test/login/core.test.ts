import { instant } from '@postern/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieOf, csrfOf, hashOfCookie, setCookie } from '../../src/login/cookie.ts';
import { parseFields, readPasskeyCall } from '../../src/login/form.ts';
import { amrOf, isFresh, isLive, mfaOf } from '../../src/login/model.ts';
import { safeNext } from '../../src/login/next.ts';
import { isOwnPage } from '../../src/login/origin.ts';
import { counted, countersOf, waitOf } from '../../src/login/throttle.ts';
import { networkOf } from '../../src/platform/networks.ts';

describe('where somebody goes after the login', () => {
  it.each([
    '//evil.test',
    '/\\evil.test',
    '\\/evil.test',
    '/%2f/evil.test',
    '/%2Fevil.test',
    '/%5cevil.test',
    '/a%2fb',
    '/a%5C..',
    '/a//evil.test',
    '/a/..//evil.test',
    '/a/%2e%2e//evil.test',
    '/../evil',
    '/a/../../evil',
    '/a/%2E./x',
    'https://evil.test',
    'http:evil.test',
    'javascript:alert(1)',
    'evil.test',
    '@evil.test',
    '',
    ' /a',
    '/\t/evil.test',
    '/a\r\nSet-Cookie: x=y',
    '/\u0000a',
    '/a%00',
    '/a%',
    '/a%zz',
    '/.evil',
    '/é',
    `/a${'a'.repeat(3_000)}`,
  ])('nowhere: %j', (text) => {
    expect(safeNext(text)).toBeUndefined();
  });

  it.each([
    '/account',
    '/decide/abc_-1',
    '/oauth/auth?redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&x=//y',
  ])('there: %s', (text) => {
    expect(safeNext(text)).toBe(text);
  });

  it('whatever it takes, a browser stays with us', () => {
    const parts = fc.constantFrom(
      '/',
      '\\',
      '%2f',
      '%5c',
      '.',
      '..',
      'a',
      'evil.test',
      '?',
      '@',
      ':',
    );
    const texts = fc.oneof(
      fc.array(parts, { maxLength: 8 }).map((p) => p.join('')),
      fc.webUrl(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const next = safeNext(text);
        if (next === undefined) return;
        const url = new URL(next, 'https://postern.example.test/login');
        expect(url.origin).toBe('https://postern.example.test');
        expect(url.pathname.startsWith('//')).toBe(false);
      }),
    );
  });
});

describe('whether a page of ours sent it', () => {
  const OWN = 'https://postern.example.test';
  it.each([
    [undefined, 'same-origin', true],
    ['null', 'same-origin', true],
    [OWN, 'same-origin', true],
    [OWN, undefined, true],
    ['https://evil.test', 'same-origin', false],
    [OWN, 'same-site', false],
    [OWN, 'cross-site', false],
    [OWN, 'none', false],
    ['null', undefined, false],
    [undefined, undefined, false],
    ['https://evil.test', undefined, false],
    [`${OWN}.evil.test`, undefined, false],
    ['http://postern.example.test', undefined, false],
  ] as const)('origin %s, site %s: %s', (origin, sec_fetch_site, own) => {
    expect(isOwnPage({ origin, sec_fetch_site }, OWN)).toBe(own);
  });
});

describe('cookies', () => {
  const value = 'A'.repeat(43);
  const secure = (name: string) => `__Host-${name}=${value}`;

  it('over https nobody else can have set them, and no script reads them', () => {
    expect(setCookie('login', value, { secure: true, seconds: null })).toBe(
      `__Host-postern=${value}; Path=/; HttpOnly; SameSite=Lax; Secure`,
    );
    expect(setCookie('login', value, { secure: false, seconds: 0 })).toBe(
      `postern=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
    );
  });

  it('one that came twice is none, and the name that nobody else can set comes first', () => {
    expect(cookieOf(`a=b; ${secure('postern')}`, 'login')).toEqual({ value, secure: true });
    expect(cookieOf(`postern=${value}`, 'login')).toEqual({ value, secure: false });
    const planted = `postern=${'B'.repeat(43)}; ${secure('postern')}`;
    expect(cookieOf(planted, 'login')).toEqual({ value, secure: true });
    expect(cookieOf(`${secure('postern')}; ${secure('postern')}`, 'login')).toBeUndefined();
    for (const header of [
      undefined,
      '',
      'postern',
      'postern=',
      `postern=${value}x`,
      `x${secure('postern')}`,
    ])
      expect(cookieOf(header, 'login')).toBeUndefined();
  });

  it('what is kept and what a form holds are neither the cookie nor one another', () => {
    const all = [value, csrfOf(value), hashOfCookie('login', value), hashOfCookie('form', value)];
    expect(new Set(all).size).toBe(4);
  });
});

describe('bodies', () => {
  it('a form is read whole or not at all', () => {
    expect(parseFields('csrf=a&login=x+y%40z')).toEqual({ csrf: 'a', login: 'x y@z' });
    for (const text of ['csrf=a&csrf=b', 'csrf=%zz', 'admin=1', 'csrf=%ff', '=x', 'csrf'])
      expect(parseFields(text)).toBeUndefined();
  });

  it('what the script does not send is nothing', () => {
    const response = { id: 'x', response: { clientDataJSON: 'y' } };
    expect(readPasskeyCall({ csrf: 'a', response })).toEqual({ csrf: 'a', response });
    const wrong = [null, [], 'x', {}, { csrf: 1 }, { csrf: 'a', next: 1 }];
    const bad = [
      {},
      [],
      { id: 'x' },
      { id: 1, response: {} },
      { id: 'x', response: { clientDataJSON: 1 } },
    ];
    for (const body of [...wrong, ...bad.map((r) => ({ csrf: 'a', response: r }))])
      expect(readPasskeyCall(body)).toBeUndefined();
  });
});

describe('how somebody has shown that it is him', () => {
  it('RFC 8176', () => {
    expect(amrOf([{ with: 'password' }])).toEqual(['pwd']);
    expect(amrOf([{ with: 'password' }, { with: 'totp' }])).toEqual(['pwd', 'otp', 'mfa']);
    expect(amrOf([{ with: 'passkey', synced: false }])).toEqual(['hwk', 'user', 'mfa']);
    expect(amrOf([{ with: 'passkey', synced: true }])).toEqual(['swk', 'user', 'mfa']);
    expect(mfaOf([{ with: 'password' }])).toBe('none');
    expect(mfaOf([{ with: 'password' }, { with: 'totp' }])).toBe('any');
    expect(mfaOf([{ with: 'totp' }, { with: 'passkey', synced: true }])).toBe('phr');
  });

  it('a login ends an hour after it was seen, at its end, or when it is ended', () => {
    const at = instant(10_000_000_000);
    const times = { last_seen_at: at, expires_at: instant(at + 7_200_000), ended_at: null };
    expect(isLive(times, instant(at + 3_599_999))).toBe(true);
    expect(isLive(times, instant(at + 3_600_000))).toBe(false);
    expect(isLive({ ...times, expires_at: at }, at)).toBe(false);
    expect(isLive({ ...times, ended_at: at }, at)).toBe(false);
  });

  it('a proof is fresh for ten minutes, and none is from the future', () => {
    const at = instant(10_000_000_000);
    expect([isFresh(at, at), isFresh(at, instant(at + 599_999))]).toEqual([true, true]);
    expect([isFresh(at, instant(at + 600_000)), isFresh(at, instant(at - 1))]).toEqual([
      false,
      false,
    ]);
  });
});

describe('attempts', () => {
  const attempt = {
    what: 'password',
    account: 'ellis',
    address: '192.0.2.1',
    known_device: undefined,
    known_address: false,
  } as const;
  const keys = (more: object) => countersOf({ ...attempt, ...more }).map(({ key }) => key);
  const shared = (a: object, b: object) => keys(a).filter((key) => keys(b).includes(key)).length;

  it('a known device has no counter in common with anybody, a known address only its own', () => {
    const known = { known_device: 'mine' };
    expect(shared(known, {})).toBe(0);
    expect(shared(known, { known_device: 'theirs' })).toBe(0);
    expect(shared({ known_address: true }, { address: '192.0.2.2' })).toBe(0);
    expect(shared({}, { address: '192.0.2.2' })).toBe(1);
    expect(shared({}, { account: 'dana' })).toBe(1);
  });

  it('counters are in the order in which they are locked', () => {
    expect(keys({})).toEqual([...keys({})].sort());
  });

  it('an IPv6 address counts as its network', () => {
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe(networkOf('2001:0db8:1:2::1'));
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::ffff:192.0.2.1')).toBe('::ffff:192.0.2.1');
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
  });

  it('some are free, then the wait doubles up to its end, and is forgotten', () => {
    const pair = countersOf({ ...attempt, known_device: 'd' })[0]!;
    const start = instant(1_000_000_000);
    let count = { count: 0, next_at: start, forget_at: start };
    const waits: number[] = [];
    let now = start;
    for (let i = 0; i < 18; i++) {
      count = counted(count, pair.pace, now);
      waits.push((count.next_at - now) / 1000);
      now = count.next_at;
    }
    expect(waits).toEqual([0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    expect(waitOf(count, instant(count.next_at - 1))).toBe(1);
    expect(waitOf(count, count.next_at)).toBe(0);
    expect(counted(count, pair.pace, count.forget_at).count).toBe(1);
  });
});
