import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Instant } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { SlackSettings } from '../../src/chat/index.ts';
import { type Demo, makeUser } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';

export const WORKSPACE = 'T0DEMO';
export const BOT_TOKEN = 'xoxb-0-very-secret';
export const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Slack's API and its response URLs, on loopback. */
export interface FakeSlack {
  readonly settings: SlackSettings;
  readonly received: Received[];
  readonly respond_url: string;
  /** What the API answers next; ok when undefined. `drip`: a body without an end, bit by bit. */
  reply: { status?: number; body?: string; hang?: boolean; drip?: boolean };
  /** What came at a path since the last call of this, once there are so many. */
  take(path: string, count?: number): Promise<Record<string, unknown>[]>;
  start(): Promise<void>;
  /** As it was at the start: what hangs is answered, what came is forgotten. */
  reset(): void;
  stop(): Promise<void>;
}

/** One for the suite around it; no test leaves anything of it to the next. */
export function withSlack(): FakeSlack {
  const slack = fakeSlack();
  beforeAll(() => slack.start());
  afterEach(() => slack.reset());
  afterAll(() => slack.stop());
  return slack;
}

export function fakeSlack(): FakeSlack {
  const settings = {
    signing_secret: SECRET,
    bot_token: BOT_TOKEN,
    workspace_id: WORKSPACE,
    api_url: new URL('http://127.0.0.1:1/api'),
    allow_private: true,
  };
  const received: Received[] = [];
  const hanging: http.ServerResponse[] = [];
  const server = http.createServer(async (request, response) => {
    const text = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const { url = '', headers } = request;
    received.push({ path: url, headers, body: JSON.parse(text) });
    if (fake.reply.drip) {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    }
    if (fake.reply.hang || fake.reply.drip) return void hanging.push(response);
    response.writeHead(fake.reply.status ?? 200).end(fake.reply.body ?? '{"ok":true}');
  });
  const fake = {
    settings,
    received,
    respond_url: '',
    reply: {},
    take: async (path: string, count = 1) => {
      const until = performance.now() + 40_000;
      const there = () => received.filter((one) => one.path === path);
      while (there().length < count && performance.now() < until)
        await new Promise((done) => setTimeout(done, 5));
      const found = there();
      for (const one of found) received.splice(received.indexOf(one), 1);
      return found.map(({ body }) => body);
    },
    start: async () => {
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const { port } = server.address() as AddressInfo;
      settings.api_url = new URL(`http://127.0.0.1:${port}/api`);
      fake.respond_url = `http://127.0.0.1:${port}/respond`;
    },
    reset: () => {
      fake.reply = {};
      received.length = 0;
      for (const response of hanging.splice(0)) response.end('{"ok":true}');
    },
    stop: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  } as FakeSlack & { respond_url: string };
  return fake;
}

let serial = 0;

/** The two headers, as Slack would set them. */
export function signature(body: string, at: Instant, secret = SECRET): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const mac = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${mac}` };
}

export const FORM = 'application/x-www-form-urlencoded';

export const send = (
  demo: Demo,
  path: 'commands' | 'interactions',
  body: string,
  headers: Record<string, string>,
): Promise<LightMyRequestResponse> =>
  demo.service.app.inject({
    method: 'POST',
    url: `/chat/slack/${path}`,
    headers: { 'content-type': FORM, ...headers },
    payload: body,
  });

export const commandBody = (user: string, text: string, more: Record<string, string> = {}) =>
  new URLSearchParams({
    team_id: WORKSPACE,
    user_id: user,
    command: '/postern',
    text,
    trigger_id: `1.${serial++}`,
    ...more,
  }).toString();

/** A slash command that Slack signed. */
export function command(kit: Kit, demo: Demo, user: string, text: string) {
  const body = commandBody(user, text);
  return send(demo, 'commands', body, signature(body, kit.clock.now()));
}

/** An interaction that Slack signed. */
export function interact(kit: Kit, demo: Demo, payload: unknown) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const body = new URLSearchParams({ payload: text, n: String(serial++) }).toString();
  return send(demo, 'interactions', body, signature(body, kit.clock.now()));
}

export const from = (user: string) => ({
  team: { id: WORKSPACE, domain: 'demo' },
  user: { id: user, team_id: WORKSPACE, name: 'dana@example.test' },
});

export const press = (
  slack: FakeSlack,
  user: string,
  action_id: string,
  value: unknown,
  more: Record<string, unknown> = {},
) => ({
  type: 'block_actions',
  ...from(user),
  trigger_id: '2.1',
  response_url: slack.respond_url,
  actions: [
    {
      type: 'button',
      action_id,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    },
  ],
  ...more,
});

export const submission = (
  user: string,
  view: { callback_id: string; private_metadata: string },
  values: Record<string, unknown>,
) => ({
  type: 'view_submission',
  ...from(user),
  view: { ...view, state: { values: Object.fromEntries(Object.entries(values).map(filled)) } },
});

const filled = ([block, given]: [string, unknown]) => [
  block,
  { a: typeof given === 'string' ? { type: 'plain_text_input', value: given } : given },
];

export async function codeFor(demo: Demo, login: string): Promise<string> {
  const made = await demo.service.call(demo.tokens[login], 'POST', '/chat_links');
  return must(made).code as string;
}

/** All the text that was answered. */
export const textOf = (response: LightMyRequestResponse): string =>
  response.statusCode === 200 ? response.body : String(response.statusCode);

export async function linkTo(kit: Kit, demo: Demo, login: string, user: string): Promise<void> {
  const said = await command(kit, demo, user, `link ${await codeFor(demo, login)}`);
  if (!said.body.includes('now speaks for')) throw new Error(`${said.statusCode} ${said.body}`);
}

/** Somebody new whose manager is Dana and who may ask for the demo's server. */
export async function asker(
  kit: Kit,
  demo: Demo,
  login: string,
  manager = 'dana',
): Promise<string> {
  const id = await makeUser(demo, login, { manager, groups: ['linux-users'] });
  kit.clock.advance(1);
  await demo.gateway.renew();
  return id;
}

export const eventsOf = async (kit: Kit, type: string) =>
  kit.db.sql
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', type)
    .orderBy('id')
    .execute();
