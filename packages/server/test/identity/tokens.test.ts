import { type Relation, seconds } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countStaticTokens } from '../../src/identity/index.ts';
import { issuerOf } from '../../src/identity/issuer.ts';
import { createToken } from '../../src/identity/service-tokens.ts';
import { must, World } from '../directory/world.ts';
import { onBoth } from '../kit/index.ts';

describe('whom a token counts as issued by', () => {
  const mallory = { caller: 'mallory', caller_token_issued_by: null, caller_is_nobodys: false };

  test('one for himself is his own', () => {
    expect(issuerOf({ ...mallory, subject: 'mallory' })).toEqual({ ok: true, issued_by: null });
  });

  test('one for somebody else is his', () => {
    expect(issuerOf({ ...mallory, subject: 'ana' })).toEqual({ ok: true, issued_by: 'mallory' });
  });

  test('who uses a token that Mallory issued makes another one of Mallory', () => {
    const asAna = { ...mallory, caller: 'ana', caller_token_issued_by: 'mallory' };
    expect(issuerOf({ ...asAna, subject: 'ana' })).toEqual({ ok: true, issued_by: 'mallory' });
  });

  test('deny: a token that somebody else issued makes one for a third person', () => {
    const asDana = { ...mallory, caller: 'dana', caller_token_issued_by: 'mallory' };
    expect(issuerOf({ ...asDana, subject: 'ana' }).ok).toBe(false);
    expect(issuerOf({ ...asDana, subject: 'mallory' }).ok).toBe(false);
    expect(issuerOf({ ...asDana, caller_is_nobodys: true, subject: 'ana' }).ok).toBe(false);
  });

  test('what the bootstrap account issues is its subject’s own', () => {
    const bootstrap = { ...mallory, caller: 'bootstrap', caller_is_nobodys: true };
    expect(issuerOf({ ...bootstrap, subject: 'dana' })).toEqual({ ok: true, issued_by: null });
  });
});

const ANY = new Set<Relation>(['self', 'any']);

