import { plus, seconds } from '@postern/shared';
import { expect, it } from 'vitest';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  command,
  commandBody,
  eventsOf,
  from,
  interact,
  press,
  send,
  signature,
  WORKSPACE,
  withSlack,
} from './slack.ts';

onBoth('what did not come from Slack, just now, once', (kit) => {
  const slack = withSlack();
  const demo = withDemo(kit, slack.settings);
  const now = () => kit.clock.now();
  const at = (offset: number) => plus(now(), seconds(offset));
  let n = 0;
  const fresh = (more = {}) => commandBody('U0NOBODY', `help ${n++}`, more);
  const status = async (body: string, headers: Record<string, string>) => {
    const said = await send(demo, 'commands', body, headers);
    return `${said.statusCode} ${said.body.slice(0, 40)}`;
  };

  it('is served when it is signed', async () => {
    const said = await command(kit, demo, 'U0NOBODY', 'help');
    expect(said.statusCode).toBe(200);
    expect(said.json()).toMatchObject({ response_type: 'ephemeral' });
    expect(said.headers['cache-control']).toBe('no-store');
  });

  it('401, and not a word: unsigned, half signed, or signed with another secret', async () => {
    const body = fresh();
    const good = signature(body, now());
    const { 'x-slack-signature': mac, ...rest } = good;
    expect(await status(body, {})).toBe('401 ');
    expect(await status(body, rest)).toBe('401 ');
    expect(await status(body, { 'x-slack-signature': mac! })).toBe('401 ');
    expect(await status(body, signature(body, now(), 'another'))).toBe('401 ');
    expect(await status(body, signature(body, now(), ''))).toBe('401 ');
  });

  it.each([
    ['no version', (mac: string) => mac.slice(3)],
    ['another version', (mac: string) => `v1${mac.slice(2)}`],
    ['upper case', (mac: string) => mac.toUpperCase()],
    ['cut', (mac: string) => mac.slice(0, -1)],
    ['more', (mac: string) => `${mac}0`],
    ['two of them', (mac: string) => `${mac}, ${mac}`],
    ['empty', () => ''],
  ])('401: a signature that is %s', async (_name, change) => {
    const body = fresh();
    const good = signature(body, now());
    const mac = change(good['x-slack-signature']!);
    expect(await status(body, { ...good, 'x-slack-signature': mac })).toBe('401 ');
  });

  it.each([
    [-301, '401 '],
    [-3600, '401 '],
    [301, '401 '],
    [86_400, '401 '],
  ])('a time-stamp %d s off: %s', async (offset, expected) => {
    const body = fresh();
    expect(await status(body, signature(body, at(offset)))).toBe(expected);
  });

  it.each([-300, -1, 0, 1, 300])('a time-stamp %d s off is in time', async (offset) => {
    const body = fresh();
    expect(await status(body, signature(body, at(offset)))).toMatch(/^200 /);
  });

  it.each(['', 'x', '1e9', '-1', '0x1', ' 1', '99999999999999', '1.5'])(
    '401: %j for a time-stamp, though it is signed',
    async (timestamp) => {
      const body = fresh();
      const good = signature(body, now());
      const headers = { ...good, 'x-slack-request-timestamp': timestamp };
      expect(await status(body, headers)).toBe('401 ');
    },
  );

  it('401: the same signature again, at once or many times at the same time', async () => {
    const body = fresh();
    const headers = signature(body, now());
    const all = await Promise.all(Array.from({ length: 5 }, () => status(body, headers)));
    expect(all.filter((one) => one.startsWith('200'))).toHaveLength(1);
    expect(all.filter((one) => one === '401 ')).toHaveLength(4);
    expect(await status(body, headers)).toBe('401 ');
  });

  it('401: a signature of one address used at the other', async () => {
    const body = fresh();
    const headers = signature(body, now());
    expect(await status(body, headers)).toMatch(/^200/);
    expect((await send(demo, 'interactions', body, headers)).statusCode).toBe(401);
  });

  it('401: a body that was changed, by a byte or by its meaning', async () => {
    const body = fresh();
    const headers = signature(body, now());
    expect(await status(body.replace('U0NOBODY', 'U0SOMEONE'), headers)).toBe('401 ');
    expect(await status(`${body}&text=x`, headers)).toBe('401 ');
    expect(await status(`${body} `, headers)).toBe('401 ');
    expect(await status('', headers)).toBe('401 ');
  });

  it('401: bytes that are no ASCII, whatever the signature', async () => {
    const body = `${fresh()}&x=é`;
    expect(await status(body, signature(body, now()))).toBe('401 ');
    const nul = `${fresh()}&x=\u0000`;
    expect(await status(nul, signature(nul, now()))).toBe('401 ');
  });

  it('401: another workspace, or nobody in particular', async () => {
    for (const more of [
      { team_id: 'T0OTHER' },
      { team_id: '' },
      { user_id: '' },
      { user_id: 'u' },
    ]) {
      const body = fresh(more);
      expect(await status(body, signature(body, now()))).toBe('401 ');
    }
    const twice = `${fresh({ team_id: 'T0OTHER' })}&team_id=${WORKSPACE}`;
    expect(await status(twice, signature(twice, now()))).toBe('401 ');
    const button = press(slack, 'U0DANA', 'approve', {});
    const other = [
      { ...button, team: { id: 'T0OTHER' } },
      { ...button, user: { id: 'U0DANA', team_id: 'T0OTHER' } },
      { ...button, team: null },
      { type: 'message_action', ...from('U0DANA'), team: { id: 'T0OTHER' } },
    ];
    for (const payload of other) expect((await interact(kit, demo, payload)).statusCode).toBe(401);
  });

  it.each([
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencodedx',
    '',
  ])('401: as %j', async (type) => {
    const body = fresh();
    expect(await status(body, { ...signature(body, now()), 'content-type': type })).toBe('401 ');
  });

  it('401: larger than 64 kB, as it says or as it is', async () => {
    const body = fresh({ more: 'x'.repeat(70_000) });
    expect(await status(body, signature(body, now()))).toBe('401 ');
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['deep JSON', `${'['.repeat(50_000)}`.slice(0, 20_000)],
    ['deep JSON that ends', `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['a NUL', JSON.stringify({ ...press(slack, 'U0A', 'approve', 'a\u0000') })],
    ['half a pair', `{"type":"block_actions","x":"\\ud800"}`],
    ['no user', JSON.stringify({ type: 'block_actions', team: { id: WORKSPACE } })],
    ['no actions', JSON.stringify({ ...press(slack, 'U0A', 'approve', ''), actions: [] })],
    ['a prototype', `{"__proto__":{"type":"block_actions"},"team":{"id":"${WORKSPACE}"}}`],
  ])('401: a payload that is %s, though it is signed', async (_name, payload) => {
    expect((await interact(kit, demo, payload)).statusCode).toBe(401);
  });

  it('200, and nothing done: an interaction that is none of ours', async () => {
    const said = await interact(kit, demo, { type: 'view_closed', ...from('U0DANA') });
    expect([said.statusCode, said.body]).toEqual([200, '']);
    const menu = await interact(kit, demo, press(slack, 'U0DANA', 'other', 'x'));
    expect([menu.statusCode, menu.body]).toEqual([200, '']);
  });

  it('is recorded like a failed login, at most 60 times a minute from one address', async () => {
    for (let i = 0; i < 70; i++) await status(fresh(), {});
    const events = await eventsOf(kit, 'pam.login.fail');
    expect(events.length).toBeLessThanOrEqual(60);
    expect(events.at(-1)).toMatchObject({
      actor: { type: 'unknown', id: null, name: null },
      outcome: { result: 'failure', reason: 'unauthenticated' },
      client_address: '127.0.0.1',
      details: {},
    });
  });

  it('forgets signatures a day after they stopped being valid', async () => {
    const count = async () =>
      (await kit.db.sql.selectFrom('chat_signatures').select('signature').execute()).length;
    expect(await count()).toBeGreaterThan(5);
    kit.clock.advance(86_400 + 601);
    await command(kit, demo, 'U0NOBODY', 'help');
    expect(await count()).toBe(1);
  });
});

onBoth('where no chat is set up', (kit) => {
  const demo = withDemo(kit, null);

  it('there is nothing, signed or not; and no code is made', async () => {
    const body = commandBody('U0NOBODY', 'help');
    for (const headers of [{}, signature(body, kit.clock.now())])
      for (const path of ['commands', 'interactions'] as const)
        expect((await send(demo, path, body, headers)).statusCode).toBe(404);
    const made = await demo.service.call(demo.tokens.dana, 'POST', '/chat_links');
    expect(made.json()).toMatchObject({ code: 'state_conflict', next: expect.any(String) });
  });
});
