import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMigrations } from '../../src/platform/migrate.ts';
import { onBoth } from '../kit/index.ts';
import { must, World } from './world.ts';

onBoth('names that look alike', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
  });
  afterAll(() => world.app.close());

  const putGroup = (name: string) => world.apply('dana', [{ kind: 'Group', name }]);
  const putUser = (login: string) => world.apply('dana', [{ kind: 'User', login, name: 'X' }]);

  test.each([
    ['Linux Admins', 'LINUX ADMINS'],
    ['Billing', 'BiIIing'],
    ['Tier 10', 'Tier IO'],
    ['Modern', 'Modem'],
    ['Warnings', 'VVarnings'],
    ['Büro', 'Buro'],
    ['Ørsted', 'orsted'],
    ['Straße', 'strasse'],
    ['Œuvre', 'oeuvre'],
    ['R – D', 'R - D'],
    ['L’équipe', "l'equipe"],
  ])('deny: a group %s beside %s', async (name, other) => {
    must(await putGroup(name));
    const events = (await world.events()).length;
    const said = await putGroup(other);
    expect([said.status, said.faults]).toEqual([409, ['/documents/0/name lookalike']]);
    expect(said.body.detail).toContain(name);
    expect((await world.events()).length).toBe(events);
    expect(must(await putGroup(name)).changes[0].action).toBe('unchanged');
  });

  test.each(['Everyone', '0wners', 'OWNERS'])(
    'deny: a group %s beside the first ones',
    async (n) => {
      expect((await putGroup(n)).status).toBe(409);
    },
  );

  test.each([
    ['ollie', '0llie'],
    ['bill', 'bi11'],
    ['lorna', 'loma'],
    ['vvera', 'wera'],
  ])('deny: a login %s beside %s', async (login, other) => {
    must(await putUser(login));
    const said = await putUser(other);
    expect([said.status, said.faults]).toEqual([409, ['/documents/0/login lookalike']]);
    expect(said.body.detail).toContain(login);
  });

  test('deny: the login of a deleted user, however it is spelled', async () => {
    must(await putUser('gone0'));
    const { id } = await world.user('gone0');
    must(await world.call('dana', 'updateUser', { id }, { status: 'DELETED' }));
    expect((await putUser('goneo')).status).toBe(409);
  });

  test('logins that differ in a letter are two', async () => {
    must(await putUser('mila'));
    must(await putUser('mlla'));
  });

  test('a name keeps its case', async () => {
    must(await putGroup('PAM Windows Sysadmins'));
    const name = 'PAM Windows Sysadmins';
    expect(must(await world.call('dana', 'listGroups', { name })).list).toHaveLength(1);
  });

  test('twins that were there before: the older one keeps its name from a third', async () => {
    const { text } = readMigrations().find(({ name }) => name === '0008-directory.sql')!;
    const backfill = text.match(/update groups[^;]*;/)![0];
    await kit.db.session(async (session) => {
      await session.query('begin');
      await session.query('update groups set skeleton = null');
      await session.query('drop index groups_skeleton');
      await session.query(`alter table groups disable trigger groups_keep_skeleton`);
      for (const name of ['Twin-0', 'Twin-O'])
        await session.query(
          `insert into groups (id, name, created_at) values ('${kit.ids.uuid()}', '${name}', now())`,
        );
      await session.query(backfill);
      await session.query('create unique index groups_skeleton on groups (skeleton)');
      const rows = await session.query<{ name: string; skeleton: string | null }>(
        "select name, skeleton from groups where name like 'Twin%' order by id",
      );
      expect(rows).toEqual([
        { name: 'Twin-0', skeleton: 'twln-o' },
        { name: 'Twin-O', skeleton: null },
      ]);
      await session.query('rollback');
    });
  });
});
