import { expect } from 'vitest';
import { newEngineer } from '../world/engineer.ts';
import { grant, HOST } from '../world/grant.ts';
import type { Person } from '../world/people.ts';
import type { Ran, Running } from '../world/run.ts';
import type { World } from '../world/world.ts';

export const SSH: readonly string[] = ['ssh', HOST, '--account', 'pamadmin1'];
/** Long enough for a machine that is busy; what it took is printed. */
const CUT_WITHIN_MS = 40_000;

export interface Live {
  readonly person: Person;
  readonly request: string;
  readonly live: Running;
}

/** A session of `sft ssh` that would last, and whose command runs on the target now. */
export async function liveSession(person: Person, ssh = SSH): Promise<Running> {
  const live = person.start('sft', [...ssh, '--', 'echo up; exec sleep 600']);
  await live.until('up\n');
  return live;
}

/** A new engineer with an approval, and connected. */
export async function connected(world: World, login: string, group?: string): Promise<Live> {
  const person = await newEngineer(world, login, group);
  const request = await grant(world.service, person, world.people.dana, 'pamadmin1');
  return { person, request, live: await liveSession(person) };
}

/** Does it, and holds that the live session ends: with 255, one line that says why, and soon. */
export async function cuts(live: Running, why: RegExp, act: () => Promise<unknown>): Promise<void> {
  expect(live.child.exitCode, 'it has ended before').toBeNull();
  await act();
  const since = performance.now();
  const ended = await Promise.race([
    live.ended,
    new Promise<undefined>((done) => setTimeout(done, CUT_WITHIN_MS, undefined)),
  ]);
  expect(ended, 'the session goes on').toBeDefined();
  const lines = (ended?.stderr ?? '').split('\n').filter((line) => line.startsWith('sft: '));
  console.log(`cut ${Math.round(performance.now() - since)} ms later: ${lines.join(' / ')}`);
  expect(ended).toMatchObject({ code: 255, stdout: 'up\n' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(why);
}

/** It ends by itself, with 255 and a line. */
export async function endsSoon(live: Running, act: () => unknown): Promise<Ran> {
  const since = performance.now();
  await act();
  const ended = await live.ended;
  console.log(`ended ${Math.round(performance.now() - since)} ms later: ${ended.stderr.trim()}`);
  expect(ended.code).toBe(255);
  expect(ended.stderr).toMatch(/^sft: .+/m);
  return ended;
}

export const again = (person: Person) => person.sft(...SSH, '--reason', 'again', '--', 'id');

/** The access is asked for anew: nobody gets in on what was. */
export async function needsApproval(person: Person): Promise<void> {
  const refused = await again(person);
  expect(refused).toMatchObject({ code: 75, stdout: '' });
  expect(refused.stderr).toMatch(/^Request [0-9a-f-]{36} raised\./);
}

export async function hasNoAccess(person: Person): Promise<void> {
  const refused = await again(person);
  expect(refused).toMatchObject({ code: 77, stdout: '' });
  expect(refused.stderr).toMatch(/^sft: .*\n.+\n$/);
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((done) => setTimeout(done, 250));
  }
}
