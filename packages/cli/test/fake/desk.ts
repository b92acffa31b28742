import { nodeBrowser } from '../../src/oauth/node-browser.ts';
import type { FakeService } from './service.ts';
import type { FakeFile, FakeWorldOptions } from './world.ts';

/** The clock of the service's proofs, which are about now. */
export const now = () => Math.floor(performance.timeOrigin + performance.now()) as never;

export type Desk = FakeWorldOptions & { readonly files: Map<string, FakeFile> };

/** A terminal with a browser beside it, in which `visit` says yes. */
export const deskAt = (
  service: () => FakeService,
  more: FakeWorldOptions = {},
  visit: (url: URL) => unknown = (url) => service().oauth.visit(url),
): Desk => ({
  isTerminal: true,
  env: { DISPLAY: ':0' },
  browser: { listen: nodeBrowser.listen, open: async (url) => void visit(url) },
  clock: { now, sleep: () => new Promise(() => undefined) },
  ...more,
  files: more.files ?? new Map<string, FakeFile>(),
});
