import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const BINDING = 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node';

export type Addon =
  /** Works without it, at a tenth of the throughput. */
  | 'missing'
  | 'safe'
  /**
   * Compiled against Node 24.19 or later as it is: the process aborts, with every session,
   * when the garbage collector takes a closed connection's cipher.
   * https://github.com/nodejs/node/issues/65446
   */
  | 'aborts';

/** What kind of native addon ssh2 would load; reads the file, does not load it. */
export function inspectAddon(): Addon {
  try {
    const file = readFileSync(createRequire(import.meta.url).resolve(BINDING));
    return file.includes('RemoveEnvironmentCleanupHook') ? 'aborts' : 'safe';
  } catch {
    return 'missing';
  }
}
