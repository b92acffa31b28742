import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, logInByCode, openAccount } from '../../e2e/world/logins.ts';
import { newcomerAt, type Person, personAt } from '../../e2e/world/people.ts';
import { secondFactorPolicy } from '../../e2e/world/second-factor.ts';
import { Terminal } from '../../e2e/world/terminal.ts';
import { type Issuer, startIssuer } from '../../packages/server/test/workload/issuer.ts';
import { heading, remark, show } from './screen.ts';
import { quoted, type } from './typist.ts';
import type { DemoWorld } from './world.ts';

const HOST = 'opa-demo-linux';
const WORKFLOW = 'octo/shop/.github/workflows/deploy.yml@refs/heads/main';

/** Logging in: a person with a code and a second factor, a job with its provider's token. */
export async function identity(world: DemoWorld): Promise<void> {
  const issuer = await startIssuer();
  try {
    await prepare(world, issuer);
    const ana = newcomerAt(world.service, world.directory, 'ana');
    const account = await loggedIn(world, ana);
    await steppedUp(ana, account);
    await deployed(world, ana, issuer);
    await loggedOut(ana, account);
    heading('On the record: who logged in, and how');
    for (const type_ of ['user.authentication.auth_via_mfa', 'pam.workload.token.issue'])
      await type(world, 'uma', 'sft-admin', ['log', 'search', '--type', type_]);
  } finally {
    await issuer.stop();
  }
}

async function prepare(world: DemoWorld, issuer: Issuer): Promise<void> {
  heading('A policy that asks for a second factor, and a job that is believed');
  const policy = join(world.directory, 'second-factor.yaml');
  writeFileSync(policy, secondFactorPolicy('any'));
  await type(world, 'sam', 'sft-admin', ['apply', '-f', policy]);
  const robot = join(world.directory, 'deployer.yaml');
  writeFileSync(robot, DEPLOYER);
  await type(world, 'pat', 'sft-admin', ['apply', '-f', robot]);
  const connection = join(world.directory, 'github.yaml');
  writeFileSync(connection, connectionTo(issuer.url));
  remark(`In the place of GitHub: an issuer of this walk, ${issuer.url}`);
  await type(world, 'pat', 'sft-admin', ['workload', 'set', connection]);
  await type(world, 'pat', 'sft-admin', ['workload', 'link-person', issuer.url, '4711', 'ellis']);
}

async function loggedIn(world: DemoWorld, ana: Person): Promise<Account> {
  heading('Ana is invited; in a browser she sets a password and adds an authenticator app');
  const { service, directory } = world;
  const bootstrap = personAt(service, directory, 'bootstrap', service.bootstrapToken);
  const invitation = await typed('bootstrap', bootstrap, 'sft-admin', ['users', 'invite', 'ana']);
  remark('(By an admin, whatever she logs in with would count as his: never a second vote.)');
  const link = /http\S+\/invite\/\S+/.exec(invitation)?.[0] ?? '';
  const account = await openAccount(world.service, 'ana', link);
  remark('(The browser’s part of this walk is done over HTTP, page by page.)');
  heading('She logs in with a code, which she allows in her browser');
  await typed('ana', ana, 'sft', ['whoami'], 78);
  const ran = await logInByCode(ana, account);
  show('ana', 'sft login --no-browser', ran);
  if (ran.code !== 0) throw new Error(`sft login ended with ${ran.code}`);
  await typed('ana', ana, 'sft', ['whoami']);
  return account;
}

async function steppedUp(ana: Person, { app }: Account): Promise<void> {
  heading('The server asks for a code at each connection; the client goes on by itself');
  const command = ['ssh', HOST, '--account', 'pamadmin2', '--', 'echo "I am $LOGNAME"'];
  await typed('ana', ana, 'sft', command, 77);
  remark('Nobody was at a terminal. Now somebody is:');
  const terminal = new Terminal(ana, 'sft', command);
  await terminal.see('One-time code');
  terminal.type(`${await app.code()}\r`);
  const code = await terminal.exit;
  show('ana', `sft ${quoted(command)}`, { code, stdout: screenOf(terminal.shown), stderr: '' });
  if (code !== 0) throw new Error(`sft ssh ended with ${code}`);
}

