import type { AccessRequest } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { CALL_MS } from '../../src/chat/jobs-slack.ts';
import { Refusal } from '../../src/platform/errors.ts';
import { apply, REQUEST_TYPE, raisedBy, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { timeoutsStill } from '../kit/still.ts';
import {
  asker,
  BOT_TOKEN,
  eventsOf,
  fakeSlack,
  interact,
  linkTo,
  press,
  submission,
  withSlack,
} from './slack.ts';

type Message = Record<string, unknown>;

onBoth('deciding in the chat', (kit) => {
  const slack = withSlack();
  const demo = withDemo(kit, slack.settings);
  const NEEDS = {
    either: [
      { any: 1, of: ['manager'] },
      { any: 2, of: ['group:linux-approvers'] },
    ],
  };
  const withChat = (chat: boolean, needs: unknown = NEEDS) =>
    apply(demo, 'sam', [
      { ...REQUEST_TYPE, chat, steps: [{ name: 'Approval', needs, timeout: '24h' }] },
    ]);
  let n = 0;
  const ask = async (manager = 'dana') => {
    const login = `asker${n++}`;
    await asker(kit, demo, login, manager);
    return { login, request: await raisedBy(demo, login) };
  };
  const value = ({ id, etag }: AccessRequest, step = 0) => ({ request_id: id, etag, step });
  const now = (id: string) => show(demo.service, demo.tokens.sam, id);
  /** What Slack was told in answer to a button, as text. */
  const answered = async (payload: unknown, count = 1): Promise<Message[]> => {
    const said = await interact(kit, demo, payload);
    expect([said.statusCode, said.body]).toEqual([200, '']);
    return slack.take('/respond', count);
  };
  const pressed = async (user: string, action: string, what: unknown, count = 1): Promise<string> =>
    JSON.stringify(await answered(press(slack, user, action, what), count));
  /** A decision that counts is answered twice, in no order: to its maker, and in the card's place. */
  const decided = (user: string, action: string, what: unknown) => pressed(user, action, what, 2);

  beforeAll(async () => {
    await withChat(true);
    for (const login of ['dana', 'ana', 'bo', 'uma'])
      await linkTo(kit, demo, login, `U0${login.toUpperCase()}`);
  });

  describe('is refused', () => {
    it('to a requester who linked his own account with a token that he issued for his manager', async () => {
      // He is a pam_admin, and Dana's token in his hand is one that he made.
      await asker(kit, demo, 'mallory', 'uma');
      const person = { kind: 'User', login: 'mallory', name: 'Mallory', manager: 'mgr' };
      await apply(demo, 'pat', [{ kind: 'User', login: 'mgr', name: 'His Manager' }]);
      await apply(demo, 'pat', [{ ...person, groups: ['owners', 'linux-users'] }]);
      kit.clock.advance(1);
      await demo.gateway.renew();
      const request = await raisedBy(demo, 'mallory');
      const made = await demo.service.call(demo.tokens.mallory, 'POST', '/tokens', {
        login: 'mgr',
        name: 'x',
        expires_in_seconds: 3600,
      });
      demo.tokens.stolen = must(made).token as string;
      await linkTo(kit, demo, 'stolen', 'U0MALLORY');
      const said = await pressed('U0MALLORY', 'approve', value(request));
      expect(said).toContain('Whoever issued this token');
      const [refused] = (await eventsOf(kit, 'pam.operation.refuse')).slice(-1);
      expect(refused).toMatchObject({
        outcome: { reason: 'requester_cannot_decide' },
        details: { token_issued_by: expect.any(String) },
      });
      expect(await now(request.id)).toMatchObject({ state: 'pending', decisions: [] });
    });

    it('to an account that is not linked', async () => {
      const { request } = await ask();
      expect(await pressed('U0NOBODY', 'approve', value(request))).toContain('is not linked');
      expect(await pressed('U0NOBODY', 'deny', value(request))).toContain('is not linked');
      expect((await now(request.id)).decisions).toEqual([]);
    });

    it('to the requester, through his own link', async () => {
      const { login, request } = await ask();
      await linkTo(kit, demo, login, `U0${login.toUpperCase()}`);
      const said = await pressed(`U0${login.toUpperCase()}`, 'approve', value(request));
      expect(said).toContain('You raised this request');
      expect((await now(request.id)).state).toBe('pending');
    });

    it('where the type does not say chat, naming what to run instead', async () => {
      await withChat(false);
      const { request } = await ask();
      await withChat(true);
      for (const action of ['approve', 'deny']) {
        const said = await pressed('U0DANA', action, value(request));
        expect(said).toContain(`sft-admin ${action} ${request.id}`);
      }
      expect(slack.received).toEqual([]);
      expect((await now(request.id)).decisions).toEqual([]);
    });

    it('where the type said chat, and says so no longer', async () => {
      const { request } = await ask();
      await withChat(false);
      expect(await pressed('U0DANA', 'approve', value(request))).toContain(
        'not decided from a chat',
      );
      await withChat(true);
      expect(await decided('U0DANA', 'approve', value(request))).toContain('you approved');
    });

    it('on a card that is old; who may decide is shown the new one', async () => {
      const { request } = await ask();
      const old = { ...value(request), etag: '0' };
      const [message] = await answered(press(slack, 'U0DANA', 'approve', old));
      expect(message).toMatchObject({ response_type: 'ephemeral', replace_original: false });
      expect(JSON.stringify(message)).toContain('has changed since you read it');
      const { blocks } = message as { blocks: { elements?: { value: string }[] }[] };
      const button = blocks.at(-1)!.elements![0]!;
      expect(JSON.parse(button.value)).toEqual(value(request));
      const stranger = await pressed('U0UMA', 'approve', old);
      expect(stranger).not.toContain('"actions"');
      expect((await now(request.id)).decisions).toEqual([]);
      expect(await decided('U0DANA', 'approve', button.value)).toContain('you approved');
    });

    it('on another request than the card was of, unless it is his to decide too', async () => {
      const { request: hers } = await ask('dana');
      const { request: others } = await ask('uma');
      expect(await pressed('U0DANA', 'approve', value(others))).toContain('no such access request');
      const unknown = { ...value(hers), request_id: '00000000-0000-7000-8000-000000000000' };
      const said = await pressed('U0DANA', 'approve', unknown);
      expect(said).toContain('no such access request');
      expect(await decided('U0DANA', 'approve', value(hers))).toContain('you approved');
      expect((await now(others.id)).decisions).toEqual([]);
    });

    it.each([
      ['nothing', ''],
      ['no JSON', '{'],
      ['no id', { request_id: "x' or 1=1", etag: '1', step: 0 }],
      ['more than it has', { for_user_id: 'x' }],
      ['a step beyond', { step: 21 }],
      ['no number', { step: '0' }],
      ['an etag that is none', { etag: '"1"' }],
    ])('a button whose value is %s', async (_name, change) => {
      const { request } = await ask();
      const what = typeof change === 'string' ? change : { ...value(request), ...change };
      expect(await pressed('U0DANA', 'approve', what)).toContain('not one of Postern');
      expect((await now(request.id)).decisions).toEqual([]);
    });

    it('on a later step than the current one', async () => {
      const { request } = await ask();
      const said = await pressed('U0DANA', 'approve', value(request, 3));
      expect(said).toContain('Another step');
    });

    it('to approve while the clock cannot be trusted', async () => {
      const { request } = await ask();
      demo.service.clock.refusal = new Refusal('clock_unsafe', 'The clock is off.');
      expect(await pressed('U0DANA', 'approve', value(request))).toContain('The clock is off.');
      demo.service.clock.refusal = undefined;
      expect((await now(request.id)).decisions).toEqual([]);
    });

    it('to somebody disabled', async () => {
      await asker(kit, demo, 'boss', 'dana');
      await linkTo(kit, demo, 'boss', 'U0BOSS');
      const { request } = await ask('boss');
      const { id } = await kit.db.sql
        .selectFrom('users')
        .select('id')
        .where('login', '=', 'boss')
        .executeTakeFirstOrThrow();
      const gone = { status: 'DISABLED' };
      must(await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${id}`, gone));
      expect(await pressed('U0BOSS', 'approve', value(request))).toContain('is not linked');
    });

    it('to somebody who lost his role', async () => {
      const { request } = await ask();
      const roles = (list: string[]) =>
        demo.service.call(demo.tokens.pat, 'PUT', `/groups/${demo.ids.groups.everyone}/roles`, {
          roles: list,
        });
      must(await roles([]));
      expect(await pressed('U0DANA', 'approve', value(request))).toContain('holds no role');
      must(await roles(['end_user']));
      expect((await now(request.id)).decisions).toEqual([]);
    });
  });

  describe('approves', () => {
    it('exactly as sft-admin does: the vote, the event, the request', async () => {
      const { request } = await ask();
      const [outcome, said] = await answered(press(slack, 'U0DANA', 'approve', value(request)), 2);
      const messages = [outcome!, said!];
      const replaced = messages.find((one) => one.replace_original === true)!;
      expect(JSON.stringify(replaced)).toContain('Dana Reyes approved the request of');
      expect(JSON.stringify(replaced)).not.toContain('"actions"');
      expect(messages.find((one) => one.response_type === 'ephemeral')).toBeDefined();
      const after = await now(request.id);
      expect(after).toMatchObject({
        state: 'approved',
        decisions: [{ decision: 'approve', by: { name: 'Dana Reyes' }, for: null, comment: null }],
      });
      const vote = await kit.db.sql
        .selectFrom('access_request_decisions')
        .selectAll()
        .where('request_id', '=', request.id)
        .executeTakeFirstOrThrow();
      expect(vote).toMatchObject({ token_id: null, token_issued_by: null });
      const [event] = (await eventsOf(kit, 'access.request.decide')).slice(-1);
      expect(event).toMatchObject({
        actor: { id: demo.ids.users.dana },
        client_address: null,
        details: { via: 'slack', chat_link_id: expect.any(String) },
      });
    });

    it('one of two: the card stays, with buttons that decide what is there now', async () => {
      await withChat(true, { any: 2, of: ['group:linux-approvers'] });
      const { request } = await ask();
      const messages = await answered(press(slack, 'U0ANA', 'approve', value(request)), 2);
      const replaced = messages.find((one) => one.replace_original === true) as {
        blocks: { type: string; elements?: { value: string }[] }[];
      };
      const [button] = replaced.blocks.at(-1)!.elements!;
      expect(await pressed('U0ANA', 'approve', button!.value)).toContain('decided this step');
      const done = await answered(press(slack, 'U0BO', 'approve', button!.value), 2);
      expect(JSON.stringify(done)).toContain('It is approved.');
      expect((await now(request.id)).state).toBe('approved');
      await withChat(true);
    });

    it('once, whoever presses how often at the same time', async () => {
      const { request } = await ask();
      const payload = press(slack, 'U0DANA', 'approve', value(request));
      await Promise.all(Array.from({ length: 4 }, () => interact(kit, demo, payload)));
      await slack.take('/respond', 5);
      expect((await now(request.id)).decisions).toHaveLength(1);
    });
  });

  describe('denies', () => {
    const open = async (request: AccessRequest, user = 'U0DANA') => {
      await interact(kit, demo, press(slack, user, 'deny', value(request)));
      const [call] = await slack.take('/api/views.open');
      return call as {
        trigger_id: string;
        view: { callback_id: string; private_metadata: string };
      };
    };

    it('for a reason that a form asks for', async () => {
      const { request } = await ask();
      const { trigger_id, view } = await open(request);
      expect(trigger_id).toBe('2.1');
      const said = await interact(kit, demo, submission('U0DANA', view, { reason: 'not now' }));
      expect(said.json()).toMatchObject({ response_action: 'update' });
      expect(await now(request.id)).toMatchObject({
        state: 'denied',
        decisions: [{ decision: 'deny', comment: 'not now' }],
      });
      const [replaced] = await slack.take('/respond');
      expect(replaced).toMatchObject({ replace_original: true });
    });

    it('not without one, and not with one too long', async () => {
      const { request } = await ask();
      const { view } = await open(request);
      for (const reason of ['', '  ', 'x'.repeat(2001), { type: 'x' }, { value: null }]) {
        const said = await interact(kit, demo, submission('U0DANA', view, { reason }));
        expect(said.json()).toMatchObject({
          response_action: 'errors',
          errors: { reason: expect.any(String) },
        });
      }
      expect((await now(request.id)).state).toBe('pending');
    });

    it('not with a form that another one sends, or that names another request', async () => {
      const { request } = await ask();
      const { request: other } = await ask('uma');
      const { view } = await open(request);
      const sent = (user: string, metadata: string) =>
        interact(
          kit,
          demo,
          submission(user, { ...view, private_metadata: metadata }, { reason: 'no' }),
        );
      expect((await sent('U0NOBODY', view.private_metadata)).body).toContain('not linked');
      expect((await sent('U0UMA', view.private_metadata)).body).toContain('no such access request');
      const changed = JSON.stringify({ ...value(other) });
      expect((await sent('U0DANA', changed)).body).toContain('no such access request');
      expect((await sent('U0DANA', '{')).json()).toMatchObject({ response_action: 'errors' });
      expect((await now(request.id)).state).toBe('pending');
      expect((await now(other.id)).state).toBe('pending');
    });

    it('not where the form cannot be opened: what to run is said', async () => {
      const { request } = await ask();
      slack.reply = { body: '{"ok":false,"error":"expired_trigger_id"}' };
      const said = await interact(kit, demo, press(slack, 'U0DANA', 'deny', value(request)));
      expect(said.statusCode).toBe(200);
      const [message] = await slack.take('/respond');
      expect(JSON.stringify(message)).toContain(`sft-admin deny ${request.id}`);
      expect(demo.service.lines.join('')).toContain('expired_trigger_id');
    });

    // One call in vain is over within the 3 seconds that Slack gives us; two would not be.
    it('while Slack hangs: after one call in vain, and not after the next', async () => {
      const { request } = await ask();
      slack.reply = { hang: true };
      const before = demo.service.lines.length;
      const said = await timeoutsStill(async ({ pass, until }) => {
        const answer = interact(kit, demo, press(slack, 'U0DANA', 'deny', value(request)));
        await until(() => slack.received.length > 0);
        pass(CALL_MS);
        return await answer;
      });
      const told = demo.service.lines.slice(before).join('');
      expect(said.statusCode).toBe(200);
      expect(told.match(/"call":"[^"]*","error":"ETIMEDOUT"/g)).toEqual([
        '"call":"views.open","error":"ETIMEDOUT"',
      ]);
      const [message] = await slack.take('/respond');
      expect(JSON.stringify(message)).toContain(`sft-admin deny ${request.id}`);
    });
  });

  describe('answers', () => {
    it.each([
      'http://hooks.slack.com/actions/x',
      'https://hooks.slack.com.evil.test/x',
      'https://evil.test/hooks.slack.com',
      'https://x:y@hooks.slack.com/x',
      'https://hooks.slack.com:8443/x',
      'http://127.0.0.1:9/x',
      'http://169.254.169.254/latest/meta-data',
      'file:///etc/passwd',
      'javascript:1',
      'x',
    ])('nowhere but where Slack answers: not at %s', async (response_url) => {
      const { request } = await ask();
      const payload = press(slack, 'U0DANA', 'approve', value(request), { response_url });
      const said = await interact(kit, demo, payload);
      expect([said.statusCode, said.body]).toEqual([200, '']);
      expect((await now(request.id)).state).toBe('approved');
      expect(slack.received).toEqual([]);
    });

    it('not at another server of our own network, though that is there and listens', async () => {
      const elsewhere = fakeSlack();
      await elsewhere.start();
      const { request } = await ask();
      const url = { response_url: elsewhere.respond_url };
      await interact(kit, demo, press(slack, 'U0DANA', 'approve', value(request), url));
      await interact(kit, demo, press(slack, 'U0UMA', 'approve', value(request), url));
      const { request: other } = await ask();
      await answered(press(slack, 'U0DANA', 'approve', value(other)), 2);
      expect(elsewhere.received).toEqual([]);
      await elsewhere.stop();
    });

    it('with the bot’s token to the API alone, and never in the log', async () => {
      const { request } = await ask();
      await interact(kit, demo, press(slack, 'U0DANA', 'deny', value(request)));
      const call = slack.received.find(({ path }) => path === '/api/views.open');
      expect(call?.headers.authorization).toBe(`Bearer ${BOT_TOKEN}`);
      await slack.take('/api/views.open');
      await interact(kit, demo, press(slack, 'U0DANA', 'approve', value(request)));
      while (slack.received.length < 2) await new Promise((done) => setTimeout(done, 5));
      for (const { headers } of slack.received) expect(headers.authorization).toBeUndefined();
      await slack.take('/respond');
      expect(demo.service.lines.join('')).not.toContain(BOT_TOKEN);
    });
  });
});
