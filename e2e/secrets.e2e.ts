import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newEngineer, tokenFor } from './world/engineer.ts';
import { ask, decide, HOST, methodFor } from './world/grant.ts';
import { type Person, personAt } from './world/people.ts';
import {
  argumentsOf,
  environmentOf,
  exposedBy,
  familyOf,
  gatewayOf,
  openFilesOf,
  searchMemory,
} from './world/processes.ts';
import { answersSeen, type Reply, restOf } from './world/rest.ts';
import { run } from './world/run.ts';
import {
  filesBelow,
  leaksIn,
  type Secret,
  secretKey,
  secretText,
  secretToken,
} from './world/secrets.ts';
import { connectSsh, execSsh, openByRest } from './world/ssh-session.ts';
import { type Tap, tapInFrontOf } from './world/tap.ts';
import { openWorld, type World } from './world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin1'];
const CANARY = 'canary-Vq7nX2fLpW8dRt';

let world: World;
let api: Tap;
let gateway: Tap;
/** Everything of his goes through the taps. */
let person: Person;
/** Passwords, the master key, and what an admin typed into a request that was refused. */
let vaulted: Secret[];
/** Of everybody in the world, also of whom it was taken away. */
let tokens: Secret[];
const exposed: string[] = [];
const printed: string[] = [];

/** Use case 1 by somebody who is listened to, and what goes wrong around it. */
beforeAll(async () => {
  world = await openWorld({ sshd: false });
  const { service, people, target } = world;
  vaulted = [
    secretKey('master key', service.masterKey),
    secretText('refused credential', CANARY),
    ...Object.entries(target.passwords).map(([name, text]) => secretText(name, text)),
  ];
  api = await tapInFrontOf(Number(new URL(service.url).port));
  gateway = await tapInFrontOf(service.gatewayPort);
  await newEngineer(world, 'tapped');
  const token = await tokenFor(world, 'tapped');
  const tappedService = { ...service, url: `http://127.0.0.1:${api.port}` };
  person = personAt(tappedService, world.directory, 'tapped', token);
  tokens = [
    secretToken('bootstrap token', service.bootstrapToken),
    secretToken('his token', token),
    ...Object.entries(people).map(([name, one]) => secretToken(`token of ${name}`, one.token)),
  ];

  const waiting = person.start('sft', [
    ...SSH,
    '--reason',
    'logs',
    '--wait',
    '--',
    'env; id; echo up; read line; exit 3',
  ]);
  await waiting.until('Waiting for');
  const { id } = await ask(tappedService, person, 'pamadmin1');
  await decide(service, people.dana, id);
  await waiting.until('up\n');
  exposed.push(...familyOf(waiting.child.pid ?? 0).map(exposedBy));
  waiting.child.stdin?.end('\n');
  const ended = await waiting.ended;
  expect(ended.code).toBe(3);
  printed.push(ended.stdout, ended.stderr);

  const method = await methodFor(tappedService, person, 'pamadmin1');
  const client = await connectSsh(await openByRest(tappedService, person, method), gateway.port);
  const ran = await execSsh(client, 'env; echo through the tap');
  expect(ran.stdout.toString()).toContain('through the tap');
  printed.push(ran.stdout.toString(), ran.stderr);
  client.end();
  await mistakes();
}, 300_000);
afterAll(async () => {
  await api?.close();
  await gateway?.close();
  await world?.end();
}, 60_000);

