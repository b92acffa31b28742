import { afterEach, beforeEach, expect } from 'vitest';
import type { Program } from '../../src/command.ts';
import { run } from '../../src/run.ts';
import { sft } from '../../src/sft.ts';
import { sftAdmin } from '../../src/sft-admin.ts';
import { FakeService, TEAM, TOKEN } from './service.ts';
import { type FakeWorld, type FakeWorldOptions, fakeWorld } from './world.ts';

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly world: FakeWorld;
}

/** A command as a person types it, in a world of its own. Words are split at spaces. */
export type Run = (words: string | readonly string[], options?: FakeWorldOptions) => Promise<Ran>;

export interface Script {
  readonly service: () => FakeService;
  /** Logged in at the fake service through the environment. */
  readonly sft: Run;
  readonly admin: Run;
}

/** A fake service for each test; after it, no request may have broken the contract. */
export function script(): Script {
  let service: FakeService;
  beforeEach(async () => {
    service = await new FakeService().start();
  });
  afterEach(async () => {
    await service.stop();
    expect(service.breaches).toEqual([]);
  });
  const runner =
    (program: Program): Run =>
    async (words, options = {}) => {
      const env = { SFT_URL: service.url, SFT_TEAM: TEAM, SFT_TOKEN: TOKEN, ...options.env };
      return await runIn(program, words, { ...options, env });
    };
  return { service: () => service, sft: runner(sft), admin: runner(sftAdmin) };
}

export async function runIn(
  program: Program,
  words: string | readonly string[],
  options: FakeWorldOptions,
): Promise<Ran> {
  const world = fakeWorld(options);
  options.onWorld?.(world);
  const argv = typeof words === 'string' ? words.split(' ').filter((w) => w !== '') : words;
  const exit = await run(program, argv, world);
  const [out, err] = [world.out(), world.err()];
  for (const text of [out, err]) expect(text).not.toContain(TOKEN);
  return { exit, out, err, world };
}
