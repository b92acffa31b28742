import { sign } from 'node:crypto';
import {
  generateEd25519,
  parsePublicKey,
  toOpenSshPrivateKey,
  wireString,
  wireU32,
} from '@postern/shared';
import type { AnyAuthMethod, AuthContext } from 'ssh2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { classify } from '../src/admission.ts';
import { ServiceUnavailable } from '../src/service-port.ts';
import { run, until } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

const ID = '01900000-0000-7000-8000-0000000000ab';

function keyBlob(line: string): Buffer {
  const key = parsePublicKey(line);
  if (!key.ok) throw new Error(key.reason);
  return key.value.blob;
}

/** What ssh2 would hand over for a login, with parts exchanged. */
function login(changes: Record<string, unknown> = {}): AuthContext {
  const pair = generateEd25519();
  const data = keyBlob(pair.public_line);
  const parts = {
    username: ID,
    algo: 'ssh-ed25519',
    key: data,
    session: Buffer.alloc(32, 7),
    ...changes,
  };
  const blob = Buffer.concat([
    wireString(parts.session as Buffer),
    Buffer.from([50]),
    wireString(parts.username as string),
    wireString('ssh-connection'),
    wireString('publickey'),
    Buffer.from([1]),
    wireString(parts.algo as string),
    wireString(parts.key as Buffer),
  ]);
  return {
    method: 'publickey',
    username: parts.username,
    key: { algo: parts.algo, data: parts.key },
    blob,
    signature: sign(null, blob, pair.private),
    ...('method' in changes && { method: changes.method }),
    ...('signature' in changes && { signature: changes.signature }),
    ...('blob' in changes && { blob: changes.blob }),
  } as unknown as AuthContext;
}

describe('a login request', () => {
  test('a signed one is worth a question to the service', () => {
    expect(classify(login()).kind).toBe('signed');
  });

  test('without a signature it asks only whether the key would do', () => {
    expect(classify(login({ signature: undefined, blob: undefined })).kind).toBe('probe');
  });

  for (const username of [
    'root',
    '',
    ID.toUpperCase(),
    `${ID} `,
    `${ID}\n`,
    `${ID}@host`,
    ID.slice(1),
  ])
    test(`deny: user name ${JSON.stringify(username)}`, () => {
      expect(classify(login({ username })).kind).toBe('refused');
    });

  for (const method of ['none', 'password', 'keyboard-interactive', 'hostbased'])
    test(`deny: method ${method}`, () => {
      expect(classify(login({ method })).kind).toBe('refused');
    });

  for (const algo of [
    'ssh-rsa',
    'rsa-sha2-512',
    'ecdsa-sha2-nistp256',
    'sk-ssh-ed25519@openssh.com',
    'ssh-dss',
    '',
  ])
    test(`deny: algorithm ${algo}`, () => {
      expect(classify(login({ algo })).kind).toBe('refused');
    });

  test('deny: a certificate, by its own name or under the name of a plain key', () => {
    const type = 'ssh-ed25519-cert-v01@openssh.com';
    const certificate = Buffer.concat([
      wireString(type),
      wireString(Buffer.alloc(32, 1)),
      wireString(Buffer.alloc(32, 2)),
      Buffer.alloc(8),
      wireU32(1),
      wireString('id'),
    ]);
    for (const algo of [type, 'ssh-ed25519']) {
      expect(classify(login({ algo, key: certificate })).kind).toBe('refused');
      const probe = { algo, key: certificate, signature: undefined, blob: undefined };
      expect(classify(login(probe)).kind).toBe('refused');
    }
  });

  test('deny: a key with bytes after it, cut short, empty, or of small order', () => {
    const key = keyBlob(generateEd25519().public_line);
    const weak = Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(32))]);
    for (const bad of [
      Buffer.concat([key, Buffer.from([0])]),
      key.subarray(1),
      Buffer.alloc(0),
      weak,
    ])
      expect(classify(login({ key: bad })).kind).toBe('refused');
  });

  test('deny: a signature by another key, too long, too short, or over another blob', () => {
    const good = login() as unknown as { signature: Buffer };
    const signatures = [
      Buffer.concat([good.signature, Buffer.from([0])]),
      good.signature.subarray(1),
      good.signature,
      Buffer.alloc(64),
      Buffer.alloc(0),
    ];
    for (const signature of signatures)
      expect(classify(login({ signature }))).toMatchObject({ kind: 'refused' });
  });
});

