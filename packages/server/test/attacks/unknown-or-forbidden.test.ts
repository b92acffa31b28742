import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  approvedFor,
  codeOf,
  makeUser,
  methodFor,
  raisedBy,
  requestBody,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs } from '../kit/sessions.ts';

/** A body without what differs from call to call, and without the name that was asked for. */
const bare = (body: string, ...asked: string[]): string =>
  asked.reduce((text, name) => text.replaceAll(name, '?'), body).replace(/"trace_id":"[^"]*"/, '');

onBoth('attack 9: what is forbidden answers as what is not there', (kit) => {
  const demo = withDemo(kit);
  const call = (login: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    demo.service.call(demo.tokens[login], method, path, body);
  let forbidden: { id: string; account: string };
  const unknown = '019cadc6-9a80-711c-9543-734286db22db';

  beforeAll(async () => {
    await apply(demo, 'sam', [
      {
        kind: 'Server',
        resource_group: 'demo',
        project: 'demo',
        hostname: 'hidden-box',
        alt_names: ['hidden-alt'],
        access_address: '192.0.2.1',
        labels: { env: 'secret' },
        accounts: [{ username: 'root', credential: { type: 'password', password: 'x' } }],
      },
    ]);
    const found = must(await call('sam', 'GET', '/inventory/servers?hostname=hidden-box'));
    const [server] = found.list as { id: string; accounts: { id: string }[] }[];
    forbidden = { id: server!.id, account: server!.accounts[0]!.id };
    await makeUser(demo, 'stranger', { groups: [] });
    kit.clock.advance(1);
    await demo.gateway.renew();
    await demo.service.settled();
  });

  it('resolve', async () => {
    const said = async (name: string) =>
      (await call('ellis', 'POST', '/resolve', { names: [name] })).body;
    expect(bare(await said('hidden-box'), 'hidden-box')).toBe(
      bare(await said('nowhere-at'), 'nowhere-at'),
    );
    expect(bare(await said('hidden-alt'), 'hidden-alt')).toBe(
      bare(await said('nowhere-at'), 'nowhere-at'),
    );
    const [mixed] = [
      await call('ellis', 'POST', '/resolve', { names: ['hidden-box', 'nope', 'opa-demo-linux'] }),
    ];
    expect(mixed.json().unresolved_names).toEqual(['hidden-box', 'nope']);
  });

  it('listServers, whatever is selected', async () => {
    for (const selector of ['env=secret', 'env', 'system.os_type=linux']) {
      const said = await call('ellis', 'GET', `/servers?selector=${encodeURIComponent(selector)}`);
      expect(said.body).not.toContain('hidden');
    }
  });

  it('evaluate', async () => {
    const said = async (login: string, server_id: string) =>
      (await call(login, 'POST', '/evaluate', { server_id })).body;
    expect(bare(await said('ellis', forbidden.id), forbidden.id)).toBe(
      bare(await said('ellis', unknown), unknown),
    );
    expect(bare(await said('stranger', demo.ids.server))).toBe(
      bare(await said('stranger', unknown)),
    );
  });

  it('evaluate for somebody else', async () => {
    const said = async (user_id: string) =>
      (await call('ellis', 'POST', '/evaluate', { server_id: demo.ids.server, user_id })).body;
    expect(bare(await said(demo.ids.users.dana!))).toBe(bare(await said(unknown)));
  });

  it('createAccessRequest', async () => {
    const method = await methodFor(demo, 'ellis');
    const said = async (
      login: string,
      server_id: string,
      account_id: string,
      identity = 'root',
    ) => {
      const body = requestBody({
        ...method,
        server_id,
        identity,
        access_credential: { type: 'vaulted_account', account_id },
      } as never);
      return (await call(login, 'POST', '/access_requests', body)).body;
    };
    const nothing = bare(await said('ellis', unknown, unknown));
    expect(bare(await said('ellis', forbidden.id, forbidden.account))).toBe(nothing);
    // A server he reaches: an account that he does not, one that is not there, and a wrong pair.
    expect(bare(await said('ellis', demo.ids.server, unknown))).toBe(nothing);
    expect(bare(await said('ellis', demo.ids.server, forbidden.account))).toBe(nothing);
    expect(bare(await said('stranger', demo.ids.server, unknown, 'pamadmin1'))).toBe(nothing);
  });

  it('openSession', async () => {
    const said = async (
      login: string,
      server_id: string,
      account_id: string,
      identity = 'root',
    ) => {
      const access_credential = { type: 'vaulted_account', account_id };
      const { response } = await openAs(demo.service, demo.tokens[login]!, {
        server_id,
        identity,
        access_credential,
      });
      expect(response.statusCode).toBe(404);
      return bare(response.body);
    };
    const nothing = await said('ellis', unknown, unknown);
    expect(await said('ellis', forbidden.id, forbidden.account)).toBe(nothing);
    expect(await said('ellis', demo.ids.server, unknown)).toBe(nothing);
    expect(await said('stranger', demo.ids.server, unknown, 'pamadmin1')).toBe(nothing);
  });

  describe('ids of others', () => {
    it('requests: whatever is tried', async () => {
      const { id } = await raisedBy(demo, 'ellis');
      for (const [method, path, body] of [
        ['GET', ''],
        ['POST', '/cancel'],
        ['POST', '/drop'],
        ['POST', '/revoke', {}],
        ['POST', '/comments', { text: 'hello' }],
        ['GET', '/events'],
      ] as const) {
        const theirs = await call('stranger', method, `/access_requests/${id}${path}`, body);
        const nobodys = await call('stranger', method, `/access_requests/${unknown}${path}`, body);
        expect([path, codeOf(theirs)]).toEqual([path, 'not_found']);
        expect(bare(theirs.body, id)).toBe(bare(nobodys.body, unknown));
      }
      const decide = (request: string) =>
        demo.service.call(
          demo.tokens.stranger,
          'POST',
          `/access_requests/${request}/decisions`,
          { decision: 'approve', step: 0 },
          { 'if-match': '"1"' },
        );
      expect(bare((await decide(id)).body, id)).toBe(bare((await decide(unknown)).body, unknown));
      await call('ellis', 'POST', `/access_requests/${id}/cancel`);
    });

    it('requests: not in anybody else’s lists', async () => {
      const { id } = await raisedBy(demo, 'ellis');
      for (const view of ['mine', 'to_decide'])
        expect((await call('stranger', 'GET', `/access_requests?view=${view}`)).body).not.toContain(
          id,
        );
      expect(codeOf(await call('stranger', 'GET', '/access_requests?view=all'))).toBe(
        'not_permitted',
      );
      await call('ellis', 'POST', `/access_requests/${id}/cancel`);
    });

    it('sessions, and their recordings', async () => {
      await approvedFor(demo);
      const { response } = await openAs(demo.service, demo.tokens.ellis!, {
        ...(await methodFor(demo, 'ellis')),
      });
      const { id } = must(response).session as { id: string };
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/recording'],
        ['POST', '/terminate'],
      ] as const)
        for (const login of ['stranger', 'dana', 'pat']) {
          const theirs = await call(login, method, `/sessions/${id}${path}`);
          const nobodys = await call(login, method, `/sessions/${unknown}${path}`);
          expect([login, path, codeOf(theirs)]).toEqual([login, path, 'not_found']);
          expect(bare(theirs.body, id)).toBe(bare(nobodys.body, unknown));
        }
      expect((await call('stranger', 'GET', `/sessions?view=mine`)).body).not.toContain(id);
    });

    it('tokens', async () => {
      const { token } = must(await call('ellis', 'GET', '/whoami')) as { token: { id: string } };
      const theirs = await call('stranger', 'DELETE', `/tokens/${token.id}`);
      const nobodys = await call('stranger', 'DELETE', `/tokens/${unknown}`);
      expect(bare(theirs.body, token.id)).toBe(bare(nobodys.body, unknown));
      expect(codeOf(await call('ellis', 'GET', '/whoami'))).toBe('200');
    });
  });
});
