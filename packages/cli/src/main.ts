import { VERSION } from './version.ts';

// Nothing else is loaded for the version: it must be as quick as Node itself.
const [first, ...more] = process.argv.slice(2);
if ((first === '--version' || first === '-v') && more.length === 0) {
  process.stdout.write(`sft ${VERSION}\n`);
} else {
  const [{ start }, { sft }] = await Promise.all([import('./start.ts'), import('./sft.ts')]);
  await start(sft);
}
