import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import type { Program } from '../src/command.ts';
import { findCommand } from '../src/find-command.ts';
import { parse } from '../src/parse.ts';
import { sft } from '../src/sft.ts';
import { sftAdmin } from '../src/sft-admin.ts';

const GUIDE = readFileSync(new URL('../../../docs/guides/ci.md', import.meta.url), 'utf8');

/** The blocks of a language, without the indent of the list they stand in. */
const blocks = (language: string): string[] =>
  [...GUIDE.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\``, 'gms'))].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** Words as a shell splits them, as far as the guide needs it. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');

function linesOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n');
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(linesOf);
}

const commands = (text: readonly string[]): string[] =>
  text.flatMap((line) => /(?:^|\$\()(sft(?:-admin)? [^)]*)/.exec(line.trim())?.[1] ?? []);

async function understands(line: string): Promise<string> {
  const [name, ...argv] = wordsOf(line);
  const program: Program = name === 'sft' ? sft : sftAdmin;
  const found = findCommand(program, argv);
  if (found.kind !== 'command') return found.kind;
  return parse(program, found.path, await found.load(), found.rest).kind;
}

describe('docs/guides/ci.md', () => {
  const yaml = blocks('yaml').map((text) => {
    const document = parseDocument(text);
    expect(document.errors).toEqual([]);
    return document.toJS() as Record<string, unknown>;
  });

  test('has a job of GitHub Actions, which may ask for its token, in an environment', () => {
    const [job] = yaml.filter((one) => 'jobs' in one);
    expect(job).toMatchObject({
      permissions: { 'id-token': 'write' },
      jobs: { deploy: { environment: 'production' } },
    });
  });

  test('has a job of GitLab, with a token for the service, in an environment', () => {
    const [job] = yaml.filter((one) => 'deploy' in one);
    expect(job).toMatchObject({
      deploy: {
        environment: 'production',
        id_tokens: { POSTERN_ID_TOKEN: { aud: 'https://postern.example.com' } },
        variables: { SFT_URL: 'https://postern.example.com' },
      },
    });
  });

  test('every command in it is one', async () => {
    const inline = [...GUIDE.matchAll(/`(sft(?:-admin)? [^`]+)`/g)].map(([, line = '']) => line);
    const found = [
      ...commands(linesOf(yaml)),
      ...commands(blocks('sh').join('\n').split('\n')),
      ...inline,
    ];
    expect(found.length).toBeGreaterThanOrEqual(7);
    for (const line of found) expect([line, await understands(line)]).toEqual([line, 'parsed']);
  });
});
