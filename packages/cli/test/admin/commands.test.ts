import { EXIT, generateEd25519, parsePublicKey } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import { accessRequest, at, decided, detail, id, session } from '../fake/things.ts';

const { service, admin } = script();

describe('sft-admin requests', () => {
  test('list: by default those that this person can decide', async () => {
    service().on('listAccessRequests', () => ({ body: { list: [accessRequest()] } }));
    const { out } = await admin('requests list');
    expect(service().last('listAccessRequests').query).toEqual({ view: 'to_decide', limit: 500 });
    expect(out).toMatch(/^ID .*STATE .*TARGET .*\n\S+ +pending +pamadmin1 on opa-demo-linux +Ana /);
  });

  test('approve: the current step, as it was read', async () => {
    service()
      .on('getAccessRequest', () => ({ body: detail(accessRequest({ etag: '7' })) }))
      .on('decideAccessRequest', () => ({ body: decided('approve') }));
    const { exit, out } = await admin(['approve', id(50), '--reason', 'go ahead']);
    expect([exit, out]).toEqual([
      0,
      `Approved: Ana as pamadmin1 on opa-demo-linux.\nRequest ${id(50)} is approved.\n`,
    ]);
    const { body, headers } = service().last('decideAccessRequest');
    expect(body).toEqual({
      decision: 'approve',
      step: 0,
      comment: 'go ahead',
      for_user_id: null,
    });
    expect(headers['if-match']).toBe('"7"');
  });

  test('approve --for: in the place of whom one stands in, and of nobody else', async () => {
    const [dana, ana] = [
      { id: id(11), login: 'dana', name: 'Dana Reyes' },
      { id: id(10), login: 'ana', name: 'Ana' },
    ];
    const times = { starts_at: at(0), ends_at: at(60), ended_at: null, created_at: at(0) };
    const list = [{ id: id(70), from: dana, to: ana, reason: null, ...times }];
    service()
      .on('listDelegations', () => ({ body: { list } }))
      .on('getAccessRequest', () => ({ body: detail(accessRequest()) }))
      .on('decideAccessRequest', () => ({ body: decided('approve') }));
    expect((await admin(`approve ${id(50)} --for dana`)).exit).toBe(0);
    expect(service().last('decideAccessRequest').body.for_user_id).toBe(id(11));
    const { exit, err } = await admin(`approve ${id(50)} --for ana`);
    expect(exit).toBe(EXIT.refused);
    expect(err).toBe(
      'sft-admin: You do not stand in for ana.\n' +
        '`sft-admin delegations list` shows for whom you do.\n',
    );
  });

  test('approve that is not the last one needed: says who still is', async () => {
    service()
      .on('getAccessRequest', () => ({ body: detail(accessRequest()) }))
      .on('decideAccessRequest', () => ({ body: accessRequest() }));
    const { out } = await admin(`approve ${id(50)}`);
    expect(out).toContain('It still needs Dana Reyes or 2 people in linux-approvers.\n');
  });

  test('deny needs a reason: 64, nothing is asked', async () => {
    for (const words of [
      ['deny', id(50)],
      ['deny', id(50), '--reason', ' '],
    ]) {
      const { exit, err } = await admin(words);
      expect(exit).toBe(EXIT.usage);
      expect(err).toContain('Pass --reason TEXT');
    }
    expect(service().asked).toEqual([]);
  });

  test('deny', async () => {
    service()
      .on('getAccessRequest', () => ({ body: detail(accessRequest()) }))
      .on('decideAccessRequest', () => ({ body: decided('deny', 'no') }));
    const { exit, out } = await admin(`deny ${id(50)} --reason no`);
    expect([exit, out]).toContain(0);
    expect(out).toContain(`Request ${id(50)} is denied.`);
  });

  test.each([
    'requester_cannot_decide',
    'not_an_approver',
    'already_decided',
    'request_already_resolved',
    'wrong_step',
    'precondition_failed',
  ] as const)('the service refuses with %s: 77', async (code) => {
    service()
      .on('getAccessRequest', () => ({ body: detail(accessRequest()) }))
      .on('decideAccessRequest', () => problem(code, 'No.'));
    const { exit, err } = await admin(`approve ${id(50)}`);
    expect(exit).toBe(EXIT.refused);
    expect(err).toMatch(/^sft-admin: No\.\n.+\n$/);
  });

  test('revoke', async () => {
    service().on('revokeAccessRequest', () => ({ body: accessRequest({ state: 'revoked' }) }));
    const { out } = await admin(`revoke ${id(50)} --reason gone`);
    expect(out).toBe(`Request ${id(50)} is revoked.\n`);
    expect(service().last('revokeAccessRequest').body).toEqual({ reason: 'gone' });
  });
});

