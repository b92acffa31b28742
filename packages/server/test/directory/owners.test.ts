import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { must, World } from './world.ts';

onBoth('owners of a group', (kit) => {
  let world: World;
  let id = '';
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
    id = await world.group('linux-approvers');
  });
  beforeEach(async () => {
    must(await own('dana', []));
  });
  afterAll(() => world.app.close());

  const own = async (by: string, logins: readonly string[]) => {
    const owners = await Promise.all(logins.map(async (login) => (await world.user(login)).id));
    return world.call(by, 'setGroupOwners', { id }, { owners });
  };
  const namesOf = (answer: { owners: { name: string }[] }) => answer.owners.map((o) => o.name);

  test('exactly those that are named; who made them so is kept; one event', async () => {
    const events = await world.eventsOf(async () => {
      expect(namesOf(must(await own('dana', ['ana', 'ben'])))).toEqual(['Ana Lima', 'Ben Okoro']);
      expect(namesOf(must(await own('dana', ['ana', 'ben'])))).toEqual(['Ana Lima', 'Ben Okoro']);
    });
    expect(events).toEqual(['pam.group.update']);
    const rows = await kit.db.sql.selectFrom('group_owners').selectAll().execute();
    for (const row of rows) expect(row.made_by).toEqual([(await world.user('dana')).id]);
    expect((await world.events()).at(-1)?.details).toMatchObject({
      changes: ['owner added: ana', 'owner added: ben'],
    });
    expect(namesOf(must(await own('dana', ['ben'])))).toEqual(['Ben Okoro']);
  });

  test('whoever becomes one, or is none any more, has a new revision', async () => {
    const ana = (await world.user('ana')).id;
    const before = await world.revision(ana);
    must(await own('dana', ['ana']));
    expect(await world.revision(ana)).toBe(before + 1);
    must(await own('dana', []));
    expect(await world.revision(ana)).toBe(before + 2);
  });

  test.each(['ana', 'ben', 'sam', 'audrey'])('deny: %s makes himself an owner', async (by) => {
    expect((await own(by, [by])).status).toBe(403);
  });

  test('deny: an owner names others', async () => {
    must(await own('dana', ['ana']));
    expect((await own('ana', ['ana', 'ben'])).status).toBe(403);
  });

  test('deny: nobody, and somebody who was deleted', async () => {
    const owners = [kit.ids.uuid()];
    const unknown = await world.call('dana', 'setGroupOwners', { id }, { owners });
    expect([unknown.status, unknown.faults]).toEqual([400, ['/owners/0 unknown_user']]);
    must(await world.apply('dana', [{ kind: 'User', login: 'gone', name: 'Gone' }]));
    const gone = (await world.user('gone')).id;
    must(await world.call('dana', 'updateUser', { id: gone }, { status: 'DELETED' }));
    expect((await own('dana', ['gone'])).faults).toEqual(['/owners/0 unknown_user']);
    expect(await kit.db.sql.selectFrom('group_owners').selectAll().execute()).toEqual([]);
  });

  test('an owner sees his groups and who is in them, and no others', async () => {
    must(await own('dana', ['ana']));
    const groups = must(await world.call('ana', 'listGroups')).list;
    expect(groups.map((g: { name: string }) => g.name)).toEqual(['linux-approvers']);
    const members = must(await world.call('ana', 'listGroupMembers', { id })).list;
    expect(members.map((m: { user: { name: string } }) => m.user.name)).toEqual(['Ben Okoro']);
    const other = await world.call('ana', 'listGroupMembers', { id: await world.group('owners') });
    const none = await world.call('ana', 'listGroupMembers', { id: kit.ids.uuid() });
    expect([other.status, other.body.detail]).toEqual([404, none.body.detail]);
    must(await own('dana', []));
    expect(must(await world.call('ana', 'listGroups')).list).toEqual([]);
    expect((await world.call('ana', 'listGroupMembers', { id })).status).toBe(404);
  });
});