/** Secrets where they do not belong: the service must not say them again. */
async function mistakes(): Promise<void> {
  const { service, people } = world;
  const sam = restOf(service, people.sam.token);
  const { body } = await sam<Answer<'listInventory'>>('GET', '/inventory/servers');
  const path = `/inventory/servers/${body.list[0]?.id}/accounts/pamadmin1`;
  const refused = [
    await sam('PUT', path, { body: { credential: { type: 'password', secret: CANARY } } }),
    await sam('PUT', path, { body: { credential: { type: CANARY, password: CANARY } } }),
    await sam('PUT', path, {
      body: { credential: { type: 'private_key', private_key: `-----BEGIN ${CANARY}` } },
    }),
    await restOf(service, person.token)('PUT', path, {
      body: { credential: { type: 'password', password: CANARY } },
    }),
    await sam('POST', '/apply', {
      body: {
        documents: [
          { kind: 'Server', hostname: 'x', accounts: [{ username: 'a', credential: CANARY }] },
        ],
      },
    }),
    await restOf(service, `pst_${CANARY}`)('GET', '/whoami'),
  ];
  for (const { status } of refused) expect(status).toBeGreaterThanOrEqual(400);
  const typed = await people.sam.run(
    'sft-admin',
    [...['accounts', 'set', 'no-such-host', 'pamadmin1', '--password-from-env', 'SECRET']],
    { env: { SECRET: CANARY } },
  );
  expect(typed.code).toBe(77);
  printed.push(typed.stdout, typed.stderr);
}

const nothing: string[] = [];

describe('the vaulted secret, the master key and tokens are nowhere but where they belong', () => {
  it("not in the client's traffic, with the service or with the gateway", () => {
    expect(api.bytes().length).toBeGreaterThan(5000);
    expect(gateway.bytes().length).toBeGreaterThan(1000);
    const others = tokens.filter(({ name }) => name !== 'his token');
    expect(leaksIn(api.bytes(), [...vaulted, ...others])).toEqual(nothing);
    expect(leaksIn(gateway.bytes(), [...vaulted, ...tokens])).toEqual(nothing);
  });

  it("not in the client's files, arguments, environment or output", () => {
    const files = filesBelow(person.home);
    expect(files.map(({ path }) => path)).toContain(join(person.home, 'token'));
    for (const { path, bytes } of files) {
      const own = path === join(person.home, 'token') ? ['his token'] : [];
      expect([path, leaksIn(bytes, [...vaulted, ...tokens])]).toEqual([path, own]);
    }
    expect(exposed.join('\n')).toContain(HOST);
    expect(leaksIn(exposed.join('\n'), [...vaulted, ...tokens])).toEqual(nothing);
    expect(leaksIn(printed.join('\n'), [...vaulted, ...tokens])).toEqual(nothing);
  });

  it('not in the logs of service and gateway', () => {
    const log = readFileSync(world.service.logFile);
    expect(log.toString()).toContain('"part":"gateway"');
    expect(leaksIn(log, [...vaulted, ...tokens])).toEqual(nothing);
  });

  it('not in any answer, problem documents included, but the one that makes a token', () => {
    expect(answersSeen.length).toBeGreaterThan(20);
    for (const { call, text } of answersSeen) {
      const allowed = call === 'POST /tokens' ? vaulted : [...vaulted, ...tokens];
      expect([call, leaksIn(text, allowed)]).toEqual([call, nothing]);
    }
  });

  it('not in the log of events', async () => {
    const uma = restOf(world.service, world.people.uma.token);
    const types = new Set<string>();
    let path: string | undefined = '/audit/events?limit=100';
    while (path !== undefined) {
      const page: Reply<Answer<'listAuditEvents'>> = await uma('GET', path);
      for (const { type } of page.body.list) types.add(type);
      expect(leaksIn(page.text, [...vaulted, ...tokens])).toEqual(nothing);
      const next = /<([^>]+)>; *rel="?next/.exec(page.headers.get('link') ?? '')?.[1];
      path = next?.replace(/^.*\/v1\/teams\/[^/]+/, '');
    }
    for (const type of ['pam.token.create', 'pam.user_creds.issue', 'pam.session.end'])
      expect([...types]).toContain(type);
  });

  it('not in the recordings, nor among the arguments and variables of any process', async () => {
    const recordings = filesBelow(world.service.recordings);
    expect(recordings.length).toBeGreaterThanOrEqual(4);
    expect(Buffer.concat(recordings.map(({ bytes }) => bytes)).toString()).toContain(
      'through the tap',
    );
    for (const { path, bytes } of recordings)
      expect([path, leaksIn(bytes, [...vaulted, ...tokens])]).toEqual([path, nothing]);
    const own = [process.pid, ...familyOf(world.service.pid)].slice(1);
    expect(leaksIn(own.map(exposedBy).join('\n'), [...vaulted, ...tokens])).toEqual(nothing);
  });
});

