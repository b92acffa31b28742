import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { find, remedy, TOOLS, type Tool } from '../needs.ts';
import { Tree } from './tree.ts';

describe('what the machine must have', () => {
  test('a tool is found in the PATH, and only when it can be executed', () => {
    using tree = new Tree({ 'bin/tmux': '#!/bin/sh\n', 'bin/strace': 'not a program\n' });
    const bin = join(tree.root, 'bin');
    chmodSync(join(bin, 'tmux'), 0o755);
    expect(find('tmux', `/nowhere::${bin}`)).toBe(join(bin, 'tmux'));
    expect(find('strace', bin)).not.toBe(join(bin, 'strace'));
  });

  test('the remedy names each package once', () => {
    expect(remedy(['ssh', 'ssh-keygen', 'sshd'])).toBe(
      'apt-get install openssh-client openssh-server',
    );
    expect(remedy(Object.keys(TOOLS) as Tool[])).toContain('strace');
  });
});
