import type { Command, FlagSpec, Program } from './command.ts';
import { usage } from './failure.ts';

/** Flags that every command takes, before or after its name. */
export const GLOBAL_FLAGS = {
  url: { value: 'URL', summary: 'the service (SFT_URL)' },
  team: { value: 'TEAM', summary: 'the team (SFT_TEAM)' },
  'ca-file': { value: 'FILE', summary: 'a further certificate authority, PEM' },
  output: {
    short: 'o',
    value: 'FORMAT',
    choices: ['default', 'json', 'describe'],
    summary: 'default, json or describe',
  },
  'no-color': { summary: 'no colours' },
} as const satisfies Readonly<Record<string, FlagSpec>>;

export type Found =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly group: string | undefined }
  | {
      readonly kind: 'command';
      readonly path: string;
      readonly load: () => Promise<Command>;
      readonly rest: readonly string[];
    };

/**
 * Which command the words name, without loading any. The name is the first one or two
 * words that are no global flag and no value of one.
 * @throws Failure 64
 */
export function findCommand(program: Program, argv: readonly string[]): Found {
  const at = firstWord(argv);
  const word = argv[at];
  if (word === undefined) {
    if (argv.some((w) => w === '-v' || w === '--version')) return { kind: 'version' };
    return { kind: 'help', group: undefined };
  }
  if (word === 'help') return findCommand(program, [...argv.slice(at + 1), '--help']);
  for (const length of [2, 1]) {
    const path = argv.slice(at, at + length).join(' ');
    const load = Object.hasOwn(program.commands, path) ? program.commands[path] : undefined;
    const rest = [...argv.slice(0, at), ...argv.slice(at + length)];
    if (load !== undefined) return { kind: 'command', path, load, rest };
  }
  return groupHelp(program, word, argv.slice(at + 1));
}

function firstWord(argv: readonly string[]): number {
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) break;
    if (takesValue(word)) at++;
  }
  return at;
}

const takesValue = (word: string): boolean =>
  Object.entries(GLOBAL_FLAGS).some(
    ([name, flag]) =>
      'value' in flag && (word === `--${name}` || ('short' in flag && word === `-${flag.short}`)),
  );

function groupHelp(program: Program, word: string, after: readonly string[]): Found {
  const names = Object.keys(program.commands);
  const below = names.filter((name) => name.startsWith(`${word} `));
  if (below.length === 0) {
    const near = names.filter((name) => distance(name.split(' ')[0] ?? '', word) <= 2);
    const guess = near.length > 0 ? `Did you mean ${near.join(', ')}? ` : '';
    throw usage(
      `There is no command ${word}.`,
      `${guess}\`${program.name} --help\` lists the commands.`,
    );
  }
  if (after.some((w) => w === '-h' || w === '--help')) return { kind: 'help', group: word };
  const rest = below.map((name) => name.slice(word.length + 1)).join(', ');
  throw usage(`${word} needs to know what to do.`, `Say one of: ${rest}.`);
}

/** Edits between two words (Levenshtein). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
