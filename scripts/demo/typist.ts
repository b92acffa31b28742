import type { Login, Person } from '../../e2e/world/people.ts';
import { restOf } from '../../e2e/world/rest.ts';
import type { Ran, RunOptions } from '../../e2e/world/run.ts';
import { show, showCall } from './screen.ts';
import type { DemoWorld } from './world.ts';

type Tool = 'sft' | 'sft-admin';

export const quoted = (args: readonly string[]): string =>
  args.map((arg) => (/^[\w./:=@,-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');

/** Types a command as somebody and shows it; anything but the expected exit status ends the walk. */
export async function type(
  { people }: Pick<DemoWorld, 'people'>,
  who: Login,
  file: Tool,
  args: readonly string[],
  expected = 0,
  options: RunOptions = {},
): Promise<string> {
  const ran = await people[who].run(file, args, options);
  return judged(who, file, args, ran, expected);
}

/** As {@link type}, for one that was started before and runs beside the others. */
export async function ended(
  who: Login,
  file: Tool,
  args: readonly string[],
  running: ReturnType<Person['start']>,
  expected = 0,
): Promise<string> {
  return judged(who, file, args, await running.ended, expected);
}

function judged(
  who: Login,
  file: Tool,
  args: readonly string[],
  ran: Ran,
  expected: number,
): string {
  show(who, `${file} ${quoted(args)}`, ran);
  if (ran.code !== expected)
    throw new Error(`${file} ended with ${ran.code}; ${expected} was expected`);
  return ran.stdout + ran.stderr;
}

/** Calls the service as somebody's script would, and shows the call and what it answered. */
export async function call<T>(
  { people, service }: DemoWorld,
  who: Login,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  options: {
    readonly body?: unknown;
    readonly etag?: string;
    readonly expected: number;
    readonly shown: (body: T) => unknown;
  },
): Promise<T> {
  const rest = restOf(service, people[who].token);
  const { body, etag, expected, shown } = options;
  const reply = await rest<T>(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(etag === undefined ? {} : { headers: { 'if-match': `"${etag}"` } }),
  });
  showCall(who, `${method} ${path}`, {
    etag,
    body,
    status: reply.status,
    answer: shown(reply.body),
  });
  if (reply.status !== expected)
    throw new Error(`${method} ${path} answered ${reply.status}: ${reply.text}`);
  return reply.body;
}
