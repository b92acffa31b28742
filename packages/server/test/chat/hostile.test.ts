import type { AccessRequest } from '@postern/shared';
import { beforeAll, expect, it } from 'vitest';
import { apply, methodsOf, REQUEST_TYPE, raised, requestBody, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { HOSTILE } from '../notifications/hostile.ts';
import { asker, command, interact, linkTo, press, submission, withSlack } from './slack.ts';

/** Every text in what leaves, with how Slack reads it. */
function* texts(value: unknown, key = ''): Generator<[string, string]> {
  if (typeof value === 'string') yield [key, value];
  else if (Array.isArray(value)) for (const item of value) yield* texts(item, key);
  else if (typeof value === 'object' && value !== null) {
    const { type, text } = value as { type?: unknown; text?: unknown };
    if (type === 'plain_text' && typeof text === 'string') yield ['plain', text];
    else if (type === 'mrkdwn' && typeof text === 'string') yield ['mrkdwn', text];
    else for (const [name, item] of Object.entries(value)) yield* texts(item, name);
  }
}

const UNSAFE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

/** No mention, channel or link, and nothing that hides: whatever the text was. */
function expectInert(message: unknown): void {
  for (const [how, text] of texts(message)) {
    if (how === 'mrkdwn' || how === 'text') expect(text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
    if (how === 'mrkdwn' || how === 'text' || how === 'plain') expect(text).not.toMatch(UNSAFE);
    if (how === 'plain') expect(text.length).toBeLessThanOrEqual(3_000);
  }
  expect(JSON.stringify(message).length).toBeLessThan(100_000);
}

onBoth('hostile text in the chat', (kit) => {
  const slack = withSlack();
  const demo = withDemo(kit, slack.settings);
  const publish = (more: object) =>
    apply(demo, 'sam', [
      {
        ...REQUEST_TYPE,
        chat: true,
        steps: [{ name: 'One', needs: { any: 1, of: ['manager'] } }],
        ...more,
      },
    ]);
  /** Names that the directory takes; the others it refuses. */
  const NAMES = HOSTILE.filter((text) => text.length < 100 && !/[\r\n\u0000\u202e]/.test(text));

  beforeAll(async () => {
    await publish({});
    await linkTo(kit, demo, 'dana', 'U0DANA');
  });

  it('in the name of a requester and of who decides: inert in every message', async () => {
    const boss = await asker(kit, demo, 'boss');
    await linkTo(kit, demo, 'boss', 'U0BOSS');
    const id = await asker(kit, demo, 'evil', 'boss');
    await linkTo(kit, demo, 'evil', 'U0EVIL');
    for (const name of NAMES) {
      for (const user of [boss, id])
        must(await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${user}`, { name }));
      kit.clock.advance(901);
      await demo.gateway.renew();
      const [method] = await methodsOf(demo.service, demo.tokens.evil, demo.ids.server);
      const request = await raised(demo.service, demo.tokens.evil, method!);
      const value = { request_id: request.id, etag: request.etag, step: 0 };
      await interact(kit, demo, press(slack, 'U0BOSS', 'approve', { ...value, etag: '0' }));
      await interact(kit, demo, press(slack, 'U0BOSS', 'deny', value));
      const [form] = (await slack.take('/api/views.open')) as never as [{ view: never }];
      const sent = submission('U0BOSS', form!.view, { reason: name });
      expectInert((await interact(kit, demo, sent)).json());
      expectInert((await command(kit, demo, 'U0EVIL', 'requests')).json());
      const said = await slack.take('/respond', 2);
      expect(said.length).toBe(2);
      for (const message of [form, ...said]) expectInert(message);
    }
  });

  it('in the command and in a code: not repeated', async () => {
    for (const text of HOSTILE) {
      const short = text.replaceAll('\u0000', '').slice(0, 1_000);
      for (const typed of [short, `link ${short}`, `request ${short}`, `requests ${short}`]) {
        const said = await command(kit, demo, 'U0DANA', typed);
        if (said.statusCode === 401) continue;
        expectInert(said.json());
        expect(said.body).not.toMatch(/channel>|evil\.test/);
      }
    }
  });

  it('in what a type asks: inert in its form', async () => {
    const prompts = HOSTILE.map((text) => text.replace(/[^\x20-\x7e]/g, '').slice(0, 200)).slice(
      0,
      14,
    );
    const fields = prompts.map((prompt, i) => ({
      key: `f${i}`,
      prompt: prompt || 'x',
      type: 'choice',
      options: [{ value: 'a', label: prompt || 'x' }, 'b'],
    }));
    await publish({ fields });
    await asker(kit, demo, 'reader');
    await linkTo(kit, demo, 'reader', 'U0READER');
    await command(kit, demo, 'U0READER', 'request');
    const [{ view }] = (await slack.take('/api/views.open')) as never as [
      { view: { callback_id: string; private_metadata: string; blocks: unknown[] } },
    ];
    expectInert(view);
    const [block] = view.blocks as [{ element: { options: { value: string }[] } }];
    const selected_option = { value: block.element.options[0]!.value };
    const sent = submission('U0READER', view, { target: { selected_option } });
    const said = (await interact(kit, demo, sent)).json();
    expectInert(said);
    for (const [how, text] of texts(said)) if (how === 'plain') expect(text).not.toBe('');
  });

  it('in an answer: stored as it is or refused, and inert where it is shown', async () => {
    await publish({});
    await asker(kit, demo, 'writer');
    await linkTo(kit, demo, 'writer', 'U0WRITER');
    for (const text of HOSTILE) {
      if (text.includes('\u0000')) continue;
      const [method] = await methodsOf(demo.service, demo.tokens.writer, demo.ids.server);
      const made = await demo.service.call(
        demo.tokens.writer,
        'POST',
        '/access_requests',
        requestBody(method!, text),
      );
      if (made.statusCode !== 201) continue;
      const request = made.json() as AccessRequest;
      const value = { request_id: request.id, etag: '0', step: 0 };
      await interact(kit, demo, press(slack, 'U0DANA', 'approve', value));
      const [card] = await slack.take('/respond');
      expectInert(card);
      await demo.service.call(demo.tokens.writer, 'POST', `/access_requests/${request.id}/cancel`);
    }
  });
});
