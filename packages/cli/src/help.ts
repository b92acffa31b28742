import type { Program } from './command.ts';
import { GLOBAL_FLAGS } from './find-command.ts';

/** The commands of a program, or of one group of them, a line each. */
export async function programHelp(program: Program, group?: string): Promise<string[]> {
  const all = Object.entries(program.commands);
  const listed = group === undefined ? all : all.filter(([name]) => name.startsWith(`${group} `));
  const rows = await Promise.all(
    listed.map(async ([name, load]) => [name, (await load()).summary] as const),
  );
  const flags = Object.entries(GLOBAL_FLAGS).map(([name, flag]) => {
    const short = 'short' in flag ? `-${flag.short}, ` : '';
    return [`${short}--${name}${'value' in flag ? ` ${flag.value}` : ''}`, flag.summary] as const;
  });
  return [
    `${program.name}: ${program.summary}`,
    '',
    `Usage: ${program.name} ${group ?? ''}${group ? ' ' : ''}COMMAND [flags]`,
    '',
    ...aligned(rows),
    '',
    'Flags of every command:',
    ...aligned([...flags, ['-h, --help', 'help'], ['-v, --version', 'version']]),
    '',
    `\`${program.name} COMMAND --help\` shows what a command takes.`,
  ];
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}
