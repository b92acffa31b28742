import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, World } from '../directory/world.ts';
import { onBoth } from '../kit/index.ts';

onBoth('the log', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
  });
  afterAll(() => world.app.close());

  const list = async (query: Record<string, string> = {}) =>
    must(await world.call('audrey', 'listAuditEvents', { limit: '500', ...query })).list;

  test.each(['ana', 'ben', 'sam', 'dana', null])(
    'deny: %s, who is no auditor, reads it',
    async (by) => {
      expect((await world.call(by, 'listAuditEvents')).status).toBe(by === null ? 401 : 403);
    },
  );

  test('is newest first, and whole', async () => {
    const ids = (await list()).map((event: { id: string }) => event.id);
    const { length } = await world.events();
    expect(ids).toHaveLength(length);
    expect(ids).toEqual(ids.toSorted().reverse());
  });

  test('an event says who, what, when and how; it has no number until it is counted', async () => {
    const { id } = await world.user('ben');
    must(await world.call('dana', 'updateUser', { id }, { name: 'Benjamin Okoro' }));
    const [event] = await list();
    expect(event).toMatchObject({
      seq: null,
      type: 'pam.user.update',
      actor: { type: 'user', id: (await world.user('dana')).id, name: 'Dana Reyes' },
      targets: [{ type: 'user', id, name: 'Ben Okoro' }],
      outcome: { result: 'success', reason: null },
      client_address: '127.0.0.1',
      details: { changes: ['name: Ben Okoro → Benjamin Okoro'] },
    });
    expect(Date.parse(event.at)).toBe(kit.clock.now());
  });

  test('is found by type, and by the id or the name of what it is about', async () => {
    const { id } = await world.user('ben');
    const types = async (query: Record<string, string>) => [
      ...new Set((await list(query)).map((event: { type: string }) => event.type)),
    ];
    expect(await types({ type: 'pam.user.update' })).toEqual(['pam.user.update']);
    const ofBen = ['pam.user.update', 'group.user_membership.add', 'pam.user.create'];
    expect(await types({ target: id })).toEqual(ofBen);
    expect(await types({ target: 'Ben Okoro' })).toEqual(ofBen);
    expect(await types({ target: id, type: 'pam.user.create' })).toEqual(['pam.user.create']);
    expect(await list({ request_id: kit.ids.uuid() })).toEqual([]);
    expect(await list({ session_id: kit.ids.uuid() })).toEqual([]);
  });

  test('text that no event can hold finds nothing, and breaks nothing', async () => {
    for (const text of ['\u0000', "'; drop table users; --", '"}]', '%', '\u202e'])
      for (const query of [{ target: text }, { type: text }]) expect(await list(query)).toEqual([]);
    expect((await world.call('audrey', 'listAuditEvents', { request_id: 'x' })).status).toBe(400);
    expect((await world.call('audrey', 'listAuditEvents', { actor: 'x' })).status).toBe(400);
  });

  test('pages follow the cursor through all of it, though more is written meanwhile', async () => {
    const all = (await list()).map((event: { id: string }) => event.id);
    const seen: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query: Record<string, string> = cursor === '' ? {} : { cursor };
      const page = await world.call('audrey', 'listAuditEvents', { limit: '4', ...query });
      seen.push(...must(page).list.map((event: { id: string }) => event.id));
      cursor = /cursor=([\w-]+)/.exec(String(page.headers.link))?.[1];
      must(await world.call('ana', 'createToken', {}, { name: 'x', expires_in_seconds: 60 }));
    }
    expect(seen).toEqual(all);
    expect((await world.call('audrey', 'listAuditEvents', { cursor: 'zzzz' })).status).toBe(400);
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
