import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveDatabase } from './first-data.ts';
import { type People, setUpPeople } from './people.ts';
import { type Service, type ServiceOptions, startService, temporary } from './service.ts';
import { startSmallTarget } from './small-target.ts';
import { startSshd, whyNoSshd } from './sshd-target.ts';
import type { Target } from './target.ts';

export interface World {
  service: Service;
  readonly target: Target;
  readonly people: People;
  readonly directory: string;
  /** The target is the machine's own sshd: commands run as the account. */
  readonly sshd: boolean;
  /** Stops what was started and removes what was made. */
  end(): Promise<void>;
}

/** The demo world for one test file, on a real sshd where there can be one. */
export async function openWorld(
  options: Omit<ServiceOptions, 'directory'> & { readonly sshd?: boolean } = {},
): Promise<World> {
  const sshd = options.sshd !== false && whyNoSshd() === undefined;
  const directory = temporary(tmpdir(), 'e2e');
  const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const act of ends.splice(0).reverse()) await act();
  };
  let world: World | undefined;
  try {
    if (options.databaseUrl === undefined) await giveDatabase(join(directory, 'data'));
    const [target, started] = await Promise.allSettled([
      sshd ? startSshdWhenFree() : startSmallTarget(),
      startService({ directory, ...options }),
    ]);
    if (target.status === 'fulfilled') ends.push(() => target.value.stop());
    if (started.status === 'fulfilled') ends.push(() => (world?.service ?? started.value).stop());
    if (target.status === 'rejected') throw target.reason;
    if (started.status === 'rejected') throw started.reason;
    world = {
      service: started.value,
      target: target.value,
      directory,
      sshd,
      people: await setUpPeople(started.value, target.value, directory),
      end,
    };
    return world;
  } catch (error) {
    await end();
    throw error;
  }
}

/** Another run on this machine may hold the accounts for a while. */
async function startSshdWhenFree(): Promise<Target> {
  const end = Date.now() + 120_000;
  for (;;) {
    try {
      return await startSshd();
    } catch (error) {
      if (!/exists already/.test(String(error)) || Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
