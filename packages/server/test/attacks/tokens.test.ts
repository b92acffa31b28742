import { beforeAll, describe, expect, it } from 'vitest';
import { codeOf, type Demo, decide, makeUser, methodFor, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PREFIX } from '../kit/service.ts';
import { openAs } from '../kit/sessions.ts';

onBoth('attack 10: tokens', (kit) => {
  const demo = withDemo(kit);
  const call = (
    token: string | undefined,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ) => demo.service.call(token, method, path, body);
  const made = async (expires_in_seconds = 3600) =>
    must(await call(demo.tokens.ellis, 'POST', '/tokens', { name: 'x', expires_in_seconds })) as {
      token: string;
      id: string;
    };
  const whoami = (authorization: string | undefined) =>
    demo.service.app.inject({
      method: 'GET',
      url: `${PREFIX}/whoami`,
      headers: authorization === undefined ? {} : { authorization },
    });
  let alike: string;
  beforeAll(async () => {
    alike = bare((await whoami(undefined)).body);
  });

  describe('every fault has one answer', () => {
    it.each<[string, (token: string) => string]>([
      ['malformed', () => 'Bearer nonsense'],
      ['of another scheme', (t) => `Basic ${t}`],
      [
        'with its last character changed',
        (t) => `Bearer ${t.slice(0, -1)}${t.endsWith('A') ? 'B' : 'A'}`,
      ],
      ['with another id', (t) => `Bearer ${t.slice(0, 5)}${t[5] === '0' ? '1' : '0'}${t.slice(6)}`],
      ['in capitals', (t) => `Bearer ${t.toUpperCase()}`],
      ['twice', (t) => `Bearer ${t}, Bearer ${t}`],
      ['cut short', (t) => `Bearer ${t.slice(0, -1)}`],
      ['lengthened', (t) => `Bearer ${t}A`],
      ['empty', () => 'Bearer '],
      ['an unsigned JWT', () => 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJlbGxpcyJ9.'],
      ['very long', () => `Bearer ${'x'.repeat(8000)}`],
      ['text that SQL would read', () => "Bearer ' or 1=1 --"],
    ])('%s', async (_, spoil) => {
      const { token } = await made();
      const said = await whoami(spoil(token));
      expect([said.statusCode, bare(said.body)]).toEqual([401, alike]);
      expect(said.headers['www-authenticate']).toBe('DPoP algs="ES256 EdDSA", Bearer');
    });

    it('revoked, after a second also for what is answered from memory', async () => {
      const { token, id } = await made();
      expect(codeOf(await call(token, 'POST', '/resolve', { names: ['x'] }))).toBe('200');
      must(await call(demo.tokens.ellis, 'DELETE', `/tokens/${id}`));
      expect(bare((await whoami(`Bearer ${token}`)).body)).toBe(alike);
      demo.service.age(1_000);
      expect(codeOf(await call(token, 'POST', '/resolve', { names: ['x'] }))).toBe(
        'unauthenticated',
      );
    });

    it('expired, to the millisecond', async () => {
      const { token } = await made(60);
      kit.clock.advance(59.999);
      expect((await whoami(`Bearer ${token}`)).statusCode).toBe(200);
      kit.clock.advance(0.001);
      expect(bare((await whoami(`Bearer ${token}`)).body)).toBe(alike);
    });

    it('of a user who was disabled; enabled again, the old token stays dead', async () => {
      const id = await makeUser(demo, 'gone');
      for (const status of ['DISABLED', 'ACTIVE']) {
        must(await call(demo.tokens.pat, 'PATCH', `/users/${id}`, { status }));
        expect(bare((await whoami(`Bearer ${demo.tokens.gone}`)).body)).toBe(alike);
      }
    });
  });

  it('of others, issued by an admin who was disabled: he saw them, and they end with him', async () => {
    await makeUser(demo, 'fired', { groups: ['owners'] });
    const ask = { name: 'x', expires_in_seconds: 3_600 };
    const make = async (by: string, login: string) =>
      must(await call(demo.tokens[by], 'POST', '/tokens', { ...ask, login })) as {
        id: string;
        token: string;
      };
    const id = await makeUser(demo, 'holder');
    const [kept, other] = [await make('fired', 'holder'), await make('pat', 'holder')];
    const { user } = must(await call(demo.tokens.fired, 'GET', '/whoami')) as {
      user: { id: string };
    };
    must(await call(demo.tokens.pat, 'PATCH', `/users/${user.id}`, { status: 'DISABLED' }));
    expect((await whoami(`Bearer ${kept.token}`)).statusCode).toBe(401);
    expect((await whoami(`Bearer ${other.token}`)).statusCode).toBe(200);
    const ends = must(
      await call(demo.tokens.uma, 'GET', `/audit/events?type=pam.token.revoke&target=${kept.id}`),
    ) as { list: { targets: { type: string; id: string }[] }[] };
    expect(ends.list[0]?.targets.find((target) => target.type === 'user')?.id).toBe(id);
  });

  describe('somebody else’s', () => {
    it('cannot be made, listed or ended by who is no pam_admin', async () => {
      const wish = { login: 'dana', name: 'x', expires_in_seconds: 60 };
      for (const login of ['ellis', 'sam', 'uma'])
        expect(codeOf(await call(demo.tokens[login], 'POST', '/tokens', wish))).toBe(
          'not_permitted',
        );
      const { list } = must(await call(demo.tokens.ellis, 'GET', '/tokens')) as {
        list: { user: { id: string } }[];
      };
      expect(new Set(list.map(({ user }) => user.id))).toEqual(new Set([demo.ids.users.ellis]));
      const { token } = must(await call(demo.tokens.dana, 'GET', '/whoami')) as {
        token: { id: string };
      };
      expect(codeOf(await call(demo.tokens.ellis, 'DELETE', `/tokens/${token.id}`))).toBe(
        'not_found',
      );
    });

    it('whatever is done with one made by an admin is on record with him', async () => {
      const issued = async (login: string) => {
        const wish = { login, name: 'help', expires_in_seconds: 600 };
        return must(await call(demo.tokens.pat, 'POST', '/tokens', wish)).token as string;
      };
      const own = await makeUser(demo, 'ivy', { groups: ['linux-users'], manager: 'dana' });
      const tokens = { dana: await issued('dana'), ivy: await issued('ivy') };
      const as: Demo = { ...demo, tokens };
      kit.clock.advance(1);
      await demo.gateway.renew();
      // Pat stands behind both: the vote is another person's.
      const request = await raisedBy(as, 'ivy');
      expect(codeOf(await decide(demo.service, tokens.dana, request))).toBe(
        'requester_cannot_decide',
      );
      must(await decide(demo.service, demo.tokens.dana, request));
      const { response } = await openAs(demo.service, tokens.ivy, {
        ...(await methodFor(as, 'ivy')),
      });
      const { session } = must(response) as { session: { id: string } };
      must(await call(tokens.ivy, 'POST', `/sessions/${session.id}/terminate`));
      must(await call(tokens.dana, 'POST', `/access_requests/${request.id}/revoke`, {}));
      const events = await kit.db.sql
        .selectFrom('audit_events')
        .select(['type', 'actor', 'details'])
        .where((e) =>
          e.or([
            e('request_id', '=', request.id),
            e('session_id', '=', session.id),
            e('type', '=', 'pam.operation.refuse'),
          ]),
        )
        .orderBy('id')
        .execute();
      const done = events
        .filter(({ actor }) => [own, demo.ids.users.dana].includes((actor as { id: string }).id))
        .map(({ type, details }) => [
          type,
          (details as { token_issued_by?: string }).token_issued_by === demo.ids.users.pat,
        ]);
      expect(Object.fromEntries(done)).toEqual({
        'access.request.create': true,
        'pam.operation.refuse': true,
        'access.request.decide': false,
        'access.request.resolve': false,
        'pam.session.open': true,
        'pam.session.terminate': true,
        'access.request.revoke': true,
      });
    });

    it('made by an admin: names him, is told to its subject, lives a day at most', async () => {
      const wish = { login: 'dana', name: 'help', expires_in_seconds: 86_400 };
      const { token, id } = must(await call(demo.tokens.pat, 'POST', '/tokens', wish)) as {
        token: string;
        id: string;
      };
      const me = must(await call(token, 'GET', '/whoami')) as {
        token: { issued_by: { id: string } };
      };
      expect(me.token.issued_by.id).toBe(demo.ids.users.pat);
      const told = await kit.db.sql
        .selectFrom('messages')
        .select('body')
        .where('to_user_id', '=', demo.ids.users.dana!)
        .where('kind', '=', 'token_made')
        .execute();
      expect(told.some(({ body }) => (body as { token_id: string }).token_id === id)).toBe(true);
      const longer = { ...wish, expires_in_seconds: 86_401 };
      expect(codeOf(await call(demo.tokens.pat, 'POST', '/tokens', longer))).toBe(
        'invalid_request',
      );
    });
  });

  it('guessed at over and over, they do not fill the log', async () => {
    for (let i = 0; i < 100; i++)
      await whoami(`Bearer pst_${String(i).padStart(32, '0')}_${'A'.repeat(43)}`);
    const failed = await kit.db.sql
      .selectFrom('audit_events')
      .select('id')
      .where('type', '=', 'pam.login.fail')
      .execute();
    expect(failed).toHaveLength(60);
  });

  it('no token’s text or hash is in the log, an event, a message, or any row but its own', async () => {
    const { token } = await made();
    await whoami(`Bearer ${token.slice(0, -1)}`);
    const { sql } = kit.db;
    const rows = [
      await sql.selectFrom('audit_events').selectAll().execute(),
      await sql.selectFrom('messages').selectAll().execute(),
      await sql.selectFrom('tokens').selectAll().execute(),
      await sql.selectFrom('idempotency_keys').selectAll().execute(),
    ];
    const written = JSON.stringify(rows) + demo.service.lines.join('\n');
    const secrets = [token, ...Object.values(demo.tokens), demo.service.bootstrap];
    for (const text of secrets) {
      const secret = text.split('_').slice(2).join('_');
      expect(secret.length).toBe(43);
      expect([secret, written.includes(secret)]).toEqual([secret, false]);
    }
  });
});

const bare = (body: string): string => body.replace(/"trace_id":"[^"]*"/, '');