onBoth('tokens', (kit) => {
  let world: World;
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
  });
  afterAll(() => world.app.close());

  const make = (by: string | null, body: object = {}) =>
    world.call(by, 'createToken', {}, { name: 'laptop', expires_in_seconds: 600, ...body });
  const issuerIn = async (id: string) =>
    (
      await kit.db.sql
        .selectFrom('tokens')
        .select('issued_by')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
    ).issued_by;

  test.each(['ana', 'sam', 'audrey'])(
    'deny: %s, who is no pam_admin, makes one for Dana',
    async (by) => {
      const answer = await make(by, { login: 'dana' });
      expect([answer.status, answer.body.code]).toEqual([403, 'not_permitted']);
      const unknown = await make(by, { login: 'nobody' });
      expect([unknown.status, unknown.body.detail]).toEqual([403, answer.body.detail]);
    },
  );

  test('deny: one for a person where people log in; a service user has one all the same', async () => {
    const body = { name: 'x', expires_in_seconds: 60 };
    const off = { staticTokens: false };
    const bootstrap = await world.caller('bootstrap');
    const ana = await world.caller('ana');
    const made = (login: string) =>
      kit.transact((tx) => createToken(tx, bootstrap, ANY, { ...body, login }, off));
    await expect(made('ana')).rejects.toMatchObject({ code: 'not_permitted' });
    const own = kit.transact((tx) => createToken(tx, ana, ANY, body, off));
    await expect(own).rejects.toMatchObject({ code: 'not_permitted' });
    must(
      await world.apply('bootstrap', [
        { kind: 'User', login: 'bot', name: 'Bot', type: 'service' },
      ]),
    );
    expect((await made('bot')).token).toMatch(/^pst_/);
  });

  test('those of people are counted while they live, and no others', async () => {
    const count = () => kit.transact(countStaticTokens);
    const before = await count();
    const made = must(await make('ana', { expires_in_seconds: 60 }));
    const bot = must(await make('bootstrap', { login: 'bot' }));
    expect(await count()).toBe(before + 1);
    must(await world.call('ana', 'revokeToken', { id: made.id }));
    expect(await count()).toBe(before);
    must(await world.call('bootstrap', 'revokeToken', { id: bot.id }));
  });

  test('deny: nobody makes one', async () => expect((await make(null)).status).toBe(401));

  test.each([86_401, 10_000_000, 59, 0, -1, 1.5, '600', null])(
    'deny: one that lives %s seconds',
    async (seconds) => {
      expect((await make('ana', { expires_in_seconds: seconds })).status).toBe(400);
    },
  );

  test('deny: a name that cannot be shown, an unknown field', async () => {
    expect((await make('ana', { name: 'a\u001b]0;x' })).faults).toEqual(['/name unprintable']);
    expect((await make('ana', { user_id: 'x' })).faults).toEqual(['/user_id unknown_field']);
  });

  test('a person makes one for himself; it works until its last second, and not after', async () => {
    const made = must(await make('ana', { expires_in_seconds: 60 }));
    expect(Date.parse(made.expires_at)).toBe(kit.clock.now() + 60_000);
    kit.clock.advance(seconds(59));
    expect((await world.call(made.token, 'whoami')).status).toBe(200);
    kit.clock.advance(seconds(1));
    expect((await world.call(made.token, 'whoami')).status).toBe(401);
  });

  test('only its hash is kept; neither log nor message holds the token', async () => {
    const made = must(await make('dana', { login: 'ana' }));
    const secret = made.token.slice(-43);
    for (const table of ['tokens', 'audit_events', 'messages'] as const) {
      const rows = await kit.db.sql.selectFrom(table).selectAll().execute();
      expect(rows.length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(secret);
    }
  });

  test('one for somebody else keeps who issued it, is an event, and its subject is told', async () => {
    const dana = await world.user('dana');
    const ana = await world.user('ana');
    const made = must(await make('dana', { login: 'ana', name: 'for Ana' }));
    expect(await issuerIn(made.id)).toBe(dana.id);
    const event = (await world.events()).findLast((e) => e.type === 'pam.token.create');
    expect(event).toMatchObject({
      actor: { id: dana.id },
      targets: [
        { type: 'token', id: made.id },
        { type: 'user', id: ana.id },
      ],
    });
    const messages = await kit.db.sql.selectFrom('messages').selectAll().execute();
    expect(messages.filter((m) => m.to_user_id === ana.id && m.kind === 'token_made')).not.toEqual(
      [],
    );
  });

  test('deny: washing a token through its subject, or through a third person', async () => {
    must(
      await world.apply('dana', [
        { kind: 'User', login: 'olga', name: 'Olga', groups: ['owners'] },
      ]),
    );
    const dana = await world.user('dana');
    const asOlga = must(await make('dana', { login: 'olga' })).token;
    const own = must(await make(asOlga));
    expect(await issuerIn(own.id)).toBe(dana.id);
    for (const token of [asOlga, own.token]) {
      const answer = await make(token, { login: 'ana' });
      expect([answer.status, answer.body.code]).toEqual([403, 'not_permitted']);
    }
  });

  test('what the bootstrap account issues is the subject’s own', async () => {
    const made = must(await make('bootstrap', { login: 'dana' }));
    expect(await issuerIn(made.id)).toBeNull();
  });

  test('deny: one for a user who is not active, or not there', async () => {
    must(await world.apply('dana', [{ kind: 'User', login: 'eve', name: 'Eve' }]));
    const { id } = await world.user('eve');
    must(await world.call('dana', 'updateUser', { id }, { status: 'DISABLED' }));
    expect((await make('dana', { login: 'eve' })).body.code).toBe('state_conflict');
    expect((await make('dana', { login: 'nobody' })).body.code).toBe('not_found');
    expect((await make('dana', { login: 'a\u0000' })).body.code).toBe('not_found');
  });

  test('a person sees his own, an admin or auditor all that live', async () => {
    const revoked = must(await make('ben'));
    must(await world.call('ben', 'revokeToken', { id: revoked.id }));
    const names = async (by: string): Promise<string[]> =>
      must(await world.call(by, 'listTokens', { limit: '500' })).list.map(
        (token: { user: { name: string } }) => token.user.name,
      );
    expect(new Set(await names('ben'))).toEqual(new Set(['Ben Okoro']));
    for (const by of ['dana', 'audrey']) expect(new Set(await names(by))).toContain('Ana Lima');
    const list = must(await world.call('ben', 'listTokens')).list;
    expect(list.map((token: { id: string }) => token.id)).not.toContain(revoked.id);
  });

  test('ending one: at once, by its person or an admin; another’s is as one that is not there', async () => {
    const made = must(await make('ana'));
    const { id } = await world.user('ana');
    const revision = await world.revision(id);
    const strangers = await world.call('ben', 'revokeToken', { id: made.id });
    const none = await world.call('ben', 'revokeToken', { id });
    expect([strangers.status, strangers.body.detail]).toEqual([404, none.body.detail]);
    expect((await world.call(made.token, 'whoami')).status).toBe(200);
    const events = await world.eventsOf(() => world.call('ana', 'revokeToken', { id: made.id }));
    expect(events).toEqual(['pam.token.revoke']);
    expect(await world.revision(id)).toBe(revision + 1);
    expect((await world.call(made.token, 'whoami')).status).toBe(401);
    expect(await world.eventsOf(() => world.call('dana', 'revokeToken', { id: made.id }))).toEqual(
      [],
    );
  });

  test('disabling while a token is being made leaves none that lives', async () => {
    for (let round = 0; round < 5; round++) {
      const login = `race${round}`;
      must(await world.apply('dana', [{ kind: 'User', login, name: login }]));
      const { id } = await world.user(login);
      const [made] = await Promise.all([
        make('dana', { login }),
        world.call('dana', 'updateUser', { id }, { status: 'DISABLED' }),
      ]);
      const live = await kit.db.sql
        .selectFrom('tokens')
        .select('id')
        .where('user_id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      expect([login, live, [201, 409].includes(made.status)]).toEqual([login, [], true]);
    }
  });

  test('no error was ours', () => expect(world.faults).toEqual([]));
});
