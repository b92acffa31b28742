import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Login } from '../../e2e/world/people.ts';
import { ROOT, type RunOptions } from '../../e2e/world/run.ts';
import type { DemoWorld } from './world.ts';

type Admin = (who: Login, args: readonly string[], options: RunOptions) => Promise<unknown>;

/**
 * Adds what stands in examples/groups to the demo world: servers of low, medium and high risk.
 *
 * @param zone in which the dates of the request type end
 */
export async function addRiskTiers(world: DemoWorld, zone: string, admin: Admin): Promise<void> {
  const files = join(world.directory, 'groups');
  cpSync(join(ROOT, 'examples/groups'), files, { recursive: true });
  rewrite(
    join(files, '2-inventory.yaml'),
    'access_port: 2222',
    `access_port: ${world.target.port}`,
  );
  rewrite(join(files, '3-request-types.yaml'), 'zone: Europe/Berlin', `zone: ${zone}`);
  const env = Object.fromEntries(
    Object.entries(world.target.passwords).map(([account, password]) => [
      `DEMO_${account.toUpperCase()}_PASSWORD`,
      password,
    ]),
  );
  await admin('pat', ['apply', '-f', join(files, '1-directory.yaml')], {});
  for (const file of ['2-inventory.yaml', '3-request-types.yaml', '4-policies.yaml'])
    await admin('sam', ['apply', '-f', join(files, file)], { env });
  for (const host of ['demo-low', 'demo-medium', 'demo-high'])
    await admin('sam', ['servers', 'trust', host, '--yes'], {});
}

function rewrite(file: string, before: string, after: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(before)) throw new Error(`${file} does not say ${before}`);
  writeFileSync(file, text.replaceAll(before, after));
}
