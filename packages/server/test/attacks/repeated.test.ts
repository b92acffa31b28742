import { operations } from '@postern/shared';
import { expect, it } from 'vitest';
import { codeOf, makeUser, methodFor, raisedBy, requestBody, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

onBoth('a call that is repeated', (kit) => {
  const demo = withDemo(kit);
  const post = (login: string, path: string, body: unknown, key: string, more = {}) =>
    demo.service.call(demo.tokens[login], 'POST', path, body, { 'idempotency-key': key, ...more });

  it('with its Idempotency-Key is done once, and answered as before', async () => {
    const request = await raisedBy(demo, 'ellis');
    const path = `/access_requests/${request.id}/comments`;
    const first = await post('dana', path, { text: 'Why?' }, 'key-1');
    const again = await post('dana', path, { text: 'Why?' }, 'key-1');
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.json()).toEqual(first.json());
    const both = await Promise.all(
      [1, 2, 3].map(() => post('dana', path, { text: 'At once?' }, 'key-2')),
    );
    for (const response of both) expect(response.json()).toEqual(both[0]?.json());
    const now = must(
      await demo.service.call(demo.tokens.ellis, 'GET', `/access_requests/${request.id}`),
    );
    expect((now.comments as { text: string }[]).map(({ text }) => text)).toEqual([
      'Why?',
      'At once?',
    ]);
  });

  it('with another body, or for another thing: idempotency_key_reused', async () => {
    const request = await raisedBy(demo, 'ellis');
    const path = `/access_requests/${request.id}/comments`;
    expect(codeOf(await post('dana', path, { text: 'Other?' }, 'key-1'))).toBe(
      'idempotency_key_reused',
    );
    await makeUser(demo, 'finn', { groups: ['linux-users'], manager: 'dana' });
    kit.clock.advance(1);
    const other = await raisedBy(demo, 'finn');
    const elsewhere = await post(
      'dana',
      `/access_requests/${other.id}/comments`,
      { text: 'Why?' },
      'key-1',
    );
    expect(codeOf(elsewhere)).toBe('idempotency_key_reused');
  });

  it('by another person, with the same key, is another call', async () => {
    const request = await raisedBy(demo, 'ellis');
    const path = `/access_requests/${request.id}/comments`;
    const said = await post('ana', path, { text: 'Why?' }, 'key-1');
    expect(said.statusCode).toBe(201);
    expect(said.json().comments.at(-1).by.id).toBe(demo.ids.users.ana);
  });

  it('is answered only to whoever may still make it', async () => {
    await makeUser(demo, 'guy', { groups: ['linux-approvers'] });
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'ellis');
    const path = `/access_requests/${request.id}/comments`;
    expect((await post('guy', path, { text: 'Mine' }, 'key-g')).statusCode).toBe(201);
    const everyone = demo.ids.groups.everyone;
    const me = must(await demo.service.call(demo.tokens.guy, 'GET', '/whoami')) as {
      user: { id: string };
    };
    must(
      await demo.service.call(demo.tokens.pat, 'DELETE', `/groups/${everyone}/users/${me.user.id}`),
    );
    expect(codeOf(await post('guy', path, { text: 'Mine' }, 'key-g'))).toBe('not_permitted');
  });

  it('that was refused was not done: the key is free', async () => {
    const request = await raisedBy(demo, 'ellis');
    const path = `/access_requests/${request.id}/decisions`;
    const body = { decision: 'approve', step: 0 };
    const stale = await post('dana', path, body, 'key-3', { 'if-match': '"99"' });
    expect(codeOf(stale)).toBe('precondition_failed');
    const fresh = await post('dana', path, body, 'key-3', { 'if-match': `"${request.etag}"` });
    expect(codeOf(fresh)).toBe('200');
    const again = await post('dana', path, body, 'key-3', { 'if-match': `"${request.etag}"` });
    expect(again.json()).toEqual(fresh.json());
    await demo.service.call(demo.tokens.ellis, 'POST', `/access_requests/${request.id}/drop`);
  });

  it('a raise with a key, repeated after the request was resolved, raises nothing new', async () => {
    const body = requestBody(await methodFor(demo, 'ellis'), 'once');
    const first = await post('ellis', '/access_requests', body, 'key-4');
    expect(first.statusCode).toBe(201);
    await demo.service.call(
      demo.tokens.ellis,
      'POST',
      `/access_requests/${first.json().id}/cancel`,
    );
    const again = await post('ellis', '/access_requests', body, 'key-4');
    expect(again.json().id).toBe(first.json().id);
  });

  it('operations whose answer is secret take no key', async () => {
    const bodies: Record<string, unknown> = {
      createToken: { name: 'x', expires_in_seconds: 60 },
      createGatewayCode: { name: 'x' },
      apply: { dry_run: true, documents: [{ kind: 'Group', name: 'x' }] },
      openSession: {
        ...{ server_id: demo.ids.server, identity: 'x', nonce: 'x', proof: 'x' },
        access_credential: { type: 'principal_account' },
        public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA',
      },
      createSessionNonce: undefined,
      createChatLink: undefined,
      createScimConnection: { name: 'x' },
      rotateScimToken: undefined,
      createPushTarget: { name: 'x', url: 'https://scim.example.com', token: 'x' },
      createInvitation: undefined,
      createMfaApproval: { acr: 'any' },
      answerMfaApproval: { code: '000000' },
    };
    const secret = Object.values(operations).filter(
      (operation) =>
        'secret' in operation &&
        operation.method === 'POST' &&
        typeof operation.access === 'object',
    );
    expect(secret.map(({ id }) => id).sort()).toEqual(Object.keys(bodies).sort());
    for (const { id, path } of secret) {
      const said = await post(
        'pat',
        path.replace('/v1/teams/{team}', '').replace('{id}', kit.ids.uuid()),
        bodies[id],
        'key-5',
      );
      expect([id, said.statusCode, said.json().detail]).toEqual([
        id,
        400,
        `${id} takes no Idempotency-Key.`,
      ]);
    }
    const kept = await kit.db.sql.selectFrom('idempotency_keys').select('operation').execute();
    for (const { operation } of kept)
      expect('secret' in operations[operation as keyof typeof operations]).toBe(false);
  });

  it.each(['', 'x'.repeat(201), 'with space', 'ümlaut'])('a key %j is none', async (key) => {
    const said = await post('pat', '/security_policy', {}, key);
    expect(['invalid_request', 'not_permitted']).toContain(codeOf(said));
    const by = await post('sam', '/request_types', {}, key);
    expect(codeOf(by)).toBe('invalid_request');
  });
});
