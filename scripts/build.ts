// `npm run build`: bundles sft and sft-admin into packages/cli/dist, and posternd into
// packages/{server,gateway}/dist. The programs in bin/ start the bundles, which takes a third
// of the time, as long as nothing has been committed or pulled since.
import { resolve } from 'node:path';
import { bundleAll } from './bundle.ts';

const root = resolve(import.meta.dirname, '..');
const built = await bundleAll(root);
console.log(`Built ${built.join(', ')}.`);
