import type { AccessRequest } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { apply, codeOf, REQUEST_TYPE, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import {
  asker,
  command,
  commandBody,
  eventsOf,
  interact,
  linkTo,
  send,
  submission,
  withSlack,
} from './slack.ts';

interface View {
  callback_id: string;
  private_metadata: string;
  blocks: {
    block_id: string;
    optional?: boolean;
    label?: { text: string };
    element: { type: string; options: { text: { text: string }; value: string }[] };
  }[];
}

onBoth('asking for access in the chat', (kit) => {
  const slack = withSlack();
  const demo = withDemo(kit, slack.settings);
  const FIELDS = [
    { key: 'why', prompt: 'Why?', type: 'text', required: true, max_length: 50 },
    { key: 'kind', prompt: 'What kind?', type: 'choice', options: ['fix', 'look'] },
    { key: 'day', prompt: 'Which day?', type: 'date' },
    { key: 'long', prompt: 'How long?', type: 'duration', min: '1h', max: '8h' },
  ];
  const publish = (more: object) =>
    apply(demo, 'sam', [
      { ...REQUEST_TYPE, steps: [{ name: 'One', needs: { any: 1, of: ['manager'] } }], ...more },
    ]);
  let n = 0;
  const somebody = async () => {
    const login = `wisher${n++}`;
    await asker(kit, demo, login);
    const user = `U0${login.toUpperCase()}`;
    await linkTo(kit, demo, login, user);
    return { login, user };
  };
  const opened = async (user: string, text = 'request') => {
    const said = await command(kit, demo, user, text);
    expect([said.statusCode, said.body]).toEqual([200, '']);
    const [call] = await slack.take('/api/views.open');
    return (call as unknown as { view: View }).view;
  };
  const chosen = async (user: string, view: View, identity = 'pamadmin1') => {
    const option = view.blocks[0]!.element.options.find(({ text }) => text.text.includes(identity));
    const values = { target: { type: 'static_select', selected_option: { value: option!.value } } };
    const said = await interact(kit, demo, submission(user, view, values));
    expect(said.json()).toMatchObject({ response_action: 'update' });
    return said.json().view as View;
  };
  const list = async (login: string) =>
    must(await demo.service.call(demo.tokens[login], 'GET', '/access_requests'))
      .list as AccessRequest[];

  beforeAll(() => publish({ fields: FIELDS }));

  it('offers what policy offers this person, and asks what the type asks', async () => {
    const { user } = await somebody();
    const first = await opened(user);
    const names = first.blocks[0]!.element.options.map(({ text }) => text.text);
    expect(names).toEqual(
      expect.arrayContaining(['opa-demo-linux as pamadmin1 (Server access approval)']),
    );
    const second = await chosen(user, first);
    expect(second.blocks.slice(1).map((b) => [b.label?.text, b.element.type, b.optional])).toEqual([
      ['Why?', 'plain_text_input', false],
      ['What kind?', 'static_select', true],
      ['Which day?', 'datepicker', true],
      ['How long?', 'plain_text_input', true],
    ]);
  });

  it('raises exactly what createAccessRequest would', async () => {
    const { login, user } = await somebody();
    const form = await chosen(user, await opened(user));
    const said = await interact(
      kit,
      demo,
      submission(user, form, {
        field_0: 'the disk is full',
        field_1: { selected_option: { value: '1' } },
        field_2: { selected_date: '2026-03-31' },
        field_3: '2h',
      }),
    );
    const [request] = await list(login);
    expect(said.body).toContain(`sft request show ${request!.id}`);
    expect(request).toMatchObject({
      state: 'pending',
      target: { identity: 'pamadmin1', server: { name: 'opa-demo-linux' } },
      answers: { why: 'the disk is full', kind: 'look', day: '2026-03-31', long: '2h' },
    });
    const [event] = (await eventsOf(kit, 'access.request.create')).slice(-1);
    expect(event).toMatchObject({
      actor: { name: `Test ${login}` },
      client_address: null,
      details: { via: 'slack', chat_link_id: expect.any(String) },
    });
    const shown = await command(kit, demo, user, 'requests');
    expect(shown.body).toContain(request!.id);
    await demo.service.settled();
    const again = await opened(user);
    const names = again.blocks[0]!.element.options.map(({ text }) => text.text);
    expect(names.filter((name) => name.includes('pamadmin1'))).toEqual([]);
  });

  it('says what is wrong at the field where it is', async () => {
    const { login, user } = await somebody();
    const form = await chosen(user, await opened(user));
    const said = await interact(
      kit,
      demo,
      submission(user, form, {
        field_0: '',
        field_1: { selected_option: { value: '7' } },
        field_2: { selected_date: '2020-01-01' },
        field_3: '9h',
      }),
    );
    expect(said.json()).toEqual({
      response_action: 'errors',
      errors: {
        field_0: 'must be answered',
        field_1: 'must be one of the choices',
        field_2: 'must not be past',
        field_3: 'must be 3600 to 28800 seconds',
      },
    });
    expect(await list(login)).toEqual([]);
  });

  it('with a link that was made with a token from somebody else: he stays on the request', async () => {
    await asker(kit, demo, 'given');
    const body = { login: 'given', name: 'x', expires_in_seconds: 3600 };
    const made = must(await demo.service.call(demo.tokens.pat, 'POST', '/tokens', body));
    demo.tokens.issued = made.token as string;
    await linkTo(kit, demo, 'issued', 'U0GIVEN');
    const form = await chosen('U0GIVEN', await opened('U0GIVEN'));
    await interact(kit, demo, submission('U0GIVEN', form, { field_0: 'because' }));
    const row = await kit.db.sql
      .selectFrom('access_requests')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    expect(row.requester_token_issued_by).toBe(demo.ids.users.pat);
  });

  describe('is refused', () => {
    it('to an account that is not linked', async () => {
      for (const text of ['request', 'requests', 'request opa'])
        expect((await command(kit, demo, 'U0NOBODY', text)).body).toContain('not linked');
      const view = {
        callback_id: 'postern_fields',
        private_metadata: '{"target":"x","version":1}',
      };
      const said = await interact(kit, demo, submission('U0NOBODY', view, { field_0: 'x' }));
      expect(said.body).toContain('not linked');
    });

    it('for a target that was not offered, however it is spelled', async () => {
      const { user: one } = await somebody();
      await linkTo(kit, demo, 'uma', 'U0UMA');
      const view = await opened(one);
      const theirs = view.blocks[0]!.element.options[0]!.value;
      const server = theirs.split('.')[0];
      const wishes = [theirs, `${server}.AAAAAAAAAAAAAAAAAAAAAA`, 'x', "' or 1=1", '__proto__'];
      for (const target of wishes) {
        const values = { target: { selected_option: { value: target } } };
        const chosen = await interact(kit, demo, submission('U0UMA', view, values));
        expect(chosen.body).toContain('not offered');
        const metadata = JSON.stringify({ target, version: 1 });
        const form = { callback_id: 'postern_fields', private_metadata: metadata };
        const sent = await interact(kit, demo, submission('U0UMA', form, { field_0: 'x' }));
        expect(sent.body).toContain('not offered');
      }
      expect(await list('uma')).toEqual([]);
      expect((await command(kit, demo, 'U0UMA', 'request')).body).toContain('nothing to ask for');
    });

    it('with a form of an older version of the type', async () => {
      const { login, user } = await somebody();
      const form = await chosen(user, await opened(user));
      await publish({ fields: [...FIELDS].reverse() });
      await publish({ fields: FIELDS });
      const said = await interact(kit, demo, submission(user, form, { field_0: 'because' }));
      expect(said.body).toContain('not the one of today');
      expect(await list(login)).toEqual([]);
    });

    it('for a form that is none of ours, or is broken', async () => {
      const { login, user } = await somebody();
      const form = await chosen(user, await opened(user));
      for (const private_metadata of ['', '{', '{"target":1}', '[]', 'null'])
        expect(
          (await interact(kit, demo, submission(user, { ...form, private_metadata }, {}))).body,
        ).toContain('not offered');
      const other = { ...form, callback_id: 'other' };
      expect((await interact(kit, demo, submission(user, other, {}))).body).toBe('');
      for (const values of [{ field_0: [] }, { field_0: { value: 7 } }, { __proto__: 'x' }, {}]) {
        const said = await interact(kit, demo, submission(user, form, values));
        expect(said.json()).toMatchObject({ response_action: 'errors' });
      }
      expect(await list(login)).toEqual([]);
    });
  });

  it('says so when Slack opens no form', async () => {
    const { user } = await somebody();
    for (const reply of [{ status: 500 }, { body: 'x' }, { body: 'null' }, { body: '{}' }]) {
      slack.reply = reply;
      expect((await command(kit, demo, user, 'request')).body).toContain('did not open');
    }
    slack.reply = { status: 302 };
    expect((await command(kit, demo, user, 'request')).body).toContain('did not open');
  });

  it('shows servers with the text in their name, and help for the rest', async () => {
    const { user } = await somebody();
    expect((await opened(user, 'request OPA-DEMO')).blocks[0]!.element.options.length).toBe(2);
    expect((await command(kit, demo, user, 'request nothere')).body).toContain('nothing to ask');
    for (const text of ['', 'help', 'x', 'link', 'link a b', 'request a b', '<!channel>'])
      expect((await command(kit, demo, user, text)).body).toContain('/postern link CODE');
  });

  it('opens nothing else: a link is no token', async () => {
    const { user } = await somebody();
    const body = commandBody(user, 'requests');
    const said = await send(demo, 'commands', body, { authorization: `Bearer ${user}` });
    expect(said.statusCode).toBe(401);
    const api = await demo.service.call(user, 'GET', '/whoami');
    expect(codeOf(api)).toBe('unauthenticated');
  });
});
