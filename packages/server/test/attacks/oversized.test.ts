import { beforeAll, describe, expect, it } from 'vitest';
import { codeOf, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { PREFIX } from '../kit/service.ts';
import { signedHeaders } from '../kit/sessions.ts';

onBoth('attack 13: more than anybody means to send', (kit) => {
  const demo = withDemo(kit);
  let request: { id: string; etag: string };
  const send = (
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    payload: string,
    token: string | undefined = demo.tokens.sam,
  ) =>
    demo.service.app.inject({
      method,
      url: PREFIX + path,
      payload,
      headers: {
        'content-type': 'application/json',
        'if-match': '"1"',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
  const post = (path: string, payload: string, token?: string) =>
    send('POST', path, payload, token);

  beforeAll(async () => {
    request = await raisedBy(demo, 'ellis');
  });

  it('two megabytes: body_too_large, before anybody is asked who he is', async () => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    for (const path of [
      '/apply',
      '/resolve',
      '/access_requests',
      '/security_policy',
      '/sessions',
    ]) {
      const said = await post(path, JSON.stringify({ text }), 'nonsense');
      expect([path, codeOf(said)]).toEqual([path, 'body_too_large']);
    }
    const gateway = await demo.gateway.call('POST', '/gateway/admissions', { text });
    expect(codeOf(gateway)).toBe('body_too_large');
  });

  describe.each([65, 10_000, 200_000])('%i levels deep', (depth) => {
    const deep = '['.repeat(depth) + ']'.repeat(depth);
    it('is refused on every path that takes a body', async () => {
      for (const path of [
        '/apply',
        '/security_policy',
        '/request_types',
        '/access_requests',
        '/evaluate',
      ]) {
        const said = await post(path, `{"a":${deep}}`);
        expect([path, codeOf(said)]).toEqual([path, 'invalid_request']);
      }
    });
    it('is refused from a gateway', async () => {
      const payload = Buffer.from(`{"a":${deep}}`);
      const path = '/gateway/lease';
      const said = await demo.service.app.inject({
        method: 'POST',
        url: PREFIX + path,
        payload,
        headers: {
          ...signedHeaders(kit, demo.gateway, 'POST', path, payload),
          'content-type': 'application/json',
        },
      });
      expect(codeOf(said)).toBe('invalid_request');
    });
  });

  it('many labels, names, answers, rules, documents: refused in few words', async () => {
    const many = (n: number) =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
    const rule = { name: 'R', resource_type: 'server_based_resource' };
    const tries: readonly (readonly ['POST' | 'PATCH', string, unknown])[] = [
      ['PATCH', `/inventory/servers/${demo.ids.server}`, { labels: many(50_000) }],
      ['POST', '/resolve', { names: Array(100_000).fill('a') }],
      ['POST', '/access_requests', { answers: many(50_000) }],
      ['POST', '/security_policy', { name: 'x', rules: Array(20_000).fill(rule) }],
      ['POST', '/security_policy', policyWith(many(20_000))],
      ['POST', '/request_types', { name: 'x', steps: Array(30_000).fill({ name: 's' }) }],
      ['POST', '/apply', { documents: Array(10_001).fill({ kind: 'Group' }) }],
    ];
    for (const [method, path, body] of tries) {
      const said = await send(method, path, JSON.stringify(body));
      const { length } = said.body;
      expect([path, said.statusCode >= 400 && said.statusCode < 500]).toEqual([path, true]);
      // An answer that grows with what was sent is an attack of its own.
      expect([path, length < 100_000]).toEqual([path, true]);
    }
  });

  it.each([
    '('.repeat(1000),
    `${'a,'.repeat(499)}a`,
    `${'a in (b),'.repeat(110)}a`,
    `a in (${'b,'.repeat(490)}b)`,
    `${'!'.repeat(900)}a`,
    `${'a'.repeat(990)}=b`,
    `${' '.repeat(900)}a`,
    'a=b,,c',
    'a\u0000=b',
    '__proto__=x,constructor',
    '(a+)+$',
  ])('the selector %j is answered', async (selector) => {
    const url = `${PREFIX}/servers?selector=${encodeURIComponent(selector)}`;
    const headers = { authorization: `Bearer ${demo.tokens.ellis}` };
    const said = await demo.service.app.inject({ url, headers });
    expect([200, 400]).toContain(said.statusCode);
  });

  it('numbers beyond all bounds, and names that are not data, are refused', async () => {
    const to = `/access_requests/${request.id}/decisions`;
    for (const body of [
      '{"decision":"approve","step":1e400}',
      '{"decision":"approve","step":-1}',
      '{"decision":"approve","step":0.5}',
      '{"decision":"approve","step":99999999999999999999}',
      '{"decision":"approve","step":"0"}',
      '{"decision":"approve","step":0,"__proto__":{"admin":true}}',
      '{"decision":"approve","step":0,"constructor":{"prototype":{}}}',
      '{"decision":["approve"],"step":0}',
      '{"decision":"approve","step":0} {}',
      '',
      'null',
      '[]',
      '"approve"',
    ])
      expect([body, codeOf(await post(to, body, demo.tokens.dana))]).toEqual([
        body,
        'invalid_request',
      ]);
    const other = await demo.service.app.inject({
      method: 'POST',
      url: PREFIX + to,
      payload: 'decision=approve&step=0',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${demo.tokens.dana}`,
        'if-match': '"1"',
      },
    });
    expect(codeOf(other)).toBe('unsupported_media_type');
  });

  it('no field decides that was not meant to: unknown ones are refused', async () => {
    const decided = await post(
      `/access_requests/${request.id}/decisions`,
      JSON.stringify({ decision: 'approve', step: 0, by_user_id: demo.ids.users.dana }),
      demo.tokens.ellis,
    );
    expect(codeOf(decided)).toBe('invalid_request');
    expect(decided.json().errors[0]).toMatchObject({
      pointer: '/by_user_id',
      code: 'unknown_field',
    });
  });
});

const policyWith = (labels: Record<string, string>) => ({
  name: 'x',
  active: true,
  principals: { user_groups: [{ name: 'linux-users' }] },
  rules: [
    {
      name: 'R',
      resource_type: 'server_based_resource',
      resource_selector: {
        selectors: [
          {
            selector_type: 'server_label',
            server_selector: { labels },
            account_selector_type: 'none',
          },
        ],
      },
      privileges: [{ privilege_type: 'principal_account_ssh', admin_level_permissions: false }],
      conditions: [],
    },
  ],
});
