import { randomUUID } from 'node:crypto';
import { fromRfc3339, instant } from '@postern/shared';
import { TOTP } from 'otpauth';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  acceptInvitation,
  checkTotp,
  confirmTotp,
  enrolTotp,
  methodsOf,
  readKeptPassword,
  removeTotp,
  setPassword,
  viewInvitation,
} from '../../src/credentials/index.ts';
import { json } from '../../src/platform/schema.ts';
import { makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, startReplica } from '../kit/service.ts';

onBoth('credentials', (kit) => {
  const demo = withDemo(kit);
  const made = { n: 0 };
  let login: string;
  let id: string;
  beforeEach(async () => {
    login = `cred${made.n++}`;
    id = await makeUser(demo, login);
  });
  const keyring = () => demo.service.keyring;
  const hooks = { endLogins: async () => {} };
  const call = (by: string | undefined, method: 'POST' | 'DELETE', path: string) =>
    demo.service.call(by, method, path);
  const invite = (by: string | undefined = demo.tokens.pat, user = id) =>
    call(by, 'POST', `/users/${user}/invitation`);
  const invited = async (by?: string) => must(await invite(by)).code as string;
  const accept = (code: string, hash = 'h') =>
    kit.transact((tx) => acceptInvitation(tx, { keyring: keyring(), hooks }, { code, hash }));
  const password = (user = id) => kit.transact((tx) => readKeptPassword(tx, keyring(), user));
  const events = async (type: string) =>
    await kit.db.sql.selectFrom('audit_events').selectAll().where('type', '=', type).execute();

  describe('invitations', () => {
    it('sets a password once; whoever made it stands behind it', async () => {
      const said = must(await invite());
      expect(said.url).toBe(`https://postern.example.test/invite/${said.code}`);
      expect(fromRfc3339(said.expires_at as string)).toBe(kit.clock.now() + 86_400_000);
      const code = said.code as string;
      expect(await kit.transact((tx) => viewInvitation(tx, code))).toMatchObject({ login });
      expect([await accept(code), await accept(code)]).toEqual([true, false]);
      expect(await password()).toMatchObject({ hash: 'h', issued_by: demo.ids.users.pat });
      expect(await kit.transact((tx) => viewInvitation(tx, code))).toBeUndefined();
    });

    it('made by the bootstrap account it is the person’s own', async () => {
      await accept(await invited(demo.service.bootstrap));
      expect(await password()).toMatchObject({ issued_by: null });
    });

    it('of two at once with one code, one is taken', async () => {
      const code = await invited();
      const both = await Promise.all([accept(code, 'a'), accept(code, 'b')]);
      expect(both.sort()).toEqual([false, true]);
    });

    it('a second one ends the first, and setting the password ends what was made before', async () => {
      const first = await invited();
      const second = await invited();
      expect([await accept(first), await accept(second)]).toEqual([false, true]);
    });

    it('after 24 hours, guessed or cut short it is nothing', async () => {
      const code = await invited();
      for (const text of ['', 'x', code.slice(0, -1), `${code}A`, code.toUpperCase(), `${code}\n`])
        expect(await accept(text)).toBe(false);
      await kit.db.sql
        .updateTable('invitations')
        .set({ expires_at: kit.clock.now() })
        .where('user_id', '=', id)
        .execute();
      expect(await accept(code)).toBe(false);
    });

    it('ends with whoever it is for, and with whoever made it', async () => {
      const admin = `admin${made.n}`;
      const adminId = await makeUser(demo, admin, { groups: ['owners'] });
      const by = demo.tokens[admin];
      const [mine, theirs] = [await invited(), await invited()];
      expect(mine).not.toBe(theirs);
      const other = await makeUser(demo, `cred${made.n++}`);
      const code = must(await invite(by, other)).code as string;
      const disable = (user: string) =>
        demo.service.call(demo.tokens.pat, 'PATCH', `/users/${user}`, { status: 'DISABLED' });
      must(await disable(adminId));
      expect(await accept(code)).toBe(false);
      must(await disable(id));
      expect(await accept(theirs)).toBe(false);
      expect((await invite()).json().code).toBe('state_conflict');
    });

    it('is on record and told, without the code', async () => {
      const code = await invited();
      const made = (await events('pam.invitation.create')).at(-1);
      expect(made).toMatchObject({ actor: { id: demo.ids.users.pat } });
      const everything = JSON.stringify([
        await kit.db.sql.selectFrom('audit_events').selectAll().execute(),
        await kit.db.sql.selectFrom('messages').selectAll().execute(),
        await kit.db.sql.selectFrom('invitations').selectAll().execute(),
        demo.service.lines,
      ]);
      expect(everything).not.toContain(code.slice(4));
    });

    it('a service user has no password; a token that somebody else issued invites nobody', async () => {
      const bot = await makeUser(demo, `bot${made.n++}`, { type: 'service', owners: ['bo'] });
      expect((await invite(demo.tokens.pat, bot)).json().code).toBe('state_conflict');
      const admin = `admin${made.n++}`;
      await makeUser(demo, admin, { groups: ['owners'] });
      const issued = must(
        await demo.service.call(demo.tokens.pat, 'POST', '/tokens', {
          login: admin,
          name: 'washed',
          expires_in_seconds: 600,
        }),
      ).token as string;
      expect((await invite(issued)).json().code).toBe('not_permitted');
      expect((await invite(demo.tokens[admin])).statusCode).toBe(201);
    });
  });

  describe('passwords', () => {
    const put = (hash: string, issued_by: string | null = null) =>
      kit.transact((tx) => setPassword(tx, keyring(), { user_id: id, hash, issued_by }));

    it('what is kept cannot be tried without the master key', async () => {
      await put('$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA');
      const rows = await kit.db.sql.selectFrom('password_credentials').selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain('argon2');
    });

    it('a row moved to somebody else, or put back from an older setting, opens nothing', async () => {
      await put('old');
      const rows = () =>
        kit.db.sql
          .selectFrom('password_credentials')
          .selectAll()
          .where('user_id', '=', id)
          .executeTakeFirstOrThrow();
      const old = await rows();
      await put('new');
      expect(await password()).toMatchObject({ hash: 'new', version: 2 });
      const other = await makeUser(demo, `cred${made.n++}`);
      await kit.db.sql
        .insertInto('password_credentials')
        .values({ ...(await rows()), sealed: json((await rows()).sealed), user_id: other })
        .execute();
      expect(await password(other)).toBeUndefined();
      await kit.db.sql
        .updateTable('password_credentials')
        .set({ sealed: json(old.sealed) })
        .where('user_id', '=', id)
        .execute();
      expect(await password()).toBeUndefined();
    });
  });

  describe('authenticator apps', () => {
    const enrolled = async (issued_by: string | null = null) => {
      const { secret } = await kit.transact((tx) =>
        enrolTotp(tx, keyring(), { user_id: id, session_id, issued_by }),
      );
      const otp = new TOTP({ secret });
      const codeAt = (seconds: number) =>
        otp.generate({ timestamp: kit.clock.now() + seconds * 1000 });
      return { secret, codeAt };
    };
    const session_id = randomUUID();
    const who = () => ({ user_id: id, name: login });
    const confirm = (code: string) =>
      kit.transact((tx) => confirmTotp(tx, keyring(), { ...who(), session_id }, code));
    const check = async (code: string) =>
      (await kit.transact((tx) => checkTotp(tx, keyring(), id, code))).ok;
    const confirmed = async () => {
      // At the beginning of a step, so that what is a step away is known.
      kit.clock.set(instant(Math.ceil(kit.clock.now() / 30_000) * 30_000));
      const app = await enrolled();
      expect(await confirm(app.codeAt(-30))).toBe(true);
      return app;
    };

    it('serves only once a code of it was seen', async () => {
      const app = await enrolled();
      expect(await check(app.codeAt(0))).toBe(false);
      expect(await kit.transact((tx) => methodsOf(tx, id))).toMatchObject({ totp: false });
      expect(await confirm('000000')).toBe(false);
      expect(await confirm(app.codeAt(0))).toBe(true);
      expect(await kit.transact((tx) => methodsOf(tx, id))).toMatchObject({ totp: true });
      expect(await check(app.codeAt(0))).toBe(false);
      kit.clock.advance(30);
      expect(await check(app.codeAt(0))).toBe(true);
    });

    it('one step away, and not one more', async () => {
      const app = await confirmed();
      expect(await check(app.codeAt(-60))).toBe(false);
      expect(await check(app.codeAt(60))).toBe(false);
      expect(await check(app.codeAt(30))).toBe(true);
    });

    it('a step serves once, and none before it', async () => {
      const app = await confirmed();
      expect(await check(app.codeAt(30))).toBe(true);
      expect(await check(app.codeAt(30))).toBe(false);
      expect(await check(app.codeAt(0))).toBe(false);
      kit.clock.advance(60);
      expect(await check(app.codeAt(0))).toBe(true);
    });

    it('of many at once, one is taken', async () => {
      const app = await confirmed();
      const code = app.codeAt(0);
      const all = await Promise.all(Array.from({ length: 8 }, () => check(code)));
      expect(all.filter(Boolean)).toHaveLength(1);
    });

    it('also after a restart: another process of the service refuses it', async () => {
      const app = await confirmed();
      expect(await check(app.codeAt(0))).toBe(true);
      const replica = await startReplica(kit, demo.service);
      const again = await kit.transact((tx) => checkTotp(tx, replica.keyring, id, app.codeAt(0)));
      await replica.stop();
      expect(again.ok).toBe(false);
    });

    it('the secret is sealed for its person: elsewhere, or with another key, it opens nothing', async () => {
      const app = await confirmed();
      const row = await kit.db.sql
        .selectFrom('totp_credentials')
        .selectAll()
        .where('user_id', '=', id)
        .executeTakeFirstOrThrow();
      expect(JSON.stringify(row)).not.toContain(app.secret);
      const other = await makeUser(demo, `cred${made.n++}`);
      await kit.db.sql
        .insertInto('totp_credentials')
        .values({ ...row, id: kit.ids.uuid(), user_id: other, sealed: json(row.sealed) })
        .execute();
      const moved = await kit.transact((tx) => checkTotp(tx, keyring(), other, app.codeAt(0)));
      expect(moved.ok).toBe(false);
    });

    it('a second one takes the place of one that was not proved, never of one that was', async () => {
      const first = await enrolled();
      const second = await enrolled();
      expect(await confirm(first.codeAt(0))).toBe(false);
      expect(await confirm(second.codeAt(0))).toBe(true);
      await expect(enrolled()).rejects.toThrow(/You have an authenticator app/);
      await kit.transact((tx) => removeTotp(tx, who()));
      kit.clock.advance(60);
      expect(await check(second.codeAt(0))).toBe(false);
    });

    it('adding and removing one is on record', async () => {
      await confirmed();
      await kit.transact((tx) => removeTotp(tx, who()));
      for (const type of ['user.mfa.factor.activate', 'user.mfa.factor.deactivate'])
        expect((await events(type)).at(-1)).toMatchObject({
          actor: { id },
          details: { factor: 'totp' },
        });
    });

    it('reset by somebody else: all are gone, and what is left counts as issued by him', async () => {
      await accept(await invited(demo.service.bootstrap));
      const app = await confirmed();
      const reset = await call(demo.tokens.pat, 'DELETE', `/users/${id}/factors`);
      expect(reset.statusCode).toBe(204);
      kit.clock.advance(30);
      expect(await check(app.codeAt(0))).toBe(false);
      expect(await password()).toMatchObject({ issued_by: demo.ids.users.pat });
      expect((await events('user.mfa.factor.reset_all')).at(-1)).toMatchObject({
        actor: { id: demo.ids.users.pat },
        details: { totp: true, passkeys: 0 },
      });
    });

    it('reset by oneself: refused, and it changes nothing', async () => {
      const own = await call(demo.tokens.pat, 'DELETE', `/users/${demo.ids.users.pat}/factors`);
      expect(own.json().code).toBe('not_permitted');
    });
  });
});
