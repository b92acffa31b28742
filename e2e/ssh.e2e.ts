import type { AccessRequest, Session } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessSuites } from './ssh/access.ts';
import { cutsSuite } from './ssh/cuts.ts';
import { goneSuite } from './ssh/gone.ts';
import { cuts, type Live, liveSession, needsApproval } from './ssh/live.ts';
import { passingSuite } from './ssh/passing.ts';
import { applyAs, newEngineer, policyFor, tokenFor } from './world/engineer.ts';
import { grant } from './world/grant.ts';
import { type Person, personAt } from './world/people.ts';
import { restOf } from './world/rest.ts';
import { openWorld, type World } from './world/world.ts';

let world: World;
const site = (): World => world;
/** A session whose approval lasts 60 s, the shortest there is: it runs beside the others. */
let expiring: Live & { readonly endsAt: number };
/** Of the shortest life there is, 60 s. */
let brief: Person;

beforeAll(async () => {
  world = await openWorld();
  await applyAs(world, 'pat', [{ kind: 'Group', name: 'short' }]);
  await applyAs(world, 'sam', [policyFor('short', { seconds: 60 })]);
  const token = await tokenFor(world, 'ellis', 60);
  brief = personAt(world.service, world.directory, 'brief', token);
  expect((await brief.sft('whoami')).code).toBe(0);
  const person = await newEngineer(world, 'short', 'short');
  const request = await grant(world.service, person, world.people.dana, 'pamadmin1');
  const rest = restOf(world.service, person.token);
  const { body } = await rest<AccessRequest>('GET', `/access_requests/${request}`);
  const endsAt = Date.parse(body.ends_at ?? '');
  expiring = { person, request, live: await liveSession(person), endsAt };
}, 300_000);
afterAll(() => world?.end(), 60_000);

cutsSuite(site);
accessSuites(site);
passingSuite(site);

describe('an end that time brings', () => {
  it('expiry: the session is cut at the end of its approval, and not before', async () => {
    const { person, live, endsAt } = expiring;
    if (live.child.exitCode === null)
      await cuts(live, /time|expired/, () => wait(endsAt - 300 - Date.now()));
    expect(await live.ended).toMatchObject({ code: 255, stdout: 'up\n' });
    const session = async () => {
      const mine = restOf(world.service, person.token);
      const found = await mine<{ list: Session[] }>('GET', '/sessions?view=mine');
      return found.body.list[0];
    };
    // The gateway tells the service when it has cut it.
    await expect.poll(async () => (await session())?.end_reason).toBe('expired');
    const late = Date.parse((await session())?.ended_at ?? '') - endsAt;
    console.log(`ended ${late} ms after its approval`);
    // Counted from when the gateway asked, so an answer's way earlier; never by much of its 60 s.
    expect(late).toBeGreaterThan(-20_000);
    await needsApproval(person);
  }, 120_000);

  it('expired token: 78, a line why, and a line what to do', async () => {
    const refused = await brief.sft('list-servers');
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).toMatch(/^sft: .+\n.*`sft login`.*\n$/);
  });
});

goneSuite(site);

const wait = (ms: number): Promise<void> =>
  new Promise((done) => setTimeout(done, Math.max(0, ms)));