describe('the gateway child', () => {
  it('has an environment that names only what it needs, and no file of the service', () => {
    const pid = gatewayOf(world.service.pid);
    const names = Object.keys(environmentOf(pid)).filter((name) => name !== 'NODE_CHANNEL_FD');
    for (const name of names) expect(name).toMatch(/^POSTERN_GATEWAY_[A-Z_]+$/);
    for (const file of openFilesOf(pid)) {
      expect(file).not.toContain(join(world.directory, 'data'));
      expect(file).not.toContain('master.key');
    }
  });

  it('runs under the permission model: it cannot read keys or data, write, or start anything', async () => {
    const [node = '', ...rest] = argumentsOf(gatewayOf(world.service.pid));
    const flags = rest.filter((arg) => arg.startsWith('--'));
    expect(flags).toContain('--permission');
    for (const allowed of flags.filter((flag) => flag.startsWith('--allow-'))) {
      expect(allowed).toMatch(/^--allow-(addons$|fs-(read|write)=)/);
      expect(allowed).not.toContain(join(world.directory, 'data'));
    }
    const tries = {
      masterKey: `fs.readFileSync(${JSON.stringify(join(world.directory, 'master.key'))})`,
      data: `fs.readdirSync(${JSON.stringify(join(world.directory, 'data'))})`,
      passwd: "fs.readFileSync('/etc/passwd')",
      write: `fs.writeFileSync(${JSON.stringify(join(world.directory, 'x'))}, '')`,
      start: "child_process.spawnSync('/bin/true')",
      worker: "new worker_threads.Worker('0', { eval: true })",
      recordings: `fs.writeFileSync(${JSON.stringify(join(world.service.recordings, 'x'))}, '')`,
    };
    const program = `const said = {};
      for (const [name, code] of Object.entries(${JSON.stringify(tries)}))
        try { eval(code); said[name] = 'allowed'; } catch (error) { said[name] = error.code; }
      console.log(JSON.stringify(said));`;
    const ran = await run(node, [...flags, '-e', program], { cwd: world.directory });
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toEqual({
      masterKey: 'ERR_ACCESS_DENIED',
      data: 'ERR_ACCESS_DENIED',
      passwd: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      start: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      recordings: 'allowed',
    });
  });

  it('has no master key in its memory; the search does find what is there', ({ skip }) => {
    skip(process.getuid?.() !== 0, 'needs root');
    const [masterKey] = vaulted;
    const pid = gatewayOf(world.service.pid);
    const here = secretText('an address', `127.0.0.1:${world.service.gatewayPort}`);
    const control = secretText('control', Object.values(environmentOf(pid))[0] ?? 'nothing');
    const found = new Set<string>();
    const bytes = searchMemory(pid, (piece) => {
      for (const name of leaksIn(piece, [masterKey!, control, here])) found.add(name);
    });
    expect(bytes).toBeGreaterThan(10 * 1024 * 1024);
    expect([...found]).toContain('control');
    expect([...found]).not.toContain('master key');
  });
});

describe('at rest', () => {
  it('the database holds no vaulted secret, no master key and no token', async () => {
    expect(await world.service.stop()).toBe(0);
    const data = join(world.directory, 'data');
    expect(readdirSync(data).length).toBeGreaterThan(0);
    const files = filesBelow(data);
    const all = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    console.log(`looked through ${files.length} files, ${Math.round(all / 1e6)} MB`);
    expect(files.some(({ bytes }) => bytes.includes('Ellis Kim'))).toBe(true);
    for (const { path, bytes } of files)
      expect([path, leaksIn(bytes, [...vaulted, ...tokens])]).toEqual([path, nothing]);
    const log = readFileSync(world.service.logFile);
    expect(leaksIn(log, [...vaulted, ...tokens])).toEqual(nothing);
  }, 60_000);
});
