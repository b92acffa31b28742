import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@postern/shared';
import { afterAll, describe, it } from 'vitest';
import { checkAnswers, checkLossesAreSeen } from './crash/check-answers.ts';
import { checkRows } from './crash/check-rows.ts';
import { type Plan, walk } from './crash/engineer.ts';
import { Journal } from './crash/journal.ts';
import { Killer } from './crash/killer.ts';
import { type Random, randomFrom } from './crash/random.ts';
import { call, type Site } from './crash/site.ts';
import { giveDatabase } from './world/first-data.ts';
import { type People, type Person, personAt, setUpPeople } from './world/people.ts';
import { type PostgresServer, startPostgres } from './world/postgres.ts';
import { type Service, startService, temporary } from './world/service.ts';
import { startSmallTarget } from './world/small-target.ts';

/** On each database; POSTERN_CRASH_LOOPS=100 goes deeper. About one kill a loop, at most. */
const LOOPS = Number(process.env.POSTERN_CRASH_LOOPS ?? 5);
const AT_ONCE = 3;
const SEED = Number(process.env.POSTERN_CRASH_SEED ?? Date.now() % 2 ** 31);

const planOf = (random: Random): Plan => ({
  decide: random.pick([
    'approve',
    'approve',
    'deny',
    'approve twice at once',
    'approve against deny',
  ]),
  end: random.pick(['keep', 'drop', 'revoke']),
});

/** So that each kind of thing is there to be checked. */
const FIRST: Plan = { decide: 'approve', end: 'drop' };

describe('kill -9 of service and gateway at random instants', () => {
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    for (const act of ends.splice(0).reverse()) await act();
  });

  it(
    'PGlite: what was acknowledged is there, nothing is granted twice',
    () => crash('pglite'),
    1e6,
  );
  it('PostgreSQL: the same', () => crash('postgres'), 1e6);

  async function crash(kind: 'pglite' | 'postgres'): Promise<void> {
    const directory = temporary(tmpdir(), 'crash');
    ends.push(() => rmSync(directory, { recursive: true, force: true }));
    const target = await startSmallTarget();
    ends.push(() => target.stop());
    const databaseUrl = kind === 'postgres' ? await (await postgres()).createDatabase('crash') : '';
    const database = kind === 'postgres' ? { directory, databaseUrl } : { directory };
    if (kind === 'pglite') await giveDatabase(join(directory, 'data'));
    const first = await startService(database);
    const witness = join(directory, 'witness');
    writeFileSync(witness, '');
    const people = await setUpPeople(first, target, directory);
    const engineers = await hire(first, people, directory);

    const random = randomFrom(SEED);
    const journal = new Journal();
    const killer = new Killer(first, {
      kills: LOOPS,
      random,
      check: () => checkAnswers(site),
    });
    ends.push(() => killer.service().stop());
    const site: Site = {
      service: () => killer.service(),
      up: () => killer.up(),
      beat: () => killer.beat(),
      people,
      journal,
      witness,
    };
    try {
      await everybodyWalks(site, engineers, random);
      await killer.done();
      await checkAnswers(site);
      await checkLossesAreSeen(site);
      await killer.service().stop();
      await checkRows(database, journal, witness);
    } catch (error) {
      const repeat = `POSTERN_CRASH_SEED=${SEED} POSTERN_CRASH_LOOPS=${LOOPS}`;
      throw new Error(`${kind}, ${repeat}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    } finally {
      console.log(
        `${kind}: seed ${SEED}, ${LOOPS} loops, service killed ${killer.killed.service} times and ` +
          `gateway ${killer.killed.gateway}; acknowledged: ${journal.requests.size} requests, ` +
          `${journal.opened.size} sessions opened, ${journal.ran.size} used, ` +
          `${journal.events.size} events read`,
      );
    }
  }

  async function postgres(): Promise<PostgresServer> {
    const server = await startPostgres();
    ends.push(() => server.stop());
    return server;
  }
});

/** An engineer for each loop: after a denial one has to wait before he may ask again. */
async function hire(service: Service, people: People, directory: string): Promise<Person[]> {
  const logins = Array.from({ length: LOOPS }, (_, i) => `engineer-${i + 1}`);
  const quiet = { service: () => service, up: async () => undefined, beat: () => undefined };
  const site = { ...quiet, people, journal: new Journal(), witness: '' };
  const groups = ['everyone', 'linux-users'];
  const documents = logins.map((login) => ({
    kind: 'User',
    login,
    name: `Test ${login}`,
    manager: 'dana',
    groups,
  }));
  await call(site, people.pat, 'POST', '/apply', { body: { documents } });
  const engineers: Person[] = [];
  for (const login of logins) {
    const body = { login, name: 'crash', expires_in_seconds: 86_400 };
    const { body: made } = await call<{ token: string }>(site, people.pat, 'POST', '/tokens', {
      body,
    });
    engineers.push(personAt(service, directory, login, made.token));
  }
  return engineers;
}

/** Some at once, until each has had his turn; meanwhile somebody reads the log. */
async function everybodyWalks(
  site: Site,
  engineers: readonly Person[],
  random: Random,
): Promise<void> {
  const waiting = engineers.map((engineer, i) => ({
    engineer,
    plan: i === 0 ? FIRST : planOf(random),
  }));
  let working = AT_ONCE;
  let failed = false;
  const worker = async (): Promise<void> => {
    try {
      for (let next = waiting.shift(); next && !failed; next = waiting.shift())
        await walk(site, next.engineer, next.plan);
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      working--;
    }
  };
  const reader = async (): Promise<void> => {
    while (working > 0) {
      const page = await call<{ list: AuditEvent[] }>(
        site,
        site.people.uma,
        'GET',
        '/audit/events?limit=100',
      );
      for (const { id } of page.body.list) site.journal.events.add(id);
      await new Promise((done) => setTimeout(done, 150));
    }
  };
  await Promise.all([...Array.from({ length: AT_ONCE }, worker), reader()]);
}
