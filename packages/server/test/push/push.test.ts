import { readFileSync } from 'node:fs';
import { type AccessRequest, type CatalogEntry, type Push, plus, seconds } from '@postern/shared';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createPusher, type Pusher } from '../../src/push/jobs.ts';
import { apply, codeOf, decide, makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { type FakeTarget, startTarget } from './target.ts';

const LINUX = 'PAM Linux Sysadmins';
const documents = (file: string): Record<string, unknown>[] =>
  parseAllDocuments(
    readFileSync(new URL(`../../../../examples/groups/${file}`, import.meta.url), 'utf8'),
  ).map((document) => document.toJS());

onBoth('group push', (kit) => {
  const demo = withDemo(kit);
  let target: FakeTarget;
  let pusher: Pusher;
  let targetId: string;
  let remoteGroup: string;
  let login: string;
  let remoteUser: string;
  let n = 0;
  beforeAll(async () => {
    await apply(demo, 'pat', documents('1-directory.yaml'));
    await apply(demo, 'sam', documents('3-request-types.yaml'));
    target = await startTarget();
    remoteGroup = target.addGroup(LINUX);
    const body = { name: 'crm', url: target.url, token: target.token, groups: [LINUX] };
    targetId = String(must(await call('pat', 'POST', '/push_targets', body)).id);
    pusher = makePusher();
  });
  afterAll(async () => {
    await pusher?.stop();
    await target?.stop();
  });
  beforeEach(async () => {
    login = `joiner-${n++}`;
    await makeUser(demo, login, { groups: ['everyone'] });
    remoteUser = target.addUser(login);
    target.asked.length = 0;
    target.next = [];
    // The clock moves by a day here; no token lives that long.
    const expires_at = plus(kit.clock.now(), seconds(400 * 86_400));
    await kit.db.sql.updateTable('tokens').set({ expires_at }).execute();
    kit.clock.advance(1);
  });

  const call = (
    who: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ) => demo.service.call(demo.tokens[who], method, path, body);
  const makePusher = (private_hosts = ['127.0.0.1']): Pusher =>
    createPusher({
      transact: kit.transact,
      keyring: demo.service.keyring,
      settings: { private_hosts },
      counted: () => {},
      log: { info: (facts, line) => void demo.service.lines.push(JSON.stringify([facts, line])) },
      onError: (error) => void demo.service.faults.push(error),
    });
  const join = async (): Promise<AccessRequest> => {
    const { list } = must(await call(login, 'GET', '/catalog')) as { list: CatalogEntry[] };
    const type = list.find(({ request_type }) => request_type.name === 'PAM sysadmins')!;
    const until = new Date(kit.clock.now() + 5 * 86_400_000).toISOString().slice(0, 10);
    const asked = must(
      await call(login, 'POST', '/access_requests', {
        request_type_id: type.request_type.id,
        target: { type: 'group_membership' },
        answers: { justification: 'patch day', team: LINUX, until },
      }),
    ) as AccessRequest;
    return must(await decide(demo.service, demo.tokens.dana, asked)) as AccessRequest;
  };
  const leave = async (request: AccessRequest) =>
    must(await call(login, 'POST', `/access_requests/${request.id}/drop`));
  const pushOf = async (): Promise<Push> =>
    (must(await call('pat', 'GET', '/pushes')).list as Push[]).find(
      (push) => push.user.id === demo.ids.users[login] || push.user.name.includes(login),
    )!;
  const isThere = (): boolean => target.members.get(remoteGroup)!.has(remoteUser);
  const eventsOf = async (request: AccessRequest) =>
    (
      await kit.db.sql
        .selectFrom('audit_events')
        .select(['type', 'outcome'])
        .where('request_id', '=', request.id)
        .where('type', 'like', '%membership%')
        .orderBy('id')
        .execute()
    ).map(({ type, outcome }) => `${type} ${(outcome as { result: string }).result}`);

  it('joining and leaving by request is told, and in the log with the request', async () => {
    const request = await join();
    expect(kit.enqueued.map(({ name }) => name)).toContain('membership.push');
    expect((await pushOf()).state).toBe('waiting');
    await pusher.send();
    expect(isThere()).toBe(true);
    expect(await pushOf()).toMatchObject({
      state: 'done',
      told: 'add',
      request_id: request.id,
      target: { id: targetId, name: 'crm' },
    });
    await leave(request);
    await pusher.send();
    expect(isThere()).toBe(false);
    expect(await eventsOf(request)).toEqual([
      'group.user_membership.add success',
      'application.provision.group_membership.add success',
      'group.user_membership.remove success',
      'application.provision.group_membership.remove success',
    ]);
  });

  it('group and user are found by name once, and remembered', async () => {
    await pusher.send();
    const request = await join();
    await pusher.send();
    expect(target.asked.filter((line) => line.startsWith('GET /scim/v2/Users'))).toEqual([
      `GET /scim/v2/Users?filter=userName+eq+"${login}"`,
    ]);
    target.asked.length = 0;
    await leave(request);
    await pusher.send();
    expect(target.asked).toEqual([`PATCH /scim/v2/Groups/${remoteGroup}`]);
  });

  it('two changes end in what is true, whichever job comes first, and how often', async () => {
    const request = await join();
    await leave(request);
    await Promise.all([pusher.send(), pusher.send(), makePusher().send()]);
    expect([isThere(), (await pushOf()).told]).toEqual([false, 'remove']);
    await join();
    await pusher.send();
    await pusher.send();
    expect([isThere(), (await pushOf()).told]).toEqual([true, 'add']);
  });

  it('a change while it is being sent is sent after it', async () => {
    let release = (): void => {};
    const request = await join();
    target.next = [{ wait: new Promise<void>((go) => (release = go)) }];
    const sending = pusher.send();
    while (target.asked.length === 0) await new Promise((later) => setTimeout(later, 5));
    await leave(request);
    // Nobody else sends meanwhile: the target would hear them in any order.
    await makePusher().send();
    expect(target.asked).toHaveLength(1);
    release();
    await sending;
    await pusher.send();
    expect([isThere(), (await pushOf()).state, (await pushOf()).told]).toEqual([
      false,
      'done',
      'remove',
    ]);
  });

  it('a standing membership stays there when the one by request ends', async () => {
    const request = await join();
    const groups = must(await call('pat', 'GET', '/groups')).list as { name: string; id: string }[];
    const { id } = groups.find(({ name }) => name === LINUX)!;
    const { user } = must(await call(login, 'GET', '/whoami')) as { user: { id: string } };
    must(await call('pat', 'PUT', `/groups/${id}/users/${user.id}`));
    await leave(request);
    await pusher.send();
    expect([isThere(), (await pushOf()).told]).toEqual([true, 'add']);
  });

  describe('when it fails', () => {
    it('it is tried again with longer and longer pauses, and its state says why', async () => {
      await join();
      target.next = [{ status: 503 }];
      await pusher.send();
      expect(await pushOf()).toMatchObject({
        state: 'waiting',
        attempts: 1,
        last_error: 'the target answered 503',
      });
      await pusher.send();
      expect((await pushOf()).attempts).toBe(1);
      kit.clock.advance(10);
      target.next = [{ status: 429 }];
      await pusher.send();
      expect((await pushOf()).attempts).toBe(2);
      kit.clock.advance(20);
      await pusher.send();
      expect([isThere(), (await pushOf()).state]).toEqual([true, 'done']);
    });

    it('what will not be better is dead at once, in the log, and retried by hand', async () => {
      const request = await join();
      target.next = [{ status: 400 }];
      await pusher.send();
      const dead = await pushOf();
      expect([dead.state, dead.last_error]).toEqual(['dead', 'the target answered 400']);
      expect((await eventsOf(request)).at(-1)).toBe(
        'application.provision.group_membership.add failure',
      );
      expect(must(await call('pat', 'POST', `/pushes/${dead.id}/retry`)).state).toBe('waiting');
      await pusher.send();
      expect([isThere(), (await pushOf()).state]).toEqual([true, 'done']);
    });

    it('after a day it is dead', async () => {
      await join();
      kit.clock.advance(86_401);
      await demo.gateway.renew().catch(() => {});
      target.next = [{ status: 500 }];
      await pusher.send();
      expect((await pushOf()).state).toBe('dead');
    });

    it('an id that leads nowhere is looked for again', async () => {
      await kit.db.sql.updateTable('push_target_groups').set({ remote_id: 'gone' }).execute();
      await join();
      await pusher.send();
      expect((await pushOf()).state).toBe('waiting');
      kit.clock.advance(10);
      await pusher.send();
      expect([isThere(), (await pushOf()).state]).toEqual([true, 'done']);
    });

    it('a user whom the target does not know is said so; a redirect is not followed', async () => {
      await kit.db.sql.deleteFrom('push_target_users').execute();
      const known = login;
      login = `unknown-${n++}`;
      await makeUser(demo, login, { groups: ['everyone'] });
      kit.clock.advance(1);
      await join();
      await pusher.send();
      expect((await pushOf()).last_error).toBe(`the target has no user ${login}`);
      kit.clock.advance(10);
      target.next = [{ status: 302, location: 'http://127.0.0.1:1/' }];
      await pusher.send();
      expect((await pushOf()).last_error).toBe(
        'the target answered 302; a redirect is not followed',
      );
      login = known;
    });
  });

  describe('the target', () => {
    it('deny: a URL that is not https, has a user or a query, or is none', async () => {
      for (const url of [
        'http://scim.example.com',
        'ftp://127.0.0.1',
        'https://a:b@scim.example.com',
        'https://scim.example.com/?x=1',
        'https://scim.example.com/#x',
        'x',
      ]) {
        const body = { name: `bad-${n++}`, url, token: 'x' };
        expect([url, codeOf(await call('pat', 'POST', '/push_targets', body))]).toEqual([
          url,
          'invalid_request',
        ]);
      }
    });

    it('deny: a private address that the settings do not allow, by name or number', async () => {
      await join();
      const strict = makePusher([]);
      await kit.db.sql
        .updateTable('pushes')
        .set({ next_at: kit.clock.now() })
        .where('state', '=', 'waiting')
        .execute();
      await strict.send();
      expect(target.asked).toEqual([]);
      expect((await pushOf()).last_error).toContain('not https');
    });

    it('its token is in no row, answer, event or line of the log', async () => {
      const rows = await kit.db.sql.selectFrom('push_targets').selectAll().execute();
      const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
      const list =
        (await call('pat', 'GET', '/push_targets')).body +
        (await call('pat', 'GET', '/pushes')).body;
      const all = JSON.stringify([rows, events]) + list + demo.service.lines.join('');
      expect(all).not.toContain(target.token);
    });

    it('deny: a row whose URL was changed gets no token', async () => {
      const other = await startTarget();
      await kit.db.sql
        .updateTable('push_targets')
        .set({ url: other.url })
        .where('id', '=', targetId)
        .execute();
      await join();
      await pusher.send();
      expect(other.asked).toEqual([]);
      expect(await pushOf()).toMatchObject({
        state: 'dead',
        last_error: 'the token of the target does not open',
      });
      await kit.db.sql
        .updateTable('push_targets')
        .set({ url: target.url })
        .where('id', '=', targetId)
        .execute();
      await other.stop();
    });

    it('told of another group it hears who is in it; removed, nothing any more', async () => {
      const id = String(
        must(
          await call('pat', 'POST', '/push_targets', {
            name: 'late',
            url: target.url,
            token: target.token,
          }),
        ).id,
      );
      await join();
      await pusher.send();
      target.asked.length = 0;
      must(await call('pat', 'PUT', `/push_targets/${id}/groups`, { groups: [LINUX] }));
      await pusher.send();
      expect(target.asked.some((line) => line.startsWith('PATCH'))).toBe(true);
      must(await call('pat', 'DELETE', `/push_targets/${id}`));
      must(await call('pat', 'DELETE', `/push_targets/${targetId}`));
      target.asked.length = 0;
      login = `last-${n++}`;
      await makeUser(demo, login, { groups: ['everyone'] });
      kit.clock.advance(1);
      await join();
      await pusher.send();
      expect(target.asked).toEqual([]);
    });
  });
});
