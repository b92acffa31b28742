import { describe, expect, test } from 'vitest';
import { layout, lengthFindings, MAX_LINES, nameFindings, suiteFindings } from '../layout.ts';
import { HOUSE } from './house.ts';
import { Tree } from './tree.ts';

const lines = (count: number): string => 'x;\n'.repeat(count);

describe('layout', () => {
  test('400 lines pass, 401 are refused, with or without a last newline', () => {
    expect(lengthFindings('packages/cli/src/a.ts', lines(MAX_LINES))).toEqual([]);
    expect(lengthFindings('packages/cli/src/a.ts', lines(MAX_LINES).trimEnd())).toEqual([]);
    expect(lengthFindings('packages/cli/src/a.ts', lines(MAX_LINES + 1))).toMatchObject([
      { rule: 'file-length', detail: expect.stringContaining('401 lines') },
    ]);
  });

  test.each([
    'packages/cli/src/utils/a.ts',
    'packages/server/src/requests/helpers/a.ts',
    'packages/server/test/helper.ts',
    'e2e/util.ts',
    'scripts/utils.mjs',
  ])('refused: %s', (file) => {
    expect(nameFindings(file)).toMatchObject([{ rule: 'no-utils-no-helpers', file }]);
  });

  test.each(['packages/cli/src/utilisation.ts', 'packages/server/test/kit/users.ts'])(
    'allowed: %s',
    (file) => {
      expect(nameFindings(file)).toEqual([]);
    },
  );

  test.each([
    'e2e/ssh.test.ts',
    'packages/server/test/requests/quorum.spec.ts',
    'packages/server/src/requests/quorum.test.ts',
    'bench/engine.test.ts',
  ])('refused: a test file that no suite runs: %s', (file) => {
    expect(suiteFindings(file)).toMatchObject([{ rule: 'test-in-a-suite', file }]);
  });

  test.each(['e2e/ssh/first.e2e.ts', 'packages/cli/test/a/b.test.ts', 'e2e/world/run.ts'])(
    'allowed: %s',
    (file) => {
      expect(suiteFindings(file)).toEqual([]);
    },
  );

  test('every folder of code is looked at, and what was installed or built is not', () => {
    using tree = new Tree(HOUSE);
    expect(layout(tree.root)).toMatchObject({ ok: true });
    for (const folder of ['packages/cli/src', 'packages/cli/test', 'bench', 'e2e', 'scripts'])
      tree.write(`${folder}/long.ts`, lines(500));
    tree.write('packages/cli/dist/long.ts', lines(500));
    tree.write('packages/cli/node_modules/x/long.ts', lines(500));
    expect(layout(tree.root).text.match(/file-length/g)).toHaveLength(5);
  });
});
