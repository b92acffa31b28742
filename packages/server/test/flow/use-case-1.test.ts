import type { AccessMethod, Answer } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kit, onBoth } from '../kit/index.ts';
import {
  demoWorld,
  must,
  startService,
  type TestService,
  type Tokens,
  typeOf,
} from '../kit/service.ts';
import { enrolTestGateway, openAs, signIn, type TestGateway } from '../kit/sessions.ts';

onBoth('use case 1', (kit: Kit) => {
  let service: TestService;
  let tokens: Tokens;
  let gateway: TestGateway;

  beforeAll(async () => {
    service = await startService(kit);
    tokens = await demoWorld(kit, service);
    gateway = await enrolTestGateway(kit, service, tokens);
  });
  afterAll(() => service?.stop());

  const resolve = async (login: string) =>
    must(
      await service.call(tokens[login], 'POST', '/resolve', { names: ['opa-demo-linux'] }),
    ) as Answer<'resolve'>;

  describe('the seven steps', () => {
    let method: AccessMethod;
    let requestId: string;
    let etag: string;

    it('1–2: the engineer sees both accounts, each on condition of an approval', async () => {
      const answer = await resolve('ellis');
      expect(answer.unresolved_names).toEqual([]);
      expect(answer.user_access_methods.map((m) => [m.identity, m.allowed])).toEqual([
        ['pamadmin1', false],
        ['pamadmin2', false],
      ]);
      method = answer.user_access_methods[0]!;
      expect(method.conditionals[0]).toMatchObject({
        type: 'access_request',
        condition_is_met: false,
      });
    });

    it('opening before anybody approved is refused: approval_required', async () => {
      const { response } = await openAs(service, tokens.ellis!, method);
      expect([response.statusCode, response.json().code]).toEqual([403, 'approval_required']);
    });

    it('3–4: raises the request; raising it again answers the same one', async () => {
      const body = {
        request_type_id: typeOf(method),
        target: {
          type: 'server_access',
          server_id: method.server_id,
          identity: method.identity,
          access_credential: method.access_credential,
        },
        answers: { justification: 'rotate the logs' },
      };
      const first = await service.call(tokens.ellis, 'POST', '/access_requests', body);
      expect(first.statusCode).toBe(201);
      requestId = first.json().id;
      etag = first.json().etag;
      expect(first.json().steps[0].still_needed).toEqual([
        {
          either: [
            { any: 1, of: ['Dana Reyes'] },
            { any: 2, of: ['group:linux-approvers'] },
          ],
        },
      ]);
      const again = await service.call(tokens.ellis, 'POST', '/access_requests', body);
      expect([again.statusCode, again.json().id]).toEqual([200, requestId]);
    });

    it('5: the manager approves, on the card he read', async () => {
      const stale = await service.call(
        tokens.dana,
        'POST',
        `/access_requests/${requestId}/decisions`,
        { decision: 'approve', step: 0 },
        { 'if-match': '"99"' },
      );
      expect(stale.statusCode).toBe(412);
      const approved = await service.call(
        tokens.dana,
        'POST',
        `/access_requests/${requestId}/decisions`,
        { decision: 'approve', step: 0 },
        { 'if-match': `"${etag}"` },
      );
      expect([approved.statusCode, approved.json().state]).toEqual([200, 'approved']);
      const events = await kit.db.sql
        .selectFrom('audit_events')
        .select(['type', 'client_address'])
        .where('request_id', '=', requestId)
        .orderBy('id')
        .execute();
      expect(events.map((event) => [event.type, event.client_address])).toEqual([
        ['access.request.create', '127.0.0.1'],
        ['access.request.decide', '127.0.0.1'],
        ['access.request.resolve', '127.0.0.1'],
      ]);
    });

    it('6: evaluation now answers approved, with its end', async () => {
      await service.settled();
      const answer = await resolve('ellis');
      expect(answer.user_access_methods[0]).toMatchObject({ identity: 'pamadmin1', allowed: true });
      expect(Date.parse(answer.user_access_methods[0]?.expires_at ?? '')).toBe(
        kit.clock.now() + 1_800_000,
      );
    });

    it('7: opens, is admitted once, and only the gateway gets the credential', async () => {
      const { response, key } = await openAs(service, tokens.ellis!, method);
      expect(response.statusCode).toBe(201);
      expect(response.body).not.toContain('correct horse');
      const sessionId = response.json().session.id;
      const admitted = await gateway.call('POST', '/gateway/admissions', signIn(sessionId, key));
      expect(admitted.statusCode).toBe(200);
      expect(admitted.json()).toMatchObject({
        identity: 'pamadmin1',
        recorded: true,
        target: {
          username: 'pamadmin1',
          credential: { type: 'password', password: 'correct horse 1' },
        },
      });
      const second = await gateway.call('POST', '/gateway/admissions', signIn(sessionId, key));
      expect(second.statusCode).toBe(403);
    });

    it('no fault reached the log', () => expect(service.faults).toEqual([]));
  });
});
