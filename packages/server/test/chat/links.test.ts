import { describe, expect, it } from 'vitest';
import { codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import {
  asker,
  codeFor,
  command,
  eventsOf,
  linkTo,
  textOf,
  WORKSPACE,
  withSlack,
} from './slack.ts';

onBoth('linking an account in the chat', (kit) => {
  const slack = withSlack();
  const demo = withDemo(kit, slack.settings);
  const give = async (user: string, code: string) =>
    textOf(await command(kit, demo, user, `link ${code}`));
  const links = async (login: string) =>
    must(await demo.service.call(demo.tokens[login], 'GET', '/chat_links')).list as {
      id: string;
      chat_user_id: string;
      user: { name: string };
    }[];
  const speaksFor = async (user: string) => {
    const said = textOf(await command(kit, demo, user, 'requests'));
    return said.includes('not linked') ? null : said;
  };
  const token = (by: string | undefined, login: string) =>
    demo.service.call(by, 'POST', '/tokens', { login, name: 'x', expires_in_seconds: 3600 });

  it('takes a code that was made while logged in, and nothing else', async () => {
    expect(codeOf(await demo.service.call(undefined, 'POST', '/chat_links'))).toBe(
      'unauthenticated',
    );
    const code = await codeFor(demo, 'dana');
    expect(code).toMatch(/^pcl_[A-Za-z0-9_-]{22}$/);
    expect(await give('U0DANA', code)).toContain('now speaks for Dana Reyes (dana)');
    expect(await links('dana')).toMatchObject([
      { chat_user_id: 'U0DANA', workspace_id: WORKSPACE, chat: 'slack', issued_by: null },
    ]);
    const [event] = await eventsOf(kit, 'pam.chat_link.create');
    expect(event).toMatchObject({
      actor: { type: 'user', id: demo.ids.users.dana, name: 'Dana Reyes' },
      details: { workspace_id: WORKSPACE, chat_user_id: 'U0DANA' },
    });
    const kept = await kit.db.sql.selectFrom('chat_link_codes').selectAll().execute();
    expect(JSON.stringify([kept, await eventsOf(kit, 'pam.chat_link.create')])).not.toContain(code);
    expect(demo.service.lines.join('')).not.toContain(code);
  });

  it('the code serves once, whoever gives it again', async () => {
    const code = await codeFor(demo, 'ana');
    const many = await Promise.all(['U0ANA', 'U0EVE', 'U0MAL'].map((user) => give(user, code)));
    expect(many.filter((said) => said.includes('now speaks for'))).toHaveLength(1);
    expect(await give('U0EVE', code)).toContain('not valid');
    const [link] = await links('ana');
    must(await demo.service.call(demo.tokens.ana, 'DELETE', `/chat_links/${link!.id}`));
  });

  it('the code lives for 10 minutes, and a newer one ends it', async () => {
    const late = await codeFor(demo, 'ana');
    kit.clock.advance(600);
    expect(await give('U0ANA', late)).toContain('not valid');
    const first = await codeFor(demo, 'ana');
    const second = await codeFor(demo, 'ana');
    expect(await give('U0ANA', first)).toContain('not valid');
    expect(await give('U0ANA', second)).toContain('Ana Silva');
  });

  it.each(['pcl_', 'x', 'pcl_AAAAAAAAAAAAAAAAAAAAAA', `pcl_${'A'.repeat(3000)}`, "pcl_' or 1=1--"])(
    'no code: %s',
    async (code) => {
      const said = await give('U0NEW', code);
      expect(said).not.toContain('now speaks');
      expect(await speaksFor('U0NEW')).toBeNull();
    },
  );

  it('wrong codes are recorded like failed logins', async () => {
    const before = (await eventsOf(kit, 'pam.login.fail')).length;
    await give('U0NEW', 'pcl_BBBBBBBBBBBBBBBBBBBBBB');
    const events = await eventsOf(kit, 'pam.login.fail');
    expect(events).toHaveLength(before + 1);
    expect(events.at(-1)?.targets).toEqual([{ type: 'operation', id: 'slackLink', name: null }]);
  });

  it('one account for each person, one person for each account', async () => {
    expect(await give('U0DANA', await codeFor(demo, 'bo'))).toContain('has a link already');
    expect(await give('U0DANA2', await codeFor(demo, 'dana'))).toContain('has a link already');
    expect(await links('bo')).toEqual([]);
    expect(await links('dana')).toHaveLength(1);
    const codes = [await codeFor(demo, 'bo'), await codeFor(demo, 'uma')];
    const said = await Promise.all(codes.map((code) => give('U0BOTH', code)));
    expect(said.filter((text) => text.includes('now speaks for'))).toHaveLength(1);
  });

  it('a code dies with the token it was made with', async () => {
    const made = must(await token(demo.service.bootstrap, 'sam'));
    const code = must(await demo.service.call(made.token as string, 'POST', '/chat_links')).code;
    must(await demo.service.call(demo.tokens.pat, 'DELETE', `/tokens/${made.id}`));
    expect(await give('U0SAM', code as string)).toContain('not valid');
    const again = must(await token(demo.service.bootstrap, 'sam'));
    const second = must(await demo.service.call(again.token as string, 'POST', '/chat_links')).code;
    expect(await give('U0SAM', second as string)).toContain('Sam Okoro');
    // The link is a credential of its own.
    must(await demo.service.call(demo.tokens.pat, 'DELETE', `/tokens/${again.id}`));
    expect(await speaksFor('U0SAM')).not.toBeNull();
  });

  it('a service user has no account in the chat', async () => {
    const made = await demo.service.call(demo.service.bootstrap, 'POST', '/chat_links');
    expect(codeOf(made)).toBe('not_permitted');
  });

  it('no code while the clock cannot be trusted, nor a link', async () => {
    const { Refusal } = await import('../../src/platform/errors.ts');
    const code = await codeFor(demo, 'ellis');
    demo.service.clock.refusal = new Refusal('clock_unsafe', 'The clock is off.');
    const made = await demo.service.call(demo.tokens.ellis, 'POST', '/chat_links');
    expect(codeOf(made)).toBe('clock_unsafe');
    expect(await give('U0ELLIS', code)).toContain('The clock is off.');
    demo.service.clock.refusal = undefined;
    expect(await give('U0ELLIS', code)).toContain('Ellis Kim');
  });

  describe('ends', () => {
    it('by its person or a pam_admin, at once; others find nothing', async () => {
      const [link] = await links('dana');
      const path = `/chat_links/${link!.id}`;
      expect((await links('pat')).length).toBeGreaterThan(3);
      expect(codeOf(await demo.service.call(demo.tokens.bo, 'DELETE', path))).toBe('not_found');
      expect(await speaksFor('U0DANA')).not.toBeNull();
      must(await demo.service.call(demo.tokens.pat, 'DELETE', path));
      expect(await speaksFor('U0DANA')).toBeNull();
      expect(codeOf(await demo.service.call(demo.tokens.pat, 'DELETE', path))).toBe('not_found');
      const [event] = await eventsOf(kit, 'pam.chat_link.remove').then((all) => all.slice(-1));
      expect(event).toMatchObject({
        actor: { name: 'Pat Moreau' },
        details: { chat_user_id: 'U0DANA' },
      });
    });

    it('when its person is disabled, and stays ended', async () => {
      await asker(kit, demo, 'leaver');
      await linkTo(kit, demo, 'leaver', 'U0LEAVER');
      const code = await codeFor(demo, 'leaver');
      const id = await kit.db.sql
        .selectFrom('users')
        .select('id')
        .where('login', '=', 'leaver')
        .executeTakeFirstOrThrow();
      const patch = (to: string) =>
        demo.service.call(demo.tokens.pat, 'PATCH', `/users/${id.id}`, { status: to });
      must(await patch('DISABLED'));
      await demo.service.settled();
      expect(await speaksFor('U0LEAVER')).toBeNull();
      must(await patch('ACTIVE'));
      expect(await speaksFor('U0LEAVER')).toBeNull();
      expect(await give('U0LEAVER', code)).toContain('not valid');
    });

    it('with the tokens of whoever issued the one it was made with', async () => {
      await asker(kit, demo, 'helped');
      const patch = [{ kind: 'User', login: 'admin2', name: 'Second Admin', groups: ['owners'] }];
      must(await demo.service.call(demo.tokens.pat, 'POST', '/apply', { documents: patch }));
      const own = must(await token(demo.service.bootstrap, 'admin2')).token as string;
      const issued = must(await token(own, 'helped')).token as string;
      const made = must(await demo.service.call(issued, 'POST', '/chat_links'));
      expect(await give('U0HELPED', made.code as string)).toContain('helped');
      const [link] = await links('helped');
      expect(link).toMatchObject({ issued_by: { name: 'Second Admin' } });
      const other = must(await demo.service.call(issued, 'POST', '/chat_links'));
      const { id } = await kit.db.sql
        .selectFrom('users')
        .select('id')
        .where('login', '=', 'admin2')
        .executeTakeFirstOrThrow();
      const path = `/users/${id}`;
      must(await demo.service.call(demo.tokens.pat, 'PATCH', path, { status: 'DISABLED' }));
      expect(await speaksFor('U0HELPED')).toBeNull();
      expect(await give('U0HELPED', other.code as string)).toContain('not valid');
    });
  });

  it('tells its person, who may not have made it', async () => {
    const told = await kit.db.sql
      .selectFrom('messages')
      .select(['kind', 'to_user_id'])
      .where('kind', '=', 'chat_linked')
      .where('to_user_id', '=', demo.ids.users.dana!)
      .execute();
    expect(told).toHaveLength(1);
  });
});
