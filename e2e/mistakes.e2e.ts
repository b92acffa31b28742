import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyFor } from './world/engineer.ts';
import { freePort } from './world/free-port.ts';
import { grant, HOST } from './world/grant.ts';
import type { Person } from './world/people.ts';
import { restOf } from './world/rest.ts';
import { baseEnv, type Ran, ROOT, run } from './world/run.ts';
import { temporary } from './world/service.ts';
import { openWorld, type World } from './world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin1'];

let world: World;
/** A small disk of its own for the recordings; undefined where nothing can be mounted. */
let disk: string | undefined;

beforeAll(async () => {
  disk = await smallDisk();
  world = await openWorld({
    sshd: false,
    ...(disk === undefined ? {} : { env: { POSTERN_RECORDING_DIR: disk } }),
  });
}, 300_000);
afterAll(async () => {
  await world?.end();
  if (disk === undefined) return;
  await run('umount', [disk], { env: SYSTEM });
  rmSync(disk, { recursive: true, force: true });
}, 60_000);

const SYSTEM = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

async function smallDisk(): Promise<string | undefined> {
  const at = temporary(tmpdir(), 'disk');
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'postern-e2e', at], {
    env: SYSTEM,
  }).catch(() => undefined);
  if (mounted?.code === 0) return at;
  rmSync(at, { recursive: true, force: true });
  return undefined;
}

/** One line that says what is wrong, one that says what to do, nothing else. */
function saysClearly(ran: Ran, program: string, code: number, what: RegExp): void {
  expect({ ...ran, stderr: '' }).toEqual({ code, stdout: '', stderr: '' });
  expect(ran.stderr).toMatch(new RegExp(`^${program}: .+\\n.+\\n$`));
  expect(ran.stderr).toMatch(what);
}

describe('files that sft-admin apply is given', () => {
  const good = `kind: SecurityPolicy\nname: Broken\nactive: true\nprincipals:
  user_groups: [{name: linux-users}]\n`;

  /** A whole policy in front, so that whatever is written half would be seen. */
  async function applied(name: string, text: string): Promise<Ran> {
    const file = join(world.directory, name);
    const whole = JSON.stringify({ ...policyFor('linux-users'), name: 'Half-written' });
    writeFileSync(file, `${whole}\n---\n${text}`);
    const ran = await world.people.sam.run('sft-admin', ['apply', '-f', name], {
      cwd: world.directory,
    });
    const policies = await restOf(world.service, world.people.sam.token)<
      Answer<'listSecurityPolicies'>
    >('GET', '/security_policy');
    expect(policies.body.list.map((one) => one.policy.name)).toEqual(['Linux administration']);
    return ran;
  }

  it('broken YAML: file, line, column; 64; nothing is written', async () => {
    saysClearly(
      await applied('broken.yaml', 'kind: SecurityPolicy\nname: [unclosed\n'),
      'sft-admin',
      64,
      /broken\.yaml:\d+:\d+: /,
    );
  });

  it('an unknown field: its place, and what may stand there; 64; nothing is written', async () => {
    saysClearly(
      await applied('unknown.yaml', `${good}colour: red\nrules: []\n`).then(only('colour')),
      'sft-admin',
      64,
      /unknown\.yaml:8:1: .*colour/,
    );
  });

  it('a wrong type: its place; 64; nothing is written', async () => {
    saysClearly(
      await applied('type.yaml', `${good.replace('active: true', 'active: 7')}rules: []\n`).then(
        only('active'),
      ),
      'sft-admin',
      64,
      /type\.yaml:5:1: .*active/,
    );
  });

  it('a file that is not there, and a variable that is not set', async () => {
    const { sam } = world.people;
    saysClearly(await sam.admin('apply', '-f', 'nowhere.yaml'), 'sft-admin', 64, /nowhere\.yaml/);
    const inventory = join(ROOT, 'examples/demo/2-inventory.yaml');
    const ran = await sam.admin('apply', '-f', inventory);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain('DEMO_PAMADMIN1_PASSWORD');
  });
});

/** Of several faults, each a line of its own, the one about this, with what to do. */
const only =
  (about: string) =>
  (ran: Ran): Ran => {
    const lines = ran.stderr.trimEnd().split('\n');
    const fault = lines.find((line) => line.includes(about)) ?? lines[0];
    return { ...ran, stderr: `${fault}\n${lines.at(-1)}\n` };
  };

describe('who asks, and whom', () => {
  const as = (person: Person, env: Record<string, string>): Promise<Ran> =>
    person.run('sft', ['list-servers'], { env });

  it('a service that is not there: 69', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    saysClearly(
      await as(world.people.ellis, { SFT_URL: url }),
      'sft',
      69,
      /cannot be reached: nothing listens there/,
    );
  });

  it('something else that answers there: 69', async () => {
    const server: Server = createServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const ran = await as(world.people.ellis, { SFT_URL: `http://127.0.0.1:${port}` });
    server.close();
    saysClearly(ran, 'sft', 69, /not a working Postern service/);
  });

  it('no token, a token file that is missing, one that is wrong, plain HTTP to elsewhere: 78', async () => {
    const { ellis } = world.people;
    saysClearly(await as(ellis, { SFT_TOKEN_FILE: '' }), 'sft', 78, /Not logged in/);
    saysClearly(await as(ellis, { SFT_TOKEN_FILE: 'nowhere' }), 'sft', 78, /does not exist/);
    const other = `pst_${'0'.repeat(32)}_${'A'.repeat(43)}`;
    saysClearly(
      await as(ellis, { SFT_TOKEN_FILE: '', SFT_TOKEN: other }),
      'sft',
      78,
      /^(?!.*AAAA)/s,
    );
    saysClearly(await as(ellis, { SFT_URL: 'http://192.0.2.1' }), 'sft', 78, /in the clear/);
  });

  it('a command, a flag or a value that there is not: 64, also without a service', async () => {
    for (const args of [
      ['frobnicate'],
      ['ssh', '--frobnicate'],
      ['ssh', HOST, '--wait', '--timeout', 'soon'],
    ])
      saysClearly(
        await world.people.ellis.run('sft', args, { env: { SFT_URL: '' } }),
        'sft',
        64,
        /^/,
      );
  });
});

