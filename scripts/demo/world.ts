import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type People, setUpPeople } from '../../e2e/world/people.ts';
import { ROOT } from '../../e2e/world/run.ts';
import { type Service, startService, temporary } from '../../e2e/world/service.ts';
import { startSmallTarget } from '../../e2e/world/small-target.ts';
import { startSshd, whyNoSshd } from '../../e2e/world/sshd-target.ts';
import type { Target } from '../../e2e/world/target.ts';
import { bundleAll } from '../bundle.ts';
import { during, remark, show } from './screen.ts';

export interface DemoWorld {
  readonly service: Service;
  readonly target: Target;
  readonly people: People;
  readonly directory: string;
  /** The service was started again: this one is stopped in the end. */
  replace(service: Service): void;
  /** Stops what was started and removes what was made. */
  end(): Promise<void>;
}

/** The whole demo world on this machine's loopback, below one temporary directory. */
export async function startWorld(options: { sshd: boolean; verbose: boolean }): Promise<DemoWorld> {
  const why = options.sshd ? whyNoSshd() : undefined;
  if (why !== undefined) {
    process.stderr.write(`demo: ${why}\n`);
    process.exit(78);
  }
  const directory = temporary(tmpdir(), 'demo');
  const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const act of ends.splice(0).reverse()) await act();
  };
  const interrupted = (): void => {
    void end().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await bundleAll(ROOT);
    const target = await during(
      'Starting the server to connect to',
      options.sshd ? startSshd() : startSmallTarget(),
    );
    ends.push(() => target.stop());
    const service = await during(
      'Starting the service on an embedded database (the first start takes a few seconds)',
      startService({
        directory,
        demo: true,
        publicHost: '127.0.0.1',
        // What the walks connect stands on this machine.
        env: {
          POSTERN_SCIM_PRIVATE_HOSTS: '127.0.0.1',
          POSTERN_WORKLOAD_PRIVATE_HOSTS: '127.0.0.1',
        },
      }),
    );
    let running = service;
    ends.push(() => running.stop());
    remark(
      `Service ${service.url}, gateway 127.0.0.1:${service.gatewayPort}, data in ${directory}`,
    );
    remark(`Target 127.0.0.1:${target.port}: ${target.description}`);
    const people = await during(
      'Setting up the demo world',
      setUpPeople(service, target, directory, options.verbose ? show : undefined),
    );
    const replace = (next: Service): void => {
      running = next;
    };
    return { service, target, people, directory, replace, end };
  } catch (error) {
    await end();
    throw error;
  }
}
