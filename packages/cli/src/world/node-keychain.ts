import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import {
  KeychainFault,
  type KeychainItem,
  type KeychainManner,
  type KeychainPort,
} from '../keychain.ts';
import { type SecretServiceState, secretServiceState } from './secret-service.ts';

/**
 * A keychain that asks nobody answers at once. What somebody is asked for is seen only where the
 * collection is locked; KeePassXC and macOS may ask whether this program may have the item.
 */
const LIMIT_MS: Readonly<Record<KeychainManner, number>> = { quiet: 5_000, 'may-ask': 45_000 };
const LOOK_MS = 5_000;

/**
 * The library, in a process of its own: it blocks the one it is in for as long as a keychain does
 * not answer (seen: a minute), and what waits for it in the background keeps the process from
 * ending. One that is killed asks no more. It gets what is secret by its standard input.
 *
 * On Linux the library falls back to the kernel's keyring, which is empty after the next start:
 * the store is named, so that it says no instead.
 */
const CHILD = `
const { library, call, item, secret } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
let answer;
try {
  const { Entry } = require(library);
  const entry = new Entry(item.service, item.account, { linux: { store: 'secret-service' } });
  if (call === 'set') entry.setPassword(secret);
  if (call === 'remove') entry.deletePassword();
  answer = { done: true, secret: call === 'get' ? entry.getPassword() : null };
} catch {
  answer = { done: false };
}
process.stdout.write(JSON.stringify(answer) + '\\n');
`;

interface Asked {
  readonly call: 'get' | 'set' | 'remove';
  readonly item: KeychainItem;
  readonly secret?: string;
}

/** What was fetched once: a command reads its login again when it renews it. */
const known = new Map<string, string>();
const nameOf = ({ service, account }: KeychainItem): string => `${service}/${account}`;

export const nodeKeychain: KeychainPort = {
  async get(item, manner) {
    const held = known.get(nameOf(item)) ?? (await ask({ call: 'get', item }, manner));
    if (held === null) return undefined;
    known.set(nameOf(item), held);
    return held;
  },
  async set(item, secret, manner) {
    await ask({ call: 'set', item, secret }, manner);
  },
  async remove(item, manner) {
    known.delete(nameOf(item));
    await ask({ call: 'remove', item }, manner);
  },
};

async function ask(asked: Asked, manner: KeychainManner): Promise<string | null> {
  const library = libraryPath();
  const bus = busOf(process.env);
  if (library === undefined || bus === undefined) throw new KeychainFault('none');
  // It starts while the bus is asked, and does nothing before it is told what.
  const child = started(bus);
  const line = lineOf(child);
  try {
    const state = bus === NO_BUS ? 'unlocked' : await secretServiceState(bus, LOOK_MS);
    refuse(state, manner);
    return await told(child, line, { ...asked, library }, LIMIT_MS[manner]);
  } finally {
    child.kill('SIGKILL');
  }
}

function refuse(state: SecretServiceState, manner: KeychainManner): void {
  if (state === 'none' || state === 'slow') throw new KeychainFault(state);
  if (state === 'locked' && manner === 'quiet') throw new KeychainFault('locked');
}

/** Optional: a platform for which it is not built, or an installation without, has no keychain. */
function libraryPath(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@napi-rs/keyring');
  } catch {
    return undefined;
  }
}

const NO_BUS = '';

/** @returns NO_BUS where the keychain is not behind one; undefined where there is none, but should be */
function busOf(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'darwin' || process.platform === 'win32') return NO_BUS;
  const { DBUS_SESSION_BUS_ADDRESS: named, XDG_RUNTIME_DIR: folder } = env;
  if (named) return named;
  return folder ? `unix:path=${folder}/bus` : undefined;
}

function started(bus: string): ChildProcess {
  const { NODE_OPTIONS: _, SFT_TOKEN: __, ...env } = process.env;
  return spawn(process.execPath, ['--input-type=commonjs', '-e', CHILD], {
    env: bus === NO_BUS ? env : { ...env, DBUS_SESSION_BUS_ADDRESS: bus },
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
}

async function told(
  child: ChildProcess,
  line: Promise<string>,
  message: object,
  ms: number,
): Promise<string | null> {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    child.kill('SIGKILL');
  }, ms);
  try {
    child.stdin?.end(JSON.stringify(message));
    return answered(await line);
  } catch (error) {
    throw isOver ? new KeychainFault('slow') : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Its one line, as soon as it is there: what it does to end takes a while. '' from one that failed. */
const lineOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.endsWith('\n')) resolve(text);
    });
    child.on('close', () => resolve(text));
    child.on('error', () => resolve(''));
    // One that is gone does not read; that it is gone is seen by the line.
    child.stdin?.on('error', () => undefined);
  });

function answered(text: string): string | null {
  let answer: { readonly done?: unknown; readonly secret?: unknown };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new KeychainFault('refused');
  }
  if (answer.done !== true) throw new KeychainFault('refused');
  return typeof answer.secret === 'string' ? answer.secret : null;
}