describe('the disk for the recordings is full', () => {
  it('a live session ends with recording_failed and a line, the next is refused; then all is well', async ({
    skip,
  }) => {
    skip(disk === undefined, 'needs root, to mount a small disk');
    const { ellis, dana, sam } = world.people;
    await grant(world.service, ellis, dana, 'pamadmin1');
    const live = ellis.start('sft', [...SSH, '--', 'echo up; read line; echo "$line"; sleep 60']);
    await live.until('up\n');
    const filler = fill(disk as string);
    live.child.stdin?.write(`${'after the disk is full '.repeat(400)}\n`);
    const ended = await live.ended;
    expect(ended).toMatchObject({ code: 255, stdout: 'up\n' });
    expect(ended.stderr).toMatch(/^sft: .*cannot be recorded.*\n/);
    expect(ended.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    // The gateway tells the service when it has told the client.
    const reason = async () => {
      const { body } = await restOf(world.service, sam.token)<Answer<'listSessions'>>(
        'GET',
        '/sessions?view=all',
      );
      return body.list[0]?.end_reason;
    };
    await expect.poll(reason, { timeout: 20_000 }).toBe('recording_failed');

    const refused = await ellis.sft(...SSH, '--', 'echo ran');
    expect(refused.stdout).toBe('');
    expect([69, 255]).toContain(refused.code);
    expect(refused.stderr).toMatch(/record/);
    rmSync(filler);
    expect((await ellis.sft(...SSH, '--', 'echo ran')).stdout).toBe('ran\n');
  }, 120_000);
});

function fill(directory: string): string {
  const path = join(directory, 'filler');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    expect((error as { code?: string }).code).toBe('ENOSPC');
  }
  closeSync(file);
  return path;
}

describe('posternd serve', () => {
  const serve = (env: Record<string, string>): Promise<Ran> =>
    run(join(ROOT, 'bin/posternd'), ['serve'], {
      cwd: world.directory,
      env: {
        ...baseEnv(world.directory),
        POSTERN_TEAM: world.service.team,
        POSTERN_LISTEN_PORT: '0',
        POSTERN_DATA_DIR: join(world.directory, 'data'),
        POSTERN_RECORDING_DIR: join(world.directory, 'recordings-2'),
        POSTERN_MASTER_KEY_FILE: join(world.directory, 'master.key'),
        POSTERN_LOG_LEVEL: 'silent',
        POSTERN_GATEWAY_ENABLED: 'false',
        ...env,
      },
    });

  it('a second process on one directory: 78, and it says who holds it', async () => {
    saysClearly(
      await serve({}),
      'posternd',
      78,
      new RegExp(`in use by process ${world.service.pid}, since `),
    );
    expect((await world.people.ellis.sft('whoami')).code).toBe(0);
  });

  it('unknown settings, settings that are wrong, no master key: 78, all at once, no secret said', async () => {
    const ran = await serve({
      POSTERN_COLOUR: 'red',
      POSTERN_LISTEN_PORT: 'many',
      POSTERN_MASTER_KEY_FILE: '',
    });
    expect(ran).toMatchObject({ code: 78, stdout: '' });
    expect(ran.stderr).toMatch(/^posternd: /);
    expect(ran.stderr).toMatch(/POSTERN_COLOUR|colour/i);
    expect(ran.stderr).toMatch(/LISTEN_PORT|listen.port/i);
    const open = join(world.directory, 'open.key');
    writeFileSync(open, readFileSync(join(world.directory, 'master.key')), { mode: 0o644 });
    const readable = await serve({ POSTERN_MASTER_KEY_FILE: open });
    expect(readable).toMatchObject({ code: 78, stdout: '' });
    expect(readable.stderr).toMatch(/open to others/);
    expect(readable.stderr).not.toContain(world.service.masterKey);
  });

  it('another master key than the database was made with: 78, and nothing is changed', async () => {
    await world.service.stop();
    const other = join(world.directory, 'other.key');
    writeFileSync(other, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
    saysClearly(await serve({ POSTERN_MASTER_KEY_FILE: other }), 'posternd', 78, /master key/);
  }, 60_000);

  it('tokens of people without a login, where that is not allowed: 78, and how to go on', async () => {
    const ran = await serve({});
    saysClearly(ran, 'posternd', 78, /\d+ tokens of people live without a login/);
    expect(ran.stderr).toContain('POSTERN_STATIC_TOKENS=true');
  }, 60_000);

  it('a port that is taken: 78', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const ran = await serve({
      POSTERN_LISTEN_PORT: String(port),
      POSTERN_STATIC_TOKENS: 'true',
    });
    taken.close();
    saysClearly(ran, 'posternd', 78, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}`));
  }, 60_000);

  it('after all that, the service starts as it was', async () => {
    mkdirSync(join(world.directory, 'recordings'), { recursive: true });
    world.service = await world.service.restart();
    expect((await world.people.ellis.sft('whoami')).code).toBe(0);
  }, 180_000);
});
