import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PASSWORD_LENGTH, readPassword } from '../../src/credentials/index.ts';
import { createPasswordHasher } from '../../src/platform/password-hash.ts';

const OWNER = { login: 'ellis', name: 'Ellis Marin', email: 'ellis@example.com' };
const read = (text: string) => readPassword(text, OWNER);

describe('a password that somebody chooses', () => {
  it.each([
    ['too short', 'short pass1'],
    ['too long', 'x7'.repeat(129)],
    ['absurdly long', 'é'.repeat(100_000)],
    ['a lone surrogate', `${'good enough pass'}\ud800`],
    ['a control character', 'good enough\u0000pass'],
    ['the login over and over', 'ellisellisellis'],
    ['the login and a year', 'Ellis2026!!!!'],
    ['the name', 'Ellis Marin!1'],
    ['the e-mail address', 'ellis@example.com'],
    ['the e-mail address in full-width letters', 'ｅｌｌｉｓ@example.com'],
    ['one of the commonest', 'correcthorsebatterystaple'],
    ['one of the commonest with something behind it', 'Password1234!'],
    ['a run', '123456789012'],
    ['a run backwards', '987654321098'],
    ['one character', 'aaaaaaaaaaaaaaaa'],
    ['two characters', 'abababababababab'],
  ])('refused: %s', (_, text) => {
    const result = read(text);
    expect(result.ok).toBe(false);
    expect(result.ok ? '' : result.why).toMatch(/^[A-Z].*\.$/);
  });

  it.each([
    'korrekt pferd heft klammer',
    'twelve-chars',
    'ellis likes green tea',
    'пароль из слов',
    '🦊🦉🐢🐍🐝🐞🐠🐡🦋🦀🦞🦐',
  ])('taken: %s', (text) => {
    expect(read(text)).toMatchObject({ ok: true });
  });

  it('the length is counted in characters, after NFKC', () => {
    // One character that NFKC makes three of.
    expect(read('ﷺ').ok).toBe(true);
    expect(read(`ab cd ef gh ${'i'.repeat(PASSWORD_LENGTH.max - 12)}`).ok).toBe(true);
  });

  it('never throws, and what it takes is as long as it must be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const result = read(text);
        if (!result.ok) return;
        const length = [...result.password].length;
        expect(length >= PASSWORD_LENGTH.min && length <= PASSWORD_LENGTH.max).toBe(true);
        expect(read(result.password)).toEqual(result);
      }),
    );
  });
});

describe('the hasher', () => {
  it('is argon2id with the parameters of OWASP, and a salt of its own each time', async () => {
    const hasher = createPasswordHasher();
    const kept = await hasher.hash('korrekt pferd');
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.hash('korrekt pferd')).not.toBe(kept);
    expect(await hasher.matches(kept, 'korrekt pferd')).toBe(true);
    expect(await hasher.matches(kept, 'korrekt pferd ')).toBe(false);
  });

  it('nothing is the password of nobody', async () => {
    const hasher = createPasswordHasher({ memoryCost: 8, timeCost: 1 });
    for (const text of ['', 'x', 'korrekt pferd'])
      expect(await hasher.matches(undefined, text)).toBe(false);
  });

  it('a crowd is sent away before memory runs out, and who waits has his turn', async () => {
    const hasher = createPasswordHasher({ memoryCost: 8, timeCost: 1 });
    const all = await Promise.allSettled(
      Array.from({ length: 150 }, () => hasher.matches(undefined, 'x')),
    );
    const refused = all.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBe(48);
    expect(await hasher.matches(undefined, 'x')).toBe(false);
  });
});
