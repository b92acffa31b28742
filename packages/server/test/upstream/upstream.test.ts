import { describe, expect, it } from 'vitest';
import { apply, makeUser } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { Browser } from '../login/browser.ts';
import { CLIENT_ID, CLIENT_SECRET } from './fake-provider.ts';
import { withUpstream } from './world.ts';

onBoth('logging in at an OpenID provider', (kit) => {
  const { scene, demo, begin, back, logIn, loginOf, userNamed, link, events } = withUpstream(kit);

  describe('the way there', () => {
    it('asks for a code, with state, nonce and a challenge (S256), and for when he logged in', async () => {
      const { origin, searchParams } = new URL(await begin());
      expect(origin).toBe(scene.provider.issuer);
      expect(Object.fromEntries(searchParams)).toMatchObject({
        response_type: 'code',
        client_id: CLIENT_ID,
        scope: 'openid profile email',
        redirect_uri: 'https://postern.example.test/login/oidc/callback',
        code_challenge_method: 'S256',
        max_age: '43200',
      });
      expect(searchParams.get('prompt')).toBeNull();
      for (const name of ['state', 'nonce', 'code_challenge'])
        expect(searchParams.get(name)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    });

    it('keeps nothing with which a login could be finished', async () => {
      const { searchParams } = new URL(await begin());
      const kept = JSON.stringify(await kit.db.sql.selectFrom('oidc_starts').selectAll().execute());
      for (const name of ['state', 'nonce', 'code_challenge'])
        expect(kept).not.toContain(searchParams.get(name));
      for (const value of scene.browser.cookies.values()) expect(kept).not.toContain(value);
    });

    it('a fresh proof is asked for with prompt=login and max_age=0', async () => {
      const { searchParams } = new URL(await begin('?prompt=login'));
      expect([searchParams.get('prompt'), searchParams.get('max_age')]).toEqual(['login', '0']);
    });

    it('the login page leads there, with where he wants to go', async () => {
      const { body } = await scene.browser.get('/login?next=/account%3Fa&prompt=login');
      expect(body).toContain(
        '<a href="/login/oidc?next=%2Faccount%3Fa&amp;prompt=login">Continue with Example ID</a>',
      );
    });
  });

  describe('whom the provider names', () => {
    it('nobody here: is made a user, mastered by it, and goes where he wanted to', async () => {
      Object.assign(scene.provider.person, {
        email: 'x@example.test',
        dept: 'crm',
        groups: ['DBA', 'x'],
      });
      const said = await logIn('?next=/account%3Fa%3Db');
      expect([said.statusCode, said.headers.location]).toEqual([303, '/account?a=b']);
      const user = await userNamed(`oidc${scene.n}`);
      expect(user).toMatchObject({
        name: `Person ${scene.n}`,
        email: 'x@example.test',
        type: 'human',
        attributes: { department: 'crm', idp_groups: '|DBA|' },
      });
      expect(await loginOf()).toMatchObject({ user_id: user?.id, mfa: 'none', issued_by: null });
      expect((await events('pam.user.create')).at(-1)).toMatchObject({
        actor: { type: 'identity_provider', name: scene.provider.issuer },
        details: { master: 'oidc' },
      });
    });

    it('the same again is the same user, as the provider says that he is now', async () => {
      await logIn();
      const { id } = (await userNamed(`oidc${scene.n}`))!;
      Object.assign(scene.provider.person, {
        name: 'Another Name',
        preferred_username: 'quite-other',
      });
      scene.provider.person.dept = 'sales';
      expect((await logIn()).headers.location).toBe('/account');
      expect(await userNamed(`oidc${scene.n}`)).toMatchObject({
        id,
        name: 'Another Name',
        attributes: { department: 'sales' },
      });
      expect(await userNamed('quite-other')).toBeUndefined();
      delete scene.provider.person.dept;
      await logIn();
      expect(await userNamed(`oidc${scene.n}`)).toMatchObject({ attributes: {} });
    });

    it('two first logins at once make one user', async () => {
      const other = new Browser(demo);
      const [a, b] = [await begin(), await begin('', other)];
      const said = await Promise.all([back(a), back(b, other)]);
      expect(said.map((one) => one.statusCode)).toEqual([303, 303]);
      expect((await loginOf())?.user_id).toBe((await loginOf(other))?.user_id);
    });

    it('what it masters nobody changes here', async () => {
      await logIn();
      const { id } = (await userNamed(`oidc${scene.n}`))!;
      const said = await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${id}`, { name: 'X' });
      expect([said.statusCode, said.body]).toEqual([
        409,
        expect.stringContaining(scene.provider.issuer),
      ]);
    });

    it('a group rule reads its groups by the attribute, and takes him out again', async () => {
      await apply(demo, 'pat', [
        { kind: 'Group', name: `rule target ${scene.n}` },
        {
          kind: 'GroupRule',
          name: `by provider ${scene.n}`,
          group: `rule target ${scene.n}`,
          when: 'idp_groups co "|Ops|"',
        },
      ]);
      const members = async () => {
        const rows = await kit.db.sql
          .selectFrom('memberships as m')
          .innerJoin('groups as g', 'g.id', 'm.group_id')
          .select('m.user_id')
          .where('g.name', '=', `rule target ${scene.n}`)
          .where('m.ended_at', 'is', null)
          .execute();
        return rows.length;
      };
      scene.provider.person.groups = ['Ops'];
      await logIn();
      expect(await members()).toBe(1);
      scene.provider.person.groups = ['|Ops|', 'ops', 'Ops '];
      await logIn();
      expect(await members()).toBe(0);
    });

    it('a name that is not plain text is not taken; the login stands for it', async () => {
      scene.provider.person.name = '\u202eadmin <script>';
      await logIn();
      expect((await userNamed(`oidc${scene.n}`))?.name).toBe(`oidc${scene.n}`);
    });

    it('markup in a name is text on the page', async () => {
      scene.provider.person.name = '<script>alert(1)</script>';
      await logIn();
      expect((await scene.browser.get('/account')).body).not.toContain('<script>alert');
    });

    it('who is disabled or deleted stays out, and is not made anew', async () => {
      await logIn();
      const { id } = (await userNamed(`oidc${scene.n}`))!;
      for (const status of ['DISABLED', 'DELETED']) {
        must(await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${id}`, { status }));
        const said = await logIn();
        expect([said.statusCode, said.body]).toEqual([403, expect.stringContaining('no active')]);
        expect(await loginOf()).toBeUndefined();
      }
    });

    it('without just-in-time users nobody is made', async () => {
      scene.settings.jit = false;
      const said = await logIn();
      expect([said.statusCode, await userNamed(`oidc${scene.n}`)]).toEqual([403, undefined]);
      expect((await events('pam.login.fail')).at(-1)?.outcome).toMatchObject({
        reason: 'oidc_unknown_identity',
      });
    });
  });

  describe('attack: being somebody else by a name', () => {
    it('the login of a local admin: refused, and nobody is logged in', async () => {
      scene.provider.person.preferred_username = 'pat';
      scene.provider.person.email = 'pat@example.com';
      const said = await logIn();
      expect([said.statusCode, said.body]).toEqual([403, expect.stringContaining('another user')]);
      expect(await loginOf()).toBeUndefined();
    });

    it('his e-mail address: another user', async () => {
      const pat = (await userNamed('pat')) as unknown as { id: string; email: string | null };
      scene.provider.person.email = pat.email ?? 'pat@example.com';
      scene.provider.person.email_verified = true;
      await logIn();
      const login = await loginOf();
      expect(login?.user_id).toBe((await userNamed(`oidc${scene.n}`))?.id);
      expect(login?.user_id).not.toBe(pat.id);
    });

    it.each(['PAT', 'Pat'])('in other letters: %s', async (login) => {
      scene.provider.person.preferred_username = login;
      expect((await logIn()).statusCode).toBe(403);
    });

    it('a login that looks like his', async () => {
      await makeUser(demo, 'ball-all');
      scene.provider.person.preferred_username = 'ba11-a11';
      const said = await logIn();
      expect([said.statusCode, await loginOf()]).toEqual([403, undefined]);
    });

    it('no login at all, and one that could not be one', async () => {
      for (const login of [undefined, 7, 'a b', '../x', "'; drop table users; --", 'а']) {
        scene.provider.person.preferred_username = login;
        const said = await logIn();
        expect([login, said.statusCode]).toEqual([login, 403]);
      }
    });

    it('the same subject of another issuer', async () => {
      const id = await makeUser(demo, `linked${scene.n}`);
      must(await link('pat', id, String(scene.provider.person.sub), 'https://other.example.test'));
      await logIn();
      expect((await loginOf())?.user_id).not.toBe(id);
    });

    it('a subject in userinfo that is not that of the ID token', async () => {
      scene.provider.mischief = { userinfo: { sub: 'somebody else' } };
      expect((await logIn()).statusCode).toBe(502);
    });

    it('how he logged in is believed of the ID token alone', async () => {
      scene.provider.mischief = { userinfo: { acr: 'urn:phr', amr: ['hwk'], auth_time: 1 } };
      await logIn();
      expect(await loginOf()).toMatchObject({ mfa: 'none', amr: [] });
    });
  });

  describe('linking', () => {
    it('an administrator says who somebody is, and it counts as issued by him', async () => {
      const id = await makeUser(demo, `linked${scene.n}`, { attributes: { department: 'mine' } });
      scene.settings.jit = false;
      must(await link('pat', id, String(scene.provider.person.sub)));
      scene.provider.person.dept = 'theirs';
      await logIn();
      expect(await loginOf()).toMatchObject({ user_id: id, issued_by: demo.ids.users.pat });
      // A local user stays mastered here.
      expect(await userNamed(`linked${scene.n}`)).toMatchObject({
        name: `Test linked${scene.n}`,
        attributes: { department: 'mine' },
      });
      expect((await events('pam.identity.link')).at(-1)).toMatchObject({
        actor: { name: expect.any(String), id: demo.ids.users.pat },
        details: { issuer: scene.provider.issuer, subject: `sub-${scene.n}` },
      });
    });

    it('who is made with it is linked already: an identity is one user’s', async () => {
      await logIn();
      const id = await makeUser(demo, `linked${scene.n}`);
      expect((await link('pat', id, String(scene.provider.person.sub))).statusCode).toBe(409);
    });

    it('unlinked, he is out at once, and so is who was linked before another', async () => {
      const id = await makeUser(demo, `linked${scene.n}`);
      scene.settings.jit = false;
      must(await link('pat', id, String(scene.provider.person.sub)));
      await logIn();
      must(await link('pat', id, 'another'));
      expect(await loginOf()).toBeUndefined();
      expect((await logIn()).statusCode).toBe(403);
      scene.provider.person.sub = 'another';
      await logIn();
      must(await demo.service.call(demo.tokens.pat, 'DELETE', `/users/${id}/identity`));
      expect(await loginOf()).toBeUndefined();
      expect((await logIn()).statusCode).toBe(403);
      expect((await events('pam.identity.unlink')).at(-1)?.details).toMatchObject({
        subject: 'another',
      });
    });
  });

  describe('how he logged in there', () => {
    it.each([
      [{ amr: ['pwd', 'otp'] }, 'any'],
      [{ amr: ['hwk'] }, 'phr'],
      [{ acr: 'urn:phr' }, 'phr'],
      [{ acr: 'urn:unknown', amr: ['fpt'] }, 'none'],
    ])('%j is %s', async (claims, mfa) => {
      scene.provider.mischief = { claims };
      await logIn();
      const login = await loginOf();
      expect(login).toMatchObject({ mfa });
      expect(login?.mfa_at === null).toBe(mfa === 'none');
    });

    it('when is when it was there, not when he came here', async () => {
      const ago = 3_000;
      const begun = Math.floor(Date.now() / 1000);
      scene.provider.mischief = { claims: { amr: ['otp'], auth_time: begun - ago } };
      await logIn();
      const taken = Math.ceil(Date.now() / 1000) - begun;
      const login = await loginOf();
      const age = (kit.clock.now() - Number(login?.auth_time)) / 1000;
      expect(age).toBeGreaterThanOrEqual(ago);
      expect(age).toBeLessThanOrEqual(ago + taken);
      expect(login?.mfa_at).toBe(login?.auth_time);
    });

    it('what is ahead of us was now', async () => {
      scene.provider.mischief = { claims: { auth_time: Math.floor(Date.now() / 1000) + 20 } };
      await logIn();
      expect((await loginOf())?.auth_time).toBe(kit.clock.now());
    });

    it('asked for afresh, an older proof is refused', async () => {
      scene.provider.mischief = { claims: { auth_time: Math.floor(Date.now() / 1000) - 120 } };
      const said = await logIn('?prompt=login');
      expect([said.statusCode, await loginOf()]).toEqual([403, undefined]);
      scene.provider.mischief = {};
      expect((await logIn('?prompt=login')).statusCode).toBe(303);
    });

    it('longer ago than a login lasts here is refused', async () => {
      scene.provider.mischief = { claims: { auth_time: Math.floor(Date.now() / 1000) - 43_300 } };
      expect((await logIn()).statusCode).toBe(502);
    });
  });

  it('the secret of the client is told to the token endpoint alone', async () => {
    const location = await begin();
    expect(decodeURIComponent(location)).not.toContain(CLIENT_SECRET);
  });
});
