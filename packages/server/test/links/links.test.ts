import { plus, seconds } from '@postern/shared';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { createLinkFor } from '../../src/links/index.ts';
import { createDescribe } from '../../src/notifications/service-describe.ts';
import { json } from '../../src/platform/columns.ts';
import { describePending } from '../../src/requests/index.ts';
import { apply, decide, REQUEST_TYPE, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';
import { askInSteps, browser, linkTo, newRequester } from './world.ts';

const EVIL = `"'></textarea><script>alert(1)</script><img src=x onerror=alert(1)>`;

onBoth('links to the decision page', (kit) => {
  const demo = withDemo(kit);
  let request: Awaited<ReturnType<typeof raisedBy>>;
  const dana = () => demo.ids.users.dana!;
  const link = (url: string | undefined = PUBLIC_URL, id = request.id) =>
    kit.transact((tx) => createLinkFor(url)(tx, id, dana()));
  const stored = () =>
    kit.db.sql
      .selectFrom('decision_links')
      .selectAll()
      .where('request_id', '=', request.id)
      .orderBy('id')
      .execute();

  beforeAll(() => askInSteps(demo, kit, { any: 2, of: ['manager', 'group:linux-approvers'] }));
  beforeEach(async () => {
    request = await raisedBy(demo, (await newRequester(demo, kit)).login);
  });

  it('256 random bits, of which a hash is kept, under the address of the service', async () => {
    const [one, two] = [await link(), await link()];
    expect(one).toMatch(/^https:\/\/postern\.example\.test\/decide\/[\w-]{43}$/);
    expect(one).not.toBe(two);
    expect(JSON.stringify(await stored())).not.toContain(one!.slice(-43));
    expect((await stored())[0]).toMatchObject({ user_id: dana(), step: 0, used_at: null });
  });

  it('none where the service has no address, or nothing waits for a decision', async () => {
    expect(await kit.transact((tx) => createLinkFor(undefined)(tx, request.id, dana()))).toBeNull();
    expect(await link(PUBLIC_URL, dana())).toBeNull();
    must(await demo.service.call(demo.tokens.dana, 'GET', `/access_requests/${request.id}`));
    must(await decide(demo.service, demo.tokens.dana, request, { decision: 'deny' }));
    expect(await link()).toBeNull();
    expect(await stored()).toEqual([]);
  });

  it('expires with the step, or after 72 h', async () => {
    await link();
    expect((await stored())[0]?.expires_at).toBe(plus(kit.clock.now(), seconds(24 * 3600)));
    const long = { name: 'Slow', needs: { any: 1, of: ['manager'] }, timeout: '200h' };
    await apply(demo, 'sam', [{ ...REQUEST_TYPE, steps: [long] }]);
    request = await raisedBy(demo, (await newRequester(demo, kit)).login);
    await link();
    expect((await stored())[0]?.expires_at).toBe(plus(kit.clock.now(), seconds(72 * 3600)));
  });

  it('none for a step whose time is over', async () => {
    await kit.db.sql
      .updateTable('access_requests')
      .set({ step_expires_at: kit.clock.now() })
      .where('id', '=', request.id)
      .execute();
    expect(await link()).toBeNull();
  });

  it('however often a mail is tried, a few of the newest open the page', async () => {
    const page = browser(demo);
    const urls: string[] = [];
    for (let i = 0; i < 12; i++) urls.push(await linkTo(kit, request.id, dana()));
    const anas = await linkTo(kit, request.id, demo.ids.users.ana!);
    expect(await stored()).toHaveLength(8 + 1);
    const open = await Promise.all(urls.map(async (url) => (await page.open(url)).statusCode));
    expect(open).toEqual([...Array(4).fill(404), ...Array(8).fill(200)]);
    expect((await page.open(anas)).statusCode).toBe(200);
  });

  it('many at once: no more than a few stay', async () => {
    await Promise.all(Array.from({ length: 12 }, () => link()));
    await link();
    expect((await stored()).length).toBeLessThanOrEqual(8);
  });

  it('those that ran out are removed with the next one', async () => {
    await link();
    await kit.db.sql
      .updateTable('decision_links')
      .set({ created_at: plus(kit.clock.now(), seconds(-2)), expires_at: kit.clock.now() })
      .where('request_id', '=', request.id)
      .execute();
    const other = await raisedBy(demo, (await newRequester(demo, kit)).login);
    await link(PUBLIC_URL, other.id);
    expect(await stored()).toEqual([]);
  });

  it('a mail to an approver has one that opens his page; one to a channel has none', async () => {
    const describe = createDescribe({
      pendingFor: describePending,
      linkFor: createLinkFor(PUBLIC_URL),
    });
    const told = (personal: boolean) =>
      kit.transact((tx) =>
        describe(tx, {
          kind: 'approval_needed',
          request_id: request.id,
          person: { id: dana(), name: 'Dana' },
          personal,
          body: {},
        }),
      );
    const notice = await told(true);
    const opened = await browser(demo).open(notice!.link!.slice(PUBLIC_URL.length));
    expect(opened.body).toContain('Access token of Dana Reyes (dana)');
    expect((await told(false))?.link).toBeNull();
  });

  it('attack 11: XSS in every free text of the page', async () => {
    const who = await newRequester(demo, kit, { name: `Req ${EVIL}` });
    const field = { key: 'why', prompt: `Why? ${EVIL}`, type: 'text', required: true };
    const needs = { any: 2, of: ['manager', 'group:linux-approvers'] };
    await apply(demo, 'sam', [
      {
        ...REQUEST_TYPE,
        fields: [...REQUEST_TYPE.fields, { ...field, required: false }],
        steps: [{ name: `Step ${EVIL}`, needs, timeout: '24h' }],
      },
    ]);
    kit.clock.advance(1);
    const raw = await raisedBy(demo, who.login);
    const { sql } = kit.db;
    const row = await sql
      .selectFrom('access_requests')
      .select('card')
      .where('id', '=', raw.id)
      .executeTakeFirstOrThrow();
    // What no rule for names lets in, as if there were none.
    const card = row.card as { target: { server: { name: string } }; answers: unknown };
    card.target.server.name = `host ${EVIL}`;
    card.answers = { justification: `just ${EVIL}`, [EVIL]: 'x' };
    await sql
      .updateTable('access_requests')
      .set({ card: json(card) })
      .where('id', '=', raw.id)
      .execute();
    must(await decide(demo.service, demo.tokens.ana, raw, { comment: `comment ${EVIL}` }));
    const page = browser(demo);
    const url = await linkTo(kit, raw.id, dana());
    const pages = [
      await page.open(url),
      await page.submit(url, 'x', { comment: `typed ${EVIL}` }),
      await page.submit(url, 'x', { decision: EVIL, comment: EVIL }),
    ];
    for (const { body } of pages) {
      for (const text of ['Req', 'Why?', 'Step', 'host', 'just', 'comment'])
        expect(body).toContain(`${text} &quot;&#39;&gt;&lt;/textarea&gt;&lt;script&gt;`);
      const tags = new Set([...body.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag));
      expect([...tags].sort().join(' ')).toMatch(
        /^body button dd (div )?dl dt fieldset form h1 h2 head html input label legend main meta p style textarea title$/,
      );
      expect(body.match(/<[^>]*\son\w+=/)).toBeNull();
      expect(body.match(/<\/textarea>/g)).toHaveLength(1);
    }
    expect(pages[1]!.body).toContain('typed &quot;');
    const done = await page.submit(url, demo.tokens.dana);
    expect(done.body).toContain('<h1>Approved</h1>');
    expect(done.body).not.toMatch(/<script|<img/);
  });
});
