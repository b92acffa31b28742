import { createRequire } from 'node:module';

// A CommonJS package with a native addon: it stays outside of every bundle.
const requireFromHere = createRequire(import.meta.url);

export const { Client } = requireFromHere('ssh2') as typeof import('ssh2');
