import { CommanderError, InvalidArgumentError, Option, Command as Parser } from 'commander';
import type { Command, Ctx, FlagSpec, Program } from './command.ts';
import { type Failure, usage } from './failure.ts';
import { GLOBAL_FLAGS } from './find-command.ts';

export type Parsed =
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'parsed';
      readonly args: Ctx['args'];
      readonly flags: Ctx['flags'];
      readonly globals: Ctx['globals'];
    };

/**
 * The words of one command by its definition.
 * @throws Failure 64
 */
export function parse(
  program: Program,
  path: string,
  definition: Command,
  words: readonly string[],
): Parsed {
  const parser = new Parser(`${program.name} ${path}`);
  let text = '';
  parser.exitOverride().allowExcessArguments(false).helpOption('-h, --help', 'show this');
  parser.configureOutput({ writeOut: (s) => (text += s), writeErr: () => undefined });
  parser.description(`${definition.summary}.${definition.help ? `\n\n${definition.help}` : ''}`);
  const args = Object.entries(definition.args ?? {});
  for (const [name, spec] of args) {
    const inner = spec.rest ? `${name}...` : name;
    parser.argument(spec.optional || spec.rest ? `[${inner}]` : `<${inner}>`, spec.summary);
  }
  const own = Object.entries(definition.flags ?? {}).map((f) => addFlag(parser, f));
  const global = Object.entries(GLOBAL_FLAGS).map((f) => addFlag(parser, f));
  try {
    parser.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text };
    throw badWords(program, path, error);
  }
  const values = parser.opts() as Record<string, unknown>;
  const pick = (flags: readonly Added[]) =>
    Object.fromEntries(flags.map(({ name, read }) => [name, read(values)]));
  const given = Object.fromEntries(
    args.map(([name, spec], i) => [name, spec.rest ? parser.args.slice(i) : parser.args[i]]),
  );
  const globals = pick(global) as unknown as Ctx['globals'];
  return {
    kind: 'parsed',
    args: given as Ctx['args'],
    flags: pick(own) as Ctx['flags'],
    globals: { ...globals, output: globals.output ?? 'default' },
  };
}

interface Added {
  readonly name: string;
  read(values: Readonly<Record<string, unknown>>): unknown;
}

function addFlag(parser: Parser, [name, flag]: readonly [string, FlagSpec]): Added {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const value = flag.value === undefined ? '' : ` <${flag.value}>`;
  const option = new Option(`${short}--${name}${value}`, flag.summary);
  const { choices } = flag;
  if (choices !== undefined) option.choices([...choices]);
  // Takes the place of the parser that holds to the choices.
  if (flag.many)
    option.argParser((text: string, before: readonly string[] = []) => {
      if (choices !== undefined && !choices.includes(text))
        throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
      return [...before, text];
    });
  parser.addOption(option);
  const key = option.attributeName();
  return {
    name,
    read: (values) => {
      if (option.negate) return values[key] === false;
      if (flag.value === undefined) return values[key] === true;
      return values[key] ?? (flag.many ? [] : undefined);
    },
  };
}

function badWords(program: Program, path: string, error: CommanderError): Failure {
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const line = `${first.charAt(0).toUpperCase()}${first.slice(1)}`.replace(/\.?$/, '.');
  const hint = more.join(' ').replace(/^\((.*)\)$/, '$1 ');
  return usage(line, `${hint}\`${program.name} ${path} --help\` shows what it takes.`);
}