async function deployed(world: DemoWorld, ana: Person, issuer: Issuer): Promise<void> {
  heading('A CI job logs in with its provider’s token, asks, and waits');
  const job = newcomerAt(world.service, world.directory, 'runner');
  const jwt = await issuer.sign(claimsOf(issuer.url, world.service.url));
  const login = ['workload', 'authenticate', '--connection', 'github', '--jwt-env', 'JOB_TOKEN'];
  const made = await job.run('sft', login, { env: { JOB_TOKEN: jwt } });
  show('job', `SFT_TOKEN=$(sft ${quoted(login)})`, { ...made, stdout: '' });
  if (made.code !== 0) throw new Error('the job was not let in');
  const env = { SFT_TOKEN: made.stdout.trim() };
  const again = await job.run('sft', login, { env: { JOB_TOKEN: jwt } });
  show('job', `sft ${quoted(login)}`, again);
  if (again.code !== 78) throw new Error('the token was taken twice');
  const command = ['ssh', HOST, '--account', 'pamadmin1', '--reason', 'deploy 1.2.3', '--wait'];
  const whole = [...command, '--', 'echo "deployed as $LOGNAME"'];
  let printed = '';
  const running = job.start('sft', whole, {
    ...{ env, input: '' },
    onOutput: (text) => {
      printed += text;
    },
  });
  await running.until(' raised');
  const id = /Request ([0-9a-f-]{36})/.exec(printed)?.[1] ?? '';
  heading('Two people read what the job is, and approve; whoever set it off would not count');
  await typed('ana', ana, 'sft-admin', ['requests', 'show', id]);
  await typed('ana', ana, 'sft-admin', ['approve', id, '--reason', 'the release', '--yes']);
  await type(world, 'bo', 'sft-admin', ['approve', id, '--reason', 'the release', '--yes']);
  const ran = await running.ended;
  show('job', `sft ${quoted(whole)}`, ran);
  if (ran.code !== 0) throw new Error(`the job ended with ${ran.code}`);
}

async function loggedOut(ana: Person, { app }: Account): Promise<void> {
  heading('Ana logs out everywhere while a session of hers is open: it ends it all');
  const open = new Terminal(ana, 'sft', ['ssh', HOST, '--account', 'pamadmin2']);
  await open.see('One-time code');
  open.type(`${await app.code()}\r`);
  await open.see(`pamadmin2@${HOST}`);
  await typed('ana', ana, 'sft', ['logout', '--everywhere']);
  const code = await open.exit;
  show('ana', `sft ssh ${HOST} --account pamadmin2`, {
    ...{ code, stderr: '' },
    stdout: screenOf(open.shown),
  });
  if (code !== 255) throw new Error(`the session ended with ${code}`);
  await typed('ana', ana, 'sft', ['list-servers'], 78);
}

async function typed(
  who: string,
  person: Person,
  file: 'sft' | 'sft-admin',
  args: readonly string[],
  expected = 0,
): Promise<string> {
  const ran = await person.run(file, args);
  show(who, `${file} ${quoted(args)}`, ran);
  if (ran.code !== expected) throw new Error(`${file} ended with ${ran.code}`);
  return ran.stdout + ran.stderr;
}

/** What a terminal was sent, without what only moves its cursor. */
const screenOf = (shown: string): string =>
  shown
    .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replaceAll('\r', '')
    .replace(/^.*(?=\? )/, '');

function claimsOf(iss: string, aud: string) {
  const now = Math.floor(Date.now() / 1000);
  return {
    ...{ iss, aud, sub: 'repo:octo/shop:environment:production', jti: randomUUID() },
    ...{ iat: now, nbf: now - 10, exp: now + 300 },
    ...{ repository: 'octo/shop', repository_id: '74', repository_owner_id: '65' },
    ...{ repository_owner: 'octo', workflow_ref: WORKFLOW, job_workflow_ref: WORKFLOW },
    ...{ environment: 'production', ref: 'refs/heads/main', sha: 'c'.repeat(40) },
    ...{ event_name: 'push', run_id: '9001', run_attempt: '1', check_run_id: '12' },
    ...{ actor: 'ellis-kim', actor_id: '4711' },
  };
}

const DEPLOYER = `kind: User
login: deployer
name: Deployment of the shop
type: service
owners: [dana]
groups: [everyone, linux-users]
`;

const connectionTo = (issuer: string): string => `name: github
provider: github
issuer: ${issuer}
jwks_url: ${issuer}/jwks
rules:
  - service_user: deployer
    claims:
      repository_id: "74"
      repository_owner_id: "65"
      workflow_ref: ${WORKFLOW}
      environment: production
`;
