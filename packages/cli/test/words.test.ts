import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { distance } from '../src/find-command.ts';
import { script } from './fake/script.ts';
import { ANA } from './fake/things.ts';

const { service, sft } = script();

describe('the words of a command', () => {
  test('no command: the list of commands, 0', async () => {
    const { exit, out, err } = await sft('');
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/^sft: .*\n\nUsage: sft COMMAND \[flags]\n/);
    expect(out).toMatch(/\n {2}list-servers {3,}The servers you can reach\n/);
  });

  test('an unknown command: 64, and what may be meant', async () => {
    const { exit, err } = await sft('logn');
    expect(exit).toBe(EXIT.usage);
    expect(err).toBe(
      'sft: There is no command logn.\n' + 'Did you mean login? `sft --help` lists the commands.\n',
    );
  });

  test('half a command: 64, and how it goes on', async () => {
    const { exit, err } = await sft('request');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('Say one of: catalog, create, list, show, cancel, escalate, wait.');
  });

  test.each(['request --help', 'help request'])('%s lists the group', async (words) => {
    const { exit, out } = await sft(words);
    expect(exit).toBe(0);
    expect(out).toContain('request cancel');
    expect(out).not.toContain('list-servers');
  });

  test.each(['ssh --help', 'help ssh', 'ssh -h'])('%s shows its flags', async (words) => {
    const { exit, out } = await sft(words);
    expect(exit).toBe(0);
    expect(out).toContain('Usage: sft ssh [options] <host> [command...]');
    expect(out).toContain('--account <NAME>');
  });

  test.each([
    ['list-servers --nope', /^sft: Unknown option '--nope'\./],
    ['list-servers extra', /^sft: Too many arguments/],
    ['ssh', /^sft: Missing required argument 'host'\./],
    ['list-servers -o yaml', /^sft: .*Allowed choices are default, json, describe\./],
    ['list-servers -l', /^sft: .*argument missing\./],
  ])('%s: 64', async (words, text) => {
    const { exit, out, err } = await sft(words);
    expect([exit, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(text);
    expect(err.split('\n')).toHaveLength(3);
  });

  test('with -o json a mistake is a problem document as well', async () => {
    const { out } = await sft('list-servers --nope -o json');
    expect(JSON.parse(out)).toMatchObject({ type: 'urn:postern:usage', code: 'usage' });
  });

  test('global flags stand before or after the command', async () => {
    service().on('whoami', () => ({ body: ANA }));
    for (const words of ['-o json whoami', 'whoami -o json', '--output=json whoami'])
      expect(JSON.parse((await sft(words)).out)).toEqual({ ...ANA, kept_in: 'environment' });
  });

  test.each(['--version', '-v'])('%s', async (words) => {
    expect((await sft(words)).out).toMatch(/^sft \d+\.\d+\.\d+\n$/);
  });

  test('a name that would change the path of an operation is refused: 64', async () => {
    const { exit } = await sft('drop ..');
    expect([exit, service().asked]).toEqual([EXIT.usage, []]);
  });

  test('distance counts edits', () => {
    expect(distance('login', 'logn')).toBe(1);
    expect(distance('', 'abc')).toBe(3);
    expect(distance('same', 'same')).toBe(0);
  });
});
