import { expect, it, vi } from 'vitest';
import {
  apply,
  approvedFor,
  codeOf,
  type Demo,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';

const POSTGRES_ROUNDS = Math.ceil(Number(process.env.POSTERN_RACE_ROUNDS ?? 10) / 4);

vi.setConfig({ testTimeout: 240_000 });

const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';

/** What an approval and a session rest on, taken away. */
const GROUNDS = [
  'the requester is disabled',
  'the server moves',
  'the server is removed',
  'the account is removed',
] as const;

onBoth('attack 3: at once with what it rests on', (kit) => {
  const demo = withDemo(kit);
  const rounds = () => (kit.kind === 'postgres' ? POSTGRES_ROUNDS : 3);
  let n = 0;

  /** A person and a server of his own, in the demo's policy. */
  async function place(): Promise<{ login: string; user: string; own: Demo }> {
    const [login, hostname] = [`ground${n}`, `ground${n++}.example`];
    const user = await makeUser(demo, login, { groups: ['linux-users'], manager: 'dana' });
    const [known] = must(await demo.service.call(demo.tokens.sam, 'GET', '/inventory/servers'))
      .list as { labels: Record<string, string> }[];
    const labels = Object.entries(known!.labels).filter(([name]) => !name.startsWith('system.'));
    await apply(demo, 'sam', [
      {
        ...{ kind: 'Server', resource_group: 'demo', project: 'demo', hostname },
        ...{ access_address: '192.0.2.1', labels: Object.fromEntries(labels) },
        host_keys: [HOST_KEY],
        accounts: [{ username: 'pamadmin1', credential: { type: 'password', password: 'a pw' } }],
      },
    ]);
    const [made] = must(
      await demo.service.call(demo.tokens.sam, 'GET', `/inventory/servers?hostname=${hostname}`),
    ).list as { id: string }[];
    kit.clock.advance(1);
    await demo.gateway.renew();
    return { login, user, own: { ...demo, ids: { ...demo.ids, server: made!.id } } };
  }

  const take = (ground: (typeof GROUNDS)[number], user: string, server: string) => {
    const by = (login: string, method: 'PATCH' | 'DELETE', path: string, body?: object) =>
      demo.service.call(demo.tokens[login], method, path, body);
    switch (ground) {
      case 'the requester is disabled':
        return by('pat', 'PATCH', `/users/${user}`, { status: 'DISABLED' });
      case 'the server moves':
        return by('sam', 'PATCH', `/inventory/servers/${server}`, { access_port: 2200 });
      case 'the server is removed':
        return by('sam', 'DELETE', `/inventory/servers/${server}`);
      case 'the account is removed':
        return by('sam', 'DELETE', `/inventory/servers/${server}/accounts/pamadmin1`);
    }
  };
  const left = async (request: string) => ({
    approvals: await kit.db.sql
      .selectFrom('approvals')
      .select('id')
      .where('request_id', '=', request)
      .where('revoked_at', 'is', null)
      .where('ended_at', 'is', null)
      .execute(),
    sessions: await kit.db.sql
      .selectFrom('sessions')
      .select('id')
      .where('request_id', '=', request)
      .where('state', 'in', ['opening', 'live'])
      .execute(),
  });

  it.each(GROUNDS)(
    'approving while %s: canceled, or ended; nothing stays approved',
    async (ground) => {
      for (let round = 0; round < rounds(); round++) {
        const { login, user, own } = await place();
        const request = await raisedBy(own, login);
        const [said, taken] = await Promise.all([
          decide(demo.service, demo.tokens.dana, request),
          take(ground, user, own.ids.server),
        ]);
        expect(taken.statusCode).toBeLessThan(300);
        expect(['200', 'request_already_resolved', 'precondition_failed']).toContain(codeOf(said));
        expect(await left(request.id)).toEqual({ approvals: [], sessions: [] });
      }
    },
  );

  it.each(GROUNDS)('opening and admitting while %s: nothing is open afterwards', async (ground) => {
    for (let round = 0; round < rounds(); round++) {
      const { login, user, own } = await place();
      const request = await approvedFor(own, login);
      const method = { ...(await methodFor(own, login)) };
      const open = () => openAs(demo.service, demo.tokens[login]!, method).catch(() => undefined);
      const first = await open();
      const { id } = must(first!.response).session as { id: string };
      const [, admitted, taken] = await Promise.all([
        open(),
        demo.gateway.call('POST', '/gateway/admissions', signIn(id, first!.key)),
        take(ground, user, own.ids.server),
      ]);
      expect(taken.statusCode).toBeLessThan(300);
      expect([200, 403]).toContain(admitted.statusCode);
      expect(await left(request.id)).toEqual({ approvals: [], sessions: [] });
      const issued = await kit.db.sql
        .selectFrom('audit_events')
        .select('type')
        .where('session_id', '=', id)
        .where('type', '=', 'pam.user_creds.issue')
        .execute();
      expect(issued).toHaveLength(admitted.statusCode === 200 ? 1 : 0);
    }
  });
});
