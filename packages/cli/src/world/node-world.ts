import { instant } from '@postern/shared';
import { nodeHttp } from '../api/http.ts';
import type { World } from '../context.ts';
import { nodeFiles } from './node-files.ts';
import { nodeSignals } from './node-signals.ts';

/** This machine. The prompts and the SSH client are loaded when they are first used. */
export function nodeWorld(): World {
  const { interrupt, take } = nodeSignals();
  const prompt = async () => {
    const { inquirerPrompt } = await import('../prompt/inquirer.ts');
    return inquirerPrompt({ stdin: process.stdin, stderr: process.stderr, interrupt });
  };
  return {
    env: process.env,
    home: process.getBuiltinModule('node:os').homedir(),
    get hostname() {
      return process.getBuiltinModule('node:os').hostname();
    },
    platform: process.platform,
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    clock: {
      now: () => instant(Date.now()),
      sleep,
    },
    files: nodeFiles,
    http: nodeHttp,
    browser: {
      open: async (url) => (await import('../oauth/node-browser.ts')).nodeBrowser.open(url),
      listen: async (accepts) =>
        (await import('../oauth/node-browser.ts')).nodeBrowser.listen(accepts),
    },
    keychain: {
      get: async (...args) => (await import('./node-keychain.ts')).nodeKeychain.get(...args),
      set: async (...args) => (await import('./node-keychain.ts')).nodeKeychain.set(...args),
      remove: async (...args) => (await import('./node-keychain.ts')).nodeKeychain.remove(...args),
    },
    prompt: {
      text: async (question) => (await prompt()).text(question),
      confirm: async (message) => (await prompt()).confirm(message),
    },
    ssh: {
      prepare: () => void import('../ssh/run.ts'),
      run: async (...args) => (await import('../ssh/run.ts')).runSsh(...args),
      scan: async (...args) => (await import('../ssh/scan.ts')).scanHostKey(...args),
    },
    interrupt,
    takeSignals: take,
  };
}

const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
