// `npm run build`: bundles sft and sft-admin into packages/cli/dist. bin/sft then starts
// the bundle, which is as quick as Node itself; run it again after a change of the source.
import { join, resolve } from 'node:path';
import { bundleClient } from './bundle.ts';

const root = resolve(import.meta.dirname, '..');
const built = await bundleClient(root, join(root, 'packages/cli/dist'));
if (built.length === 0) console.log('There is no program to build in packages/cli/src.');
else console.log(`Built ${built.join(' and ')} into packages/cli/dist.`);