describe('admission', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const untouched = () => {
    expect(world.target.seen.attempts).toBe(0);
    expect(world.gateway.sessions()).toEqual([]);
  };

  test('the service is asked once, with the blob, the signature and the address', async () => {
    const { id } = await world.connect();
    expect(world.service.admissions).toEqual([
      {
        session_id: id,
        blob: expect.any(String),
        signature: expect.any(String),
        client_address: '127.0.0.1',
      },
    ]);
    expect(Buffer.from(world.service.admissions[0]?.signature ?? '', 'base64')).toHaveLength(64);
  });

  test('deny: a key that is not the one of the session', async () => {
    const session = world.open();
    const privateKey = toOpenSshPrivateKey(generateEd25519().private);
    await expect(world.login({ ...session, privateKey })).rejects.toThrow(
      "sft: refused: the login does not prove the session's key",
    );
    untouched();
  });

  test("deny: another session's key", async () => {
    const one = world.open();
    const two = world.open();
    await expect(world.login({ ...one, privateKey: two.privateKey })).rejects.toThrow('refused');
    untouched();
  });

  test('deny: a user name that is no session, without asking the service', async () => {
    const session = world.open();
    for (const id of ['pamadmin1', 'root', session.id.toUpperCase()])
      await expect(world.login({ ...session, id })).rejects.toThrow();
    expect(world.service.admissions).toEqual([]);
    untouched();
  });

  test('deny: a session the service does not know', async () => {
    const session = world.open();
    await expect(world.login({ ...session, id: ID })).rejects.toThrow('no such session');
    untouched();
  });

  test('deny: a second admission; the first goes on', async () => {
    const session = world.open();
    const first = await world.login(session);
    await expect(world.login(session)).rejects.toThrow('admitted before');
    expect((await run(first, 'echo still here')).stdout).toBe('still here\n');
    expect(world.gateway.sessions()).toEqual([session.id]);
  });

  test('deny: password and keyboard-interactive', async () => {
    const session = world.open();
    const username = session.id;
    const prompt = (...args: unknown[]) => (args[4] as (answers: string[]) => void)(['x']);
    const methods: AnyAuthMethod[] = [
      { type: 'password', username, password: 'vault-secret' },
      { type: 'keyboard-interactive', username, prompt },
    ];
    for (const method of methods)
      await expect(world.login(session, { authHandler: [method] })).rejects.toThrow();
    expect(world.service.admissions).toEqual([]);
    untouched();
  });

  test('deny: more than one admission is asked for on one connection', async () => {
    const session = world.open();
    const other = toOpenSshPrivateKey(generateEd25519().private);
    const key = (privateKey: string) =>
      ({ type: 'publickey', username: session.id, key: privateKey }) as const;
    const attempt = world.login(session, { authHandler: [key(other), key(session.privateKey)] });
    await expect(attempt).rejects.toThrow();
    expect(world.service.admissions).toHaveLength(1);
    untouched();
  });

  test('deny: attempts after the third', async () => {
    const session = world.open();
    let tried = 0;
    const attempt = world.login(session, {
      authHandler: (_left, _partial, next) => {
        tried += 1;
        if (tried > 10) return next(false as never);
        next({ type: 'password', username: session.id, password: `guess ${tried}` });
      },
    });
    await expect(attempt).rejects.toThrow();
    expect(tried).toBeLessThanOrEqual(4);
  });

  test('deny: while the service cannot be reached nobody is admitted', async () => {
    const session = world.open();
    world.service.down = new ServiceUnavailable('no answer');
    await expect(world.login(session)).rejects.toThrow('cannot reach the policy service');
    untouched();
  });

  test('deny: an answer about another session', async () => {
    const session = world.open();
    const other = world.open();
    const admit = world.service.admit.bind(world.service);
    world.service.admit = async (a) => ({ ...(await admit(a)), session_id: other.id });
    await expect(world.login(session)).rejects.toThrow('another session');
    untouched();
  });

  test('a client that leaves while it is admitted is reported as ended', async () => {
    const session = world.open();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.service.admitting = promise;
    const attempt = world.login(session).catch(() => undefined);
    await until('asked', () => world.service.admissions.length === 1);
    world.dropClients();
    await attempt;
    resolve();
    expect(await world.service.ended(session.id)).toMatchObject({ reason: 'client_closed' });
    untouched();
  });

  test('a cut that overtakes its admission wins', async () => {
    const session = world.open();
    const { promise, resolve } = Promise.withResolvers<void>();
    world.service.admitting = promise;
    const attempt = world.login(session);
    await until('asked', () => world.service.admissions.length === 1);
    const cut = { reason: 'revoked', message: 'sft: session ended: revoked by Dana Reyes' };
    world.service.signal({ type: 'cut', session_id: session.id, ...cut });
    resolve();
    await expect(attempt).rejects.toThrow('revoked by Dana Reyes');
    expect(await world.service.ended(session.id)).toMatchObject({ reason: 'revoked' });
    untouched();
  });
});
