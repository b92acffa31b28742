import { EXIT, printable } from '@postern/shared';
import { type Api, apiOf } from './api/client.ts';
import { type Command, type Ctx, Ended, type Program } from './command.ts';
import type { World } from './context.ts';
import { Failure, interrupted } from './failure.ts';
import { findCommand } from './find-command.ts';
import { type Format, json, render } from './render/render.ts';
import { readSettings } from './settings.ts';
import { VERSION } from './version.ts';

/** One command from its words to its exit status. The only place that prints and that catches. */
export async function run(
  program: Program,
  argv: readonly string[],
  world: World,
): Promise<number> {
  try {
    return await dispatch(program, argv, world);
  } catch (error) {
    return report(program, wantsJson(argv), world, error);
  }
}

async function dispatch(program: Program, argv: readonly string[], world: World): Promise<number> {
  const found = findCommand(program, argv);
  if (found.kind === 'version') return print(world, [`${program.name} ${VERSION}`]);
  if (found.kind === 'help') {
    const { programHelp } = await import('./help.ts');
    return print(world, await programHelp(program, found.group));
  }
  const definition = await found.load();
  const { parse } = await import('./parse.ts');
  const parsed = parse(program, found.path, definition, found.rest);
  if (parsed.kind === 'help') return print(world, parsed.text.trimEnd().split('\n'));
  return await execute(program, definition, parsed, world);
}

interface Parsed {
  readonly args: Ctx['args'];
  readonly flags: Ctx['flags'];
  readonly globals: Ctx['globals'];
}

async function execute(
  program: Program,
  definition: Command,
  { args, flags, globals }: Parsed,
  world: World,
): Promise<number> {
  let api: Promise<Api> | undefined;
  const ctx: Ctx = {
    program,
    world,
    args,
    flags,
    globals,
    api: () => {
      api ??= readSettings(world, globals).then((settings) => apiOf(world, settings));
      return api;
    },
    say: (text) => {
      for (const line of text.split('\n')) write(world.stderr, line);
    },
  };
  const data = await definition.run(ctx);
  if (data instanceof Ended) return data.exit;
  const { columns } = flags as { columns?: string };
  const shown = render(definition.view, data, globals.output as Format, columns);
  for (const line of shown.err) write(world.stderr, line);
  return print(world, shown.out);
}

function print(world: World, lines: readonly string[]): number {
  for (const line of lines) write(world.stdout, line);
  return EXIT.ok;
}

const write = (stream: NodeJS.WritableStream, line: string): void => {
  stream.write(`${printable(line)}\n`);
};

function report(program: Program, asJson: boolean, world: World, error: unknown): number {
  const failure = failureOf(program, world, error);
  if (asJson) print(world, json(failure.document()));
  const { faults = [failure.detail], is_news } = failure.extras;
  for (const line of faults) write(world.stderr, `${is_news ? '' : `${program.name}: `}${line}`);
  write(world.stderr, failure.next);
  if (world.env.SFT_LOG_LEVEL === 'debug' && failure.stack !== undefined)
    for (const line of failure.stack.split('\n')) write(world.stderr, line);
  return failure.exit;
}

function failureOf(program: Program, world: World, error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (world.interrupt.aborted) return interrupted();
  const bug = new Failure(
    'internal',
    `This is a bug in ${program.name}: ${String(error)}`,
    'Run it again with SFT_LOG_LEVEL=debug and report what it prints.',
  );
  if (error instanceof Error && error.stack !== undefined) bug.stack = error.stack;
  return bug;
}

/** Also when the words could not be parsed: up to `--`, which ends our own flags. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const ours = end < 0 ? argv : argv.slice(0, end);
  return ours.some(
    (word, i) =>
      word === '-ojson' ||
      word === '--output=json' ||
      ((word === '-o' || word === '--output') && ours[i + 1] === 'json'),
  );
}
