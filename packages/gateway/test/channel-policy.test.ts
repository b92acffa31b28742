import { describe, expect, test } from 'vitest';
import { type Ask, mayOpen, mayPassVariable, signalToPass } from '../src/channel-policy.ts';

const ALL = ['shell', 'exec', 'sftp', 'local_forward', 'remote_forward'];

const NEEDS: ReadonlyArray<readonly [Ask, string]> = [
  [{ kind: 'shell' }, 'shell'],
  [{ kind: 'exec' }, 'exec'],
  [{ kind: 'subsystem', name: 'sftp' }, 'sftp'],
  [{ kind: 'direct-tcpip' }, 'local_forward'],
  [{ kind: 'tcpip-forward' }, 'remote_forward'],
  [{ kind: 'cancel-tcpip-forward' }, 'remote_forward'],
];

const NEVER: readonly Ask[] = [
  { kind: 'x11' },
  { kind: 'agent' },
  { kind: 'streamlocal' },
  { kind: 'subsystem', name: 'netconf' },
  { kind: 'subsystem', name: 'SFTP' },
  { kind: 'subsystem', name: '' },
  { kind: 'subsystem', name: 'sftp ' },
  { kind: 'tun@openssh.com' } as unknown as Ask,
  { kind: '__proto__' } as unknown as Ask,
];

describe('channels', () => {
  test('deny: nothing is granted', () => {
    for (const [ask] of NEEDS) expect(mayOpen(ask, []).allowed).toBe(false);
  });

  for (const [ask, needed] of NEEDS) {
    test(`allow: ${ask.kind} by ${needed} alone`, () => {
      expect(mayOpen(ask, [needed])).toEqual({ allowed: true });
    });
    test(`deny: ${ask.kind} by everything but ${needed}`, () => {
      const verdict = mayOpen(
        ask,
        ALL.filter((name) => name !== needed),
      );
      expect(verdict).toMatchObject({ allowed: false, why: expect.stringContaining(needed) });
    });
  }

  test('deny: what no channel can grant, whatever is granted', () => {
    for (const ask of NEVER)
      expect(mayOpen(ask, [...ALL, ask.kind, 'subsystem', 'x11', 'agent']).allowed).toBe(false);
  });

  test('deny: a channel name that is only like the one needed', () => {
    expect(mayOpen({ kind: 'exec' }, ['EXEC', 'exec ', 'execute', '*']).allowed).toBe(false);
  });
});

describe('environment', () => {
  test('only LANG, LC_* and TERM pass', () => {
    for (const name of ['LANG', 'TERM', 'LC_ALL', 'LC_CTYPE'])
      expect(mayPassVariable(name)).toBe(true);
    const dangerous = [
      'LD_PRELOAD',
      'PATH',
      'BASH_ENV',
      'ENV',
      'SHELLOPTS',
      'GIT_SSH_COMMAND',
      'LANGUAGE',
    ];
    for (const name of [...dangerous, 'lang', 'LC_', 'LC_ALL=x', 'LC_ALL\n', '', 'XLC_ALL'])
      expect(mayPassVariable(name)).toBe(false);
  });
});

describe('signals', () => {
  test('the names of RFC 4254 pass, with or without SIG', () => {
    expect(signalToPass('INT')).toBe('INT');
    expect(signalToPass('SIGTERM')).toBe('TERM');
  });
  test('others do not', () => {
    for (const name of ['', 'SIG', 'STOP', 'WINCH', 'SIGSIGTERM', 'KILL\n'])
      expect(signalToPass(name)).toBeUndefined();
  });
});