const MADE = { token: 'a-new-token', id: id(70), expires_at: at(480) };

describe('sft-admin tokens', () => {
  test('create: the token alone on stdout', async () => {
    service().on('createToken', () => ({ status: 201, body: MADE }));
    const { out } = await admin('tokens create --user ellis --name demo --expires 30m');
    expect(out).toBe('a-new-token\n');
    expect(service().last('createToken').body).toEqual({
      login: 'ellis',
      name: 'demo',
      expires_in_seconds: 1800,
    });
  });

  test('create --out: into a private file, and nowhere else', async () => {
    service().on('createToken', () => ({ status: 201, body: MADE }));
    const files = new Map();
    const { out, err } = await admin('tokens create --name demo --out /tmp/t -o json', { files });
    expect(files.get('/tmp/t')).toEqual({ text: 'a-new-token\n', mode: 0o600 });
    expect(out + err).not.toContain('a-new-token');
  });

  test.each(['tokens create', 'tokens create --name x --expires soon'])('%s: 64', async (words) => {
    expect((await admin(words)).exit).toBe(EXIT.usage);
  });

  test('revoke', async () => {
    service().on('revokeToken', () => ({ status: 204 }));
    expect((await admin(`tokens revoke ${id(70)}`)).out).toBe(`Token ${id(70)} is revoked.\n`);
  });
});

const KEY = generateEd25519().public_line;
const OTHER = generateEd25519().public_line;
const fingerprint = (line: string) => {
  const key = parsePublicKey(line);
  return key.ok ? key.value.fingerprint : '';
};

const machine = (host_keys: string[]) => ({
  id: id(1),
  hostname: 'opa-demo-linux',
  canonical_name: null,
  alt_names: ['demo'],
  resource_group: { id: id(2), name: 'demo' },
  project: { id: id(3), name: 'demo' },
  access_address: '10.0.0.7',
  access_port: 2222,
  os_type: 'linux',
  labels: {},
  host_keys,
  via: 'gateway',
  state: 'ACTIVE',
  admin_account_template: null,
  allow_local_address: false,
  identity_revision: 1,
  accounts: [{ id: id(4), username: 'pamadmin1', credential: 'password' as const, usable: false }],
});

describe('sft-admin servers', () => {
  const scans = (line: string) => ({ ssh: { scan: async () => line } });
  const knows = (...keys: string[]) =>
    service()
      .on('listInventory', () => ({ body: { list: [machine(keys)] } }))
      .on('updateServer', ({ body }) => ({ body: machine(body.host_keys ?? []) }));

  test('list', async () => {
    knows(KEY);
    const { out } = await admin('servers list');
    expect(out).toContain(fingerprint(KEY));
    expect(out).toContain('pamadmin1 (no secret)');
  });

  test('trust: shows the fingerprint, asks, pins', async () => {
    knows();
    const { exit, err, out, world } = await admin('servers trust demo', {
      answers: [true],
      ...scans(KEY),
    });
    expect(exit).toBe(0);
    expect(err).toContain(`demo at 10.0.0.7:2222 shows ssh-ed25519 ${fingerprint(KEY)}\n`);
    expect(world.asked).toEqual(['Is that the right key?']);
    expect(out).toBe(`demo is pinned to ${fingerprint(KEY)}.\n`);
    expect(service().last('updateServer').body).toEqual({ host_keys: [KEY] });
  });

  test('trust, and the answer is no: 77, nothing pinned', async () => {
    knows(OTHER);
    const { exit, err } = await admin('servers trust demo', { answers: [false], ...scans(KEY) });
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain(`Pinned so far: ${fingerprint(OTHER)}`);
    expect(service().asked).not.toContain('updateServer');
  });

  test('trust without a terminal: 64 before anything is scanned', async () => {
    const { exit, err } = await admin('servers trust demo');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('Pass --fingerprint SHA256:… to pin only that key, or --yes');
  });

  test('trust --fingerprint: only that key', async () => {
    knows();
    const ok = await admin(`servers trust demo --fingerprint ${fingerprint(KEY)}`, scans(KEY));
    expect(ok.exit).toBe(0);
    const bad = await admin(`servers trust demo --fingerprint ${fingerprint(KEY)}`, scans(OTHER));
    expect(bad.exit).toBe(EXIT.transport);
    expect(service().asked.filter((asked) => asked === 'updateServer')).toHaveLength(1);
  });

  test('trust --yes of what is pinned already changes nothing', async () => {
    knows(KEY);
    const { out } = await admin('servers trust demo --yes', scans(KEY));
    expect(out).toContain('was pinned');
    expect(service().asked).not.toContain('updateServer');
  });

  test('a server that is not there: 77', async () => {
    service().on('listInventory', () => ({ body: { list: [] } }));
    expect((await admin('servers trust x --yes')).exit).toBe(EXIT.refused);
  });

  test('accounts set: the secret from a variable or a file, never an argument', async () => {
    knows(KEY);
    service().on('setCredential', ({ body }) => ({
      body: { id: id(4), username: 'pamadmin1', credential: body.credential.type, usable: true },
    }));
    const files = new Map([['k', { text: 'PEM\n', mode: 0o600 }]]);
    const word = await admin('accounts set demo pamadmin1 --password-from-env P', {
      env: { P: 'pw' },
    });
    expect(service().last('setCredential').body.credential).toEqual({
      type: 'password',
      password: 'pw',
    });
    expect(word.out + word.err).not.toContain('pw');
    await admin('accounts set demo pamadmin1 --key-from-file k', { files });
    expect(service().last('setCredential').body.credential).toEqual({
      type: 'private_key',
      private_key: 'PEM\n',
    });
  });

  test.each([
    ['', EXIT.usage],
    ['--password-from-env A --key-from-file B', EXIT.usage],
    ['--password-from-env NOT_SET', EXIT.config],
    ['--key-from-file nowhere', EXIT.usage],
  ])('accounts set %s: %i, nothing is asked', async (flags, expected) => {
    expect((await admin(`accounts set demo p ${flags}`)).exit).toBe(expected);
    expect(service().asked).toEqual([]);
  });
});

