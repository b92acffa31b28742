import { spawnSync } from 'node:child_process';
import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from './fake/script.ts';

const { sft, admin } = script();

/** What bash would offer after these words. */
function offers(completion: string, words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const name = completion.split('(')[0];
  const program = `sft() { printf 'HOSTNAME\\nopa-demo-linux\\nx$(touch /tmp/never)\\n'; }
${completion}
COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}
${name}
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

describe('completion bash', () => {
  test('commands, their second words, flags, and the hosts of the person', async () => {
    const { out } = await sft('completion bash');
    expect(offers(out, ['sft', 'li'])).toEqual(['list-servers']);
    expect(offers(out, ['sft', 'request', 'c'])).toEqual(['catalog', 'create', 'cancel']);
    expect(offers(out, ['sft', 'ssh', 'host', '--acc'])).toEqual(['--account']);
    expect(offers(out, ['sft', 'ssh', ''])).toEqual(['opa-demo-linux']);
  });

  test('of sft-admin', async () => {
    const { out } = await admin('completion bash');
    expect(offers(out, ['sft-admin', 'servers', ''])).toEqual(['list', 'trust']);
  });
});

test.each(['zsh', 'fish'])('completion %s is a script', async (shell) => {
  const { exit, out } = await sft(`completion ${shell}`);
  expect(exit).toBe(0);
  expect(out).toContain('list-servers');
});

test('completion of an unknown shell: 64', async () => {
  expect((await sft('completion csh')).exit).toBe(EXIT.usage);
});
