import { VERSION } from './version.ts';

// Nothing else is loaded for the version, not even a stream: it must be as quick as Node
// itself.
const [first, ...more] = process.argv.slice(2);
if ((first === '--version' || first === '-v') && more.length === 0) {
  process.getBuiltinModule('node:fs').writeSync(1, `sft-admin ${VERSION}\n`);
} else {
  const [{ start }, { sftAdmin }] = await Promise.all([
    import('./start.ts'),
    import('./sft-admin.ts'),
  ]);
  await start(sftAdmin);
}
