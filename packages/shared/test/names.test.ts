import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isGroupName,
  isHostname,
  isLogin,
  isPersonUnixName,
  isSystemName,
  isUnixName,
} from '../src/names.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const label = (length: number) => 'a'.repeat(length);

describe('hostname', () => {
  test.each([
    'opa-demo-linux',
    'a',
    '1',
    'web01.prod.example.com',
    '3com.com',
    'xn--bcher-kva.example',
    '1.2.3',
    '1.2.3.4.5',
    label(63),
    [label(63), label(63), label(63), label(61)].join('.'),
  ])('accepted: %s', (name) => {
    expect(isHostname(name)).toBe(true);
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'A',
    'web_01',
    '-a',
    'a-',
    'a.-b',
    'a b',
    'a/b',
    "a'b",
    'a;id',
    '$(id)',
    'a\n',
    'büro',
    'а', // Cyrillic
    '127.0.0.1',
    '999.999.999.999',
    '::1',
    '[::1]',
    label(64),
    [label(63), label(63), label(63), label(62)].join('.'),
  ])('refused: %j', (name) => {
    expect(isHostname(name)).toBe(false);
  });
});

describe('unix name', () => {
  test.each(['dana', 'd', '_d', 'dana-adm', 'dana_reyes', 'd0', 'a'.repeat(32)])(
    'accepted: %s',
    (name) => {
      expect(isUnixName(name)).toBe(true);
    },
  );

  test.each([
    '',
    'Dana',
    '0d',
    '-d',
    'dana.reyes',
    'dana$',
    'd d',
    'd\n',
    'dаna',
    'a'.repeat(33),
    '../x',
    '%h',
  ])('refused: %j', (name) => {
    expect(isUnixName(name)).toBe(false);
    expect(isPersonUnixName(name)).toBe(false);
  });

  test.each([
    'root',
    'daemon',
    'bin',
    'sys',
    'toor',
    'nobody',
    'sshd',
    'www-data',
    'postgres',
    'ubuntu',
    'ec2-user',
    'wheel',
    'sudo',
    'docker',
    'systemd-anything',
    '_apt',
    '_',
  ])('refused for a person: %s', (name) => {
    expect(isSystemName(name)).toBe(true);
    expect(isPersonUnixName(name)).toBe(false);
  });

  test.each(['dana', 'ana', 'rootsy', 'binh', 'sysadmin', 'constructor'])(
    'a person: %s',
    (name) => {
      expect(isPersonUnixName(name)).toBe(true);
    },
  );
});

describe('login', () => {
  test.each([
    'dana',
    'dana.reyes',
    'dana.reyes@example.com',
    "o'brien@example.com",
    'a',
    'a+b@c-d.example',
    '_svc',
    'ci_deploy',
  ])('accepted: %s', (login) => {
    expect(isLogin(login)).toBe(true);
  });

  test.each([
    '',
    'Dana',
    'dana reyes',
    ' dana',
    'dana\n',
    '.dana',
    'dana.',
    '-rf',
    "'dana'",
    'a@',
    '@a',
    'a@b@c',
    'dаna',
    'dána',
    'ﬁ',
    'a'.repeat(101),
    'a\u202eb',
    'a;b',
    '{unix_name}',
  ])('refused: %j', (login) => {
    expect(isLogin(login)).toBe(false);
  });
});

describe('group name', () => {
  test.each([
    'linux-approvers',
    'Linux Approvers',
    'PAM Windows Sysadmins',
    'Büro München',
    'Quản trị viên',
    'Łódź – Ørsted & Þór',
    'L’équipe “Réseau”',
    'R&D (EU)',
    'a',
    'x'.repeat(100),
  ])('accepted: %s', (name) => {
    expect(isGroupName(name)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['only a space', ' '],
    ['space before', ' a'],
    ['space after', 'a '],
    ['two spaces', 'a  b'],
    ['tab', 'a\tb'],
    ['line end', 'a\n'],
    ['no-break space', 'a\u00a0b'],
    ['escape', 'a\u001b[31m'],
    ['C1 control', 'a\u009bb'],
    ['right-to-left override', 'a\u202eb'],
    ['isolate', 'a\u2066b'],
    ['zero-width space', 'a\u200bb'],
    ['zero-width joiner', 'a\u200db'],
    ['soft hyphen', 'a\u00adb'],
    ['byte-order mark', '\ufeffa'],
    ['Hangul filler', 'a\u3164b'],
    ['Braille blank', 'a\u2800b'],
    ['variation selector', 'a\ufe0f'],
    ['tag character', 'a\u{e0041}'],
    ['private use', 'a\ue000'],
    ['unassigned', 'a\u0378'],
    ['lone surrogate', 'a\ud800'],
    ['a mark without a letter', '\u0301a'],
    ['ligature, which NFKC changes', 'oﬃce'],
    ['full width, which NFKC changes', 'ａdmins'],
    ['decomposed, which NFKC changes', 'Bu\u0308ro'],
    ['101 characters', 'x'.repeat(101)],
    ['a Cyrillic letter among Latin ones', 'Аdmins'],
    ['another script, whose letters may look the same', 'Администраторы'],
    ['another script', '管理者'],
    ['a Latin letter made to look like another', 'ɑdmins'],
    ['a small capital', 'admiɴs'],
    ['digits of another script', 'tier ٥'],
    ['an emoji', '🚀'],
    ['a symbol that looks like punctuation', 'a∕b'],
    ['an accent that no letter has', 'x\u0302'],
    ['a megabyte', 'x'.repeat(1_000_000)],
  ])('refused: %s', (_, name) => {
    expect(isGroupName(name)).toBe(false);
  });

  test('whatever is accepted is in NFKC, trimmed, and without invisible characters', () => {
    const fewCharacters = fc
      .array(fc.nat(0x1ffff), { maxLength: 3 })
      .map((points) => String.fromCodePoint(...points));
    fc.assert(
      fc.property(fewCharacters, (name) => {
        if (!isGroupName(name)) return;
        expect(name.normalize('NFKC').trim()).toBe(name);
        expect(name).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 2000 },
    );
  });
});

test('random text never throws', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const is of [isHostname, isUnixName, isPersonUnixName, isLogin, isGroupName]) is(text);
    }),
  );
});