describe('sft-admin sessions, log, gateways', () => {
  test('sessions list', async () => {
    const ended = session({ state: 'cut', end_reason: 'revoked', ended_at: at(3) });
    service().on('listSessions', () => ({ body: { list: [ended] } }));
    const { out } = await admin(`sessions list --request ${id(50)}`);
    expect(out).toMatch(/cut +Ana +opa-demo-linux +pamadmin1 .* revoked +yes\n/);
    expect(service().last('listSessions').query).toMatchObject({ view: 'all', request_id: id(50) });
  });

  test('sessions terminate', async () => {
    service().on('terminateSession', () => ({ body: session({ state: 'cut' }) }));
    expect((await admin(`sessions terminate ${id(60)}`)).out).toBe(`Session ${id(60)} is cut.\n`);
  });

  test('log search: no more than the limit, over pages', async () => {
    const event = (n: number) => ({
      id: id(n),
      seq: n,
      at: at(n),
      type: 'pam.user_creds.issue',
      actor: { type: 'user', id: id(10), name: 'Ana\u0007' },
      targets: [{ type: 'server', id: id(1), name: 'opa-demo-linux' }],
      outcome: { result: 'success' as const, reason: null },
      request_id: id(50),
      rule_ids: [],
      session_id: null,
      client_address: '127.0.0.1',
      details: {},
    });
    service().on('listAuditEvents', () => ({
      body: { list: [event(2), event(1)] },
      headers: { link: '</v1/teams/demo/audit/events?cursor=n>; rel=next' },
    }));
    const { out } = await admin(`log search --request ${id(50)} --limit 3`);
    expect(out.trimEnd().split('\n')).toHaveLength(4);
    expect(out).toContain('Ana\ufffd');
    expect(service().asked).toHaveLength(2);
    expect((await admin('log search --limit many')).exit).toBe(EXIT.usage);
  });

  const GATEWAY = {
    id: id(80),
    name: 'east',
    kind: 'enrolled',
    state: 'ACTIVE',
    host: 'gw.example.com',
    port: 2022,
    host_keys: [KEY],
    enrolled_at: at(0),
    last_lease_at: null,
  };

  test('gateways list, and disable by name', async () => {
    service()
      .on('listGateways', () => ({ body: { list: [GATEWAY] } }))
      .on('disableGateway', () => ({ body: { ...GATEWAY, state: 'DISABLED' } }));
    expect((await admin('gateways list')).out).toContain('gw.example.com:2022');
    expect((await admin('gateways disable east')).out).toBe('Gateway east is DISABLED.\n');
    expect((await admin('gateways disable west')).exit).toBe(EXIT.refused);
  });

  test('gateways: the code alone on stdout', async () => {
    service().on('createGatewayCode', () => ({
      status: 201,
      body: { code: 'one-time', expires_in_seconds: 900 },
    }));
    const { out, err } = await admin('gateways enroll-code east');
    expect([out, err]).toEqual(['one-time\n', 'It ends in 15 min.\n']);
  });
});
