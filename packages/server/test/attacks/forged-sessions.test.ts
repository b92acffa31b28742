import { createHash, randomBytes, sign } from 'node:crypto';
import { generateEd25519, signRequest, signSessionProof } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { approvedFor, codeOf, makeUser, methodFor, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PASSWORDS, PREFIX, TEAM } from '../kit/service.ts';
import {
  enrolTestGateway,
  openAs,
  type SessionKey,
  signedHeaders,
  signIn,
} from '../kit/sessions.ts';

onBoth('attack 7: sessions that are not what they seem', (kit) => {
  const demo = withDemo(kit);
  let method: Record<string, unknown>;

  beforeAll(async () => {
    await approvedFor(demo);
    await approvedFor(demo, 'ellis', 'dana', 'pamadmin2');
    method = { ...(await methodFor(demo, 'ellis')) };
  });
  const open = (change?: Parameters<typeof openAs>[3]) =>
    openAs(demo.service, demo.tokens.ellis!, method, change);
  /** Through the demo's gateway: of those that are there, the one heard of last. */
  const opened = async () => {
    kit.clock.advance(0.001);
    await demo.gateway.renew();
    const { response, key } = await open();
    return { id: (must(response).session as { id: string }).id, key };
  };
  const admit = (body: unknown, gateway = demo.gateway) =>
    gateway.call('POST', '/gateway/admissions', body);

  describe('the proof', () => {
    const flip = (text: unknown): string => {
      const bytes = Buffer.from(String(text), 'base64url');
      bytes[0]! ^= 1;
      return bytes.toString('base64url');
    };
    it.each<[string, Parameters<typeof openAs>[3]]>([
      ['of another key', (b) => ({ ...b, public_key: generateEd25519().public_line })],
      ['of another account', (b) => ({ ...b, identity: 'pamadmin2' })],
      ['that was changed', (b) => ({ ...b, proof: flip(b.proof) })],
      ['that is empty of meaning', (b) => ({ ...b, proof: 'AAAA' })],
      ['with a nonce nobody gave', (b) => ({ ...b, nonce: randomBytes(32).toString('base64url') })],
    ])('%s opens nothing', async (_, change) => {
      expect(codeOf((await open(change)).response)).toBe('invalid_request');
    });

    it('for another user, or signed for another team, opens nothing', async () => {
      const user_id = demo.ids.users.ellis!;
      for (const other of [{ user_id: demo.ids.users.dana! }, { team: 'other' }]) {
        const key = generateEd25519();
        const { nonce } = must(
          await demo.service.call(demo.tokens.ellis, 'POST', '/sessions/nonce'),
        ) as { nonce: string };
        const { server_id, identity, access_credential } = method as never;
        const fields = { server_id, identity, access_credential, nonce };
        const about = { team: TEAM, user_id, ...fields, public_key: key.public_line, ...other };
        const proof = signSessionProof(about, key.private);
        const sent = { ...fields, public_key: key.public_line, proof };
        const said = await demo.service.call(demo.tokens.ellis, 'POST', '/sessions', sent);
        expect(codeOf(said)).toBe('invalid_request');
      }
    });

    it('of somebody else’s nonce opens nothing, and leaves it to its owner', async () => {
      const { nonce } = must(
        await demo.service.call(demo.tokens.dana, 'POST', '/sessions/nonce'),
      ) as { nonce: string };
      expect(codeOf((await open((b) => ({ ...b, nonce }))).response)).toBe('invalid_request');
      const left = await kit.db.sql
        .selectFrom('session_nonces')
        .select('user_id')
        .where('nonce', '=', nonce)
        .execute();
      expect(left).toEqual([{ user_id: demo.ids.users.dana }]);
    });

    it('sent twice opens once: nonce and key serve one session', async () => {
      let sent: Record<string, unknown> = {};
      const first = await open((body) => {
        sent = body;
        return body;
      });
      expect(codeOf(first.response)).toBe('201');
      const again = await demo.service.call(demo.tokens.ellis, 'POST', '/sessions', sent);
      expect(codeOf(again)).toBe('invalid_request');
      const fresh = must(await demo.service.call(demo.tokens.ellis, 'POST', '/sessions/nonce')) as {
        nonce: string;
      };
      const { server_id, identity, access_credential } = method as never;
      const fields = { server_id, identity, access_credential, nonce: fresh.nonce };
      const about = {
        team: TEAM,
        user_id: demo.ids.users.ellis!,
        ...fields,
        public_key: first.key.public_line,
      };
      const proof = signSessionProof(about, first.key.private);
      const reused = await demo.service.call(demo.tokens.ellis, 'POST', '/sessions', {
        ...fields,
        public_key: first.key.public_line,
        proof,
      });
      expect([codeOf(reused), reused.json().detail]).toEqual([
        'invalid_request',
        'This key has served a session before.',
      ]);
    });

    it('is too old after a minute', async () => {
      const { response } = await open((body) => {
        kit.clock.advance(60);
        return body;
      });
      expect(codeOf(response)).toBe('invalid_request');
      await demo.gateway.renew();
    });
  });

  describe('admission', () => {
    it('with somebody else’s key, or another session’s: nobody is let in', async () => {
      const [mine, other] = [await opened(), await opened()];
      const stranger: SessionKey = (() => {
        const key = generateEd25519();
        return { private: key.private, public_line: key.public_line };
      })();
      expect(codeOf(await admit(signIn(mine.id, stranger)))).toBe('not_permitted');
      expect(codeOf(await admit(signIn(mine.id, other.key)))).toBe('not_permitted');
      // The right key, named by somebody who cannot sign with it.
      const forged = { private: stranger.private, public_line: mine.key.public_line };
      expect(codeOf(await admit(signIn(mine.id, forged)))).toBe('not_permitted');
      // A login as another session's, told of this one.
      const moved = { ...signIn(other.id, other.key), session_id: mine.id };
      expect(codeOf(await admit(moved))).toBe('not_permitted');
      expect(codeOf(await admit(signIn(mine.id, mine.key, 'root')))).toBe('not_permitted');
      expect(codeOf(await admit(signIn(mine.id, mine.key)))).toBe('200');
    });

    it('of a proof that was made into a login: nobody is let in', async () => {
      const mine = await opened();
      const blob = Buffer.concat([Buffer.from('postern-session-proof-v1'), randomBytes(80)]);
      const signature = sign(null, blob, mine.key.private).toString('base64');
      const sent = { ...signIn(mine.id, mine.key), blob: blob.toString('base64'), signature };
      expect(codeOf(await admit(sent))).toBe('not_permitted');
    });

    it('by another gateway: told as of a session that is not there', async () => {
      const mine = await opened();
      const other = await enrolTestGateway(kit, demo.service, demo.tokens, 'other');
      const theirs = await admit(signIn(mine.id, mine.key), other);
      const nobodys = await admit(signIn(kit.ids.uuid(), mine.key), other);
      expect(codeOf(theirs)).toBe('not_permitted');
      expect(withoutTrace(theirs.body)).toBe(withoutTrace(nobodys.body));
      // Nor may it tell of it, ask for it, or end it.
      const path = `/gateway/sessions/${mine.id}/events`;
      expect(codeOf(await other.call('POST', path, { type: 'login' }))).toBe('not_found');
      const lease = must(await other.renew([mine.id])) as { cut: unknown[]; sessions: unknown[] };
      expect([lease.sessions, lease.cut.length]).toEqual([[], 1]);
      await demo.gateway.renew();
      expect(codeOf(await admit(signIn(mine.id, mine.key)))).toBe('200');
    });
  });

  describe('a gateway’s call', () => {
    const path = '/gateway/lease';
    const body = () =>
      Buffer.from(JSON.stringify({ sessions: [], host_keys: [generateEd25519().public_line] }));
    const send = (payload: Buffer, headers: Record<string, string>, url = PREFIX + path) =>
      demo.service.app.inject({
        method: 'POST',
        url,
        headers: { ...headers, 'content-type': 'application/json' },
        payload,
      });

    it('serves once', async () => {
      const payload = body();
      const headers = signedHeaders(kit, demo.gateway, 'POST', path, payload);
      expect(codeOf(await send(payload, headers))).toBe('200');
      expect(codeOf(await send(payload, headers))).toBe('unauthenticated');
    });

    it('that was refused is used up as well', async () => {
      const mine = await opened();
      const payload = Buffer.from(JSON.stringify(signIn(mine.id, generateEd25519())));
      const to = '/gateway/admissions';
      const headers = signedHeaders(kit, demo.gateway, 'POST', to, payload);
      expect(codeOf(await send(payload, headers, PREFIX + to))).toBe('not_permitted');
      expect(codeOf(await send(payload, headers, PREFIX + to))).toBe('unauthenticated');
    });

    it.each([
      'another body',
      'another path',
      'a query added',
      'another gateway’s name',
      'no signature',
    ])('%s: unauthenticated', async (what) => {
      const payload = body();
      const headers: Record<string, string> = signedHeaders(
        kit,
        demo.gateway,
        'POST',
        path,
        payload,
      );
      const other = await enrolTestGateway(kit, demo.service, demo.tokens, what);
      const renamed = Object.fromEntries(
        Object.entries(headers).map(([k, v]) => [k, v.replace(demo.gateway.id, other.id)]),
      );
      const tried = {
        'another body': () => send(body(), headers),
        'another path': () => send(payload, headers, `${PREFIX}/gateway/admissions`),
        'a query added': () => send(payload, headers, `${PREFIX}${path}?a=b`),
        'another gateway’s name': () => send(payload, renamed),
        'no signature': () => send(payload, {}),
      }[what]!;
      expect(['unauthenticated', 'invalid_request']).toContain(codeOf(await tried()));
      await demo.gateway.renew();
    });

    it.each([-61, 61])('signed %i s away from now: unauthenticated', async (off) => {
      const payload = body();
      const headers = signRequest({
        method: 'POST',
        path: PREFIX + path,
        query: '',
        body: payload,
        keyid: demo.gateway.id,
        key: demo.gateway.private,
        created: (kit.clock.now() + off * 1000) as never,
        nonce: randomBytes(16).toString('base64url'),
      });
      expect(codeOf(await send(payload, { ...headers }))).toBe('unauthenticated');
    });

    it('with a code that is wrong enrols nobody, and is on record', async () => {
      const said = await demo.service.app.inject({
        method: 'POST',
        url: `${PREFIX}/gateway/enroll`,
        payload: {
          code: `pgc_${'A'.repeat(43)}`,
          public_key: generateEd25519().public_line,
          host_keys: [generateEd25519().public_line],
          host: '192.0.2.7',
          port: 22,
        },
      });
      expect(codeOf(said)).toBe('not_permitted');
      const events = await kit.db.sql
        .selectFrom('audit_events')
        .select(['actor', 'targets'])
        .where('type', '=', 'pam.operation.refuse')
        .execute();
      expect(events).toContainEqual({
        actor: { type: 'unknown', id: null, name: null },
        targets: [{ type: 'operation', id: 'enrollGateway', name: null }],
      });
    });

    it('tells no end of a session that was never live, and no end twice', async () => {
      await makeUser(demo, 'ended', { groups: ['linux-users'], manager: 'dana' });
      kit.clock.advance(1);
      await demo.gateway.renew();
      await approvedFor(demo, 'ended');
      const { response, key } = await openAs(demo.service, demo.tokens.ended!, {
        ...(await methodFor(demo, 'ended')),
      });
      const { id } = must(response).session as { id: string };
      const tell = () =>
        demo.gateway.call('POST', `/gateway/sessions/${id}/events`, {
          type: 'ended',
          reason: 'client_closed',
          exit_status: 0,
          recording_sha256: null,
          detail: null,
        });
      const ends = async () =>
        (
          await kit.db.sql
            .selectFrom('audit_events')
            .select('id')
            .where('session_id', '=', id)
            .where('type', '=', 'pam.session.end')
            .execute()
        ).length;
      must(await tell());
      expect(await ends()).toBe(0);
      must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
      must(await tell());
      must(await tell());
      expect(await ends()).toBe(1);
    });

    it('of a person: unauthenticated', async () => {
      const said = await demo.service.call(
        demo.tokens.pat,
        'POST',
        path,
        JSON.parse(body().toString()),
      );
      expect(codeOf(said)).toBe('unauthenticated');
    });
  });

  it('a moved ciphertext opens no other account, and is an event', async () => {
    const accounts = await kit.db.sql
      .selectFrom('accounts')
      .select(['id', 'username'])
      .orderBy('username')
      .execute();
    const [one, two] = accounts.map(({ id }) => id) as [string, string];
    const sealed = async (id: string) =>
      await kit.db.sql
        .selectFrom('account_secrets')
        .select(['sealed', 'version'])
        .where('account_id', '=', id)
        .orderBy('version', 'desc')
        .executeTakeFirstOrThrow();
    const [first, second] = [await sealed(one), await sealed(two)];
    const put = (id: string, version: number, value: unknown) =>
      kit.db.sql
        .updateTable('account_secrets')
        .set({ sealed: JSON.stringify(value) as never })
        .where('account_id', '=', id)
        .where('version', '=', version)
        .execute();
    await put(one, first.version, second.sealed);
    await put(two, second.version, first.sealed);
    const mine = await opened();
    const said = await admit(signIn(mine.id, mine.key));
    expect(codeOf(said)).toBe('unavailable');
    for (const password of Object.values(PASSWORDS)) expect(said.body).not.toContain(password);
    const events = await kit.db.sql
      .selectFrom('audit_events')
      .select('type')
      .where('type', 'like', '%mismatch')
      .execute();
    expect(events).toEqual([{ type: 'pam.server_account.secret.mismatch' }]);
    await put(one, first.version, first.sealed);
    await put(two, second.version, second.sealed);
  });

  it('a changed row of a session, an approval or a key moves no credential', async () => {
    const mine = await opened();
    const [pamadmin2] = await kit.db.sql
      .selectFrom('accounts')
      .select('id')
      .where('username', '=', 'pamadmin2')
      .execute();
    await kit.db.sql
      .updateTable('sessions')
      .set({ account_id: pamadmin2!.id })
      .where('id', '=', mine.id)
      .execute();
    // Identity pamadmin1 with the account of pamadmin2: no method is both.
    expect(codeOf(await admit(signIn(mine.id, mine.key)))).toBe('not_permitted');
  });

  it('no secret stands in any answer but the admission, nor in the log or an event', async () => {
    const events = await kit.db.sql.selectFrom('audit_events').selectAll().execute();
    const written = [...demo.service.lines, ...events.map((event) => JSON.stringify(event))].join(
      '\n',
    );
    const secrets = [
      ...Object.values(PASSWORDS),
      ...Object.values(demo.tokens),
      demo.service.bootstrap,
    ];
    expect(events.length).toBeGreaterThan(20);
    expect(demo.service.lines.length).toBeGreaterThan(20);
    for (const secret of secrets) {
      expect(written.includes(secret)).toBe(false);
      expect(written.includes(createHash('sha256').update(secret).digest('hex'))).toBe(false);
    }
  });
});

const withoutTrace = (body: string): string => body.replace(/"trace_id":"[^"]*"/, '');
