import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { restOf } from './rest.ts';
import { baseEnv, type Ran, ROOT, type Running, type RunOptions, run, start } from './run.ts';
import type { Service } from './service.ts';
import type { Target } from './target.ts';

export const PEOPLE = ['pat', 'sam', 'uma', 'dana', 'ellis', 'ana', 'bo'] as const;
export type Login = (typeof PEOPLE)[number];

/** A person at a terminal of his own: his home, his token file. */
export interface Person {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly token: string;
  sft(...args: string[]): Promise<Ran>;
  admin(...args: string[]): Promise<Ran>;
  run(file: 'sft' | 'sft-admin', args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** As `run`, while it runs; its standard input stays open unless `input` is given. */
  start(file: 'sft' | 'sft-admin', args: readonly string[], options?: RunOptions): Running;
}

export type People = Readonly<Record<Login, Person>>;

export function personAt(service: Service, directory: string, name: string, token: string): Person {
  const home = homeOf(directory, name);
  const tokenFile = join(home, 'token');
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  return personIn(service, home, token, { SFT_TOKEN_FILE: tokenFile });
}

/** Somebody who has not logged in yet, at a terminal without a browser. */
export const newcomerAt = (
  service: Pick<Service, 'url' | 'team'>,
  directory: string,
  name: string,
  env: Readonly<Record<string, string>> = { SFT_NO_BROWSER: '1' },
): Person => personIn(service, homeOf(directory, `new-${name}`), '', env);

function homeOf(directory: string, name: string): string {
  const home = join(directory, 'home', name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

function personIn(
  service: Pick<Service, 'url' | 'team'>,
  home: string,
  token: string,
  more: Readonly<Record<string, string>>,
): Person {
  // Nothing is left in the keychain of whoever runs this.
  const place = { SFT_URL: service.url, SFT_TEAM: service.team, SFT_KEYCHAIN: 'off' };
  const env = { ...baseEnv(home), ...place, ...more };
  const asHim = (options: RunOptions): RunOptions => ({
    cwd: home,
    ...options,
    env: { ...env, ...options.env },
  });
  const runAs: Person['run'] = (file, args, options = {}) =>
    run(join(ROOT, 'bin', file), args, asHim(options));
  return {
    env,
    home,
    token,
    run: runAs,
    start: (file, args, options = {}) => start(join(ROOT, 'bin', file), args, asHim(options)),
    sft: (...args) => runAs('sft', args),
    admin: (...args) => runAs('sft-admin', args),
  };
}

/** The demo world's files with the target's port in them, in `directory`. */
export function worldFiles(directory: string, target: Target): string {
  const to = join(directory, 'world');
  cpSync(join(ROOT, 'examples/demo'), to, { recursive: true });
  const file = join(to, '2-inventory.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('access_port: 2222', `access_port: ${target.port}`));
  return to;
}

const REST_OF_WORLD = ['2-inventory.yaml', '3-request-types.yaml', '4-policies.yaml'];

/** The documents of several files of `directory` in one. @returns its name */
function inOne(directory: string, files: readonly string[]): string {
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8'));
  writeFileSync(join(directory, 'rest.yaml'), texts.join('\n---\n'));
  return 'rest.yaml';
}

export type Say = (who: string, command: string, ran: Ran) => void;

/**
 * Brings the demo world up as its admins would, by `sft-admin`, and gives everybody a token:
 * also by `sft-admin` where somebody watches, else by REST, which is quicker.
 */
export async function setUpPeople(
  service: Service,
  target: Target,
  directory: string,
  say?: Say,
): Promise<People> {
  const world = worldFiles(directory, target);
  const bootstrap = personAt(service, directory, 'bootstrap', service.bootstrapToken);
  const directoryFile = join(world, '1-directory.yaml');
  await must(say, 'bootstrap', bootstrap, 'sft-admin', ['apply', '-f', directoryFile]);
  const people: Partial<Record<Login, Person>> = {};
  for (const login of PEOPLE) {
    const token = await (say ? typedToken(say, bootstrap, login) : tokenOf(service, login));
    people[login] = personAt(service, directory, login, token);
  }
  const everybody = people as People;
  const env = Object.fromEntries(
    Object.entries(target.passwords).map(([account, password]) => [
      `DEMO_${account.toUpperCase()}_PASSWORD`,
      password,
    ]),
  );
  for (const file of say ? REST_OF_WORLD : [inOne(world, REST_OF_WORLD)])
    await must(say, 'sam', everybody.sam, 'sft-admin', ['apply', '-f', join(world, file)], { env });
  await must(say, 'sam', everybody.sam, 'sft-admin', [
    'servers',
    'trust',
    'opa-demo-linux',
    '--yes',
  ]);
  return everybody;
}

export async function tokenOf(service: Service, login: string): Promise<string> {
  const rest = restOf(service, service.bootstrapToken);
  const body = { login, name: 'demo', expires_in_seconds: 86_400 };
  const reply = await rest<{ token: string }>('POST', '/tokens', { body });
  if (reply.status !== 201) throw new Error(reply.text);
  return reply.body.token;
}

async function typedToken(say: Say, bootstrap: Person, login: string): Promise<string> {
  const args = ['tokens', 'create', '--user', login, '--name', 'demo', '-o', 'json'];
  const ran = await must(withoutToken(say), 'bootstrap', bootstrap, 'sft-admin', args);
  return (JSON.parse(ran.stdout) as { token: string }).token;
}

async function must(
  say: Say | undefined,
  who: string,
  person: Person,
  file: 'sft' | 'sft-admin',
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const ran = await person.run(file, args, options);
  say?.(who, `${file} ${args.join(' ')}`, ran);
  if (ran.code !== 0)
    throw new Error(`${who}: ${file} ${args.join(' ')} ended with ${ran.code}\n${ran.stderr}`);
  return ran;
}

/** A token is shown to nobody but its holder. */
const withoutToken =
  (say: Say): Say =>
  (who, command, ran) =>
    say(who, command, {
      ...ran,
      stdout: ran.stdout.replace(/pst_[0-9a-f]{32}_[\w-]{43}/g, 'pst_…'),
    });
