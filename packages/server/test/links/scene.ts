import type { AccessRequest } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Demo, raisedBy, withDemo } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { askInSteps, browser, linkTo, newRequester, traces } from './world.ts';

export const ANYBODY = { any: 1, of: ['manager', 'group:linux-approvers'] };
export const TWO = { any: 2, of: ['manager', 'group:linux-approvers'] };
export const GONE = 'This link is not valid any more';

export interface Scene {
  readonly demo: Demo;
  page: ReturnType<typeof browser>;
  request: AccessRequest;
  /** Who raised it. */
  who: { login: string; id: string };
  /** Dana's, to the request. */
  link: string;
  before: Awaited<ReturnType<typeof traces>>;
  /** All that were made, and all that was answered. */
  readonly links: string[];
  readonly sent: LightMyRequestResponse[];
  token(login: string): string | undefined;
  /** A link of that person to the request. */
  linkFor(user: string): Promise<string>;
  /** A new request, of somebody new. */
  raise(document?: Parameters<typeof newRequester>[2]): Promise<void>;
  /** This was said, and nothing that matters is different. */
  nothing(response: LightMyRequestResponse, status: number, text: string): Promise<void>;
}

/** The demo world, and for each test a request of somebody new with a link for Dana. */
export function withScene(kit: Kit): Scene {
  const demo = withDemo(kit);
  const scene = {} as Scene;
  Object.assign(scene, {
    demo,
    links: [],
    sent: [],
    token: (login) => demo.tokens[login],
    linkFor: async (user) => {
      const made = await linkTo(kit, scene.request.id, demo.ids.users[user] ?? user);
      scene.links.push(made);
      return made;
    },
    raise: async (document) => {
      scene.who = await newRequester(demo, kit, document);
      scene.request = await raisedBy(demo, scene.who.login);
      scene.link = await scene.linkFor('dana');
      scene.before = await traces(kit, scene.request.id);
    },
    nothing: async (response, status, text) => {
      scene.sent.push(response);
      expect([response.statusCode, response.body]).toEqual([status, expect.stringContaining(text)]);
      expect(await traces(kit, scene.request.id)).toEqual(scene.before);
    },
  } satisfies Partial<Scene>);
  beforeAll(async () => {
    scene.page = browser(demo);
    await askInSteps(demo, kit, ANYBODY);
  });
  beforeEach(() => scene.raise());
  return scene;
}

/** What holds for every answer and every line that the tests before have brought about. */
export function atTheEnd(kit: Kit, scene: Scene): void {
  const { sent, links } = scene;
  describe('at the end', () => {
    it('no answer leads elsewhere, can be framed, kept or run, or gives a secret back', async () => {
      const { page, link } = scene;
      const bad = await page.submit(link, 'pst_tried', { comment: 'kept' });
      for (const url of [`${link}?next=https://evil.example`, `${link}?url=//evil.example`])
        sent.push(await page.open(url), await page.post(url, {}));
      sent.push(bad, await page.open(link), await page.open(link, 'HEAD'));
      for (const { statusCode, headers, body } of sent) {
        expect(statusCode < 300 || statusCode >= 400).toBe(true);
        expect(headers).toMatchObject({
          'content-security-policy': expect.stringMatching(
            /^default-src 'none';style-src 'sha256-[\w+/]{43}=';form-action 'self';base-uri 'none';frame-ancestors 'none'$/,
          ),
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
        });
        expect(headers.location ?? headers['set-cookie'] ?? headers.refresh).toBeUndefined();
        expect(body).not.toMatch(/<script|<iframe|<a |<img|action=|http-equiv|evil\.example|pst_/);
        for (const made of links) expect(body).not.toContain(made.slice(8));
      }
      expect(bad.body).toContain('kept</textarea>');
    });

    it('no log line, event, row or metric holds a link or a token', async () => {
      const { sql } = kit.db;
      const { service, tokens } = scene.demo;
      const all = [
        ...service.lines,
        JSON.stringify(await sql.selectFrom('audit_events').selectAll().execute()),
        JSON.stringify(await sql.selectFrom('decision_links').selectAll().execute()),
        (await service.app.inject('/metrics')).body,
      ].join('\n');
      expect(service.lines.some((line) => line.includes('"/decide/:secret"'))).toBe(true);
      for (const secret of [...links.map((made) => made.slice(8)), ...Object.values(tokens)])
        expect(all).not.toContain(secret);
      expect(all).not.toMatch(/pst_[0-9a-f]/);
    });
  });
}
