import { basename, extname, resolve } from 'node:path';
import type { GatewayProgram } from './platform/gateway-child.ts';

const PACKAGES = resolve(import.meta.dirname, '../..');
// This file is packages/server/src/*.ts, or in packages/server/dist/*.mjs: so are the gateway's.
const [folder, extension] = [basename(import.meta.dirname), extname(import.meta.filename)];

/** The gateway is a package and a process of its own; this only finds it. */
export const GATEWAY_PROGRAM: GatewayProgram = {
  main: resolve(PACKAGES, 'gateway', folder, `main${extension}`),
  readable: ['gateway', 'shared', '../node_modules', '../package.json'].map((path) =>
    resolve(PACKAGES, path),
  ),
};
