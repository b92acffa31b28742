import { readFileSync } from 'node:fs';
import { instant, seconds } from '@postern/shared';
import closeWithGrace from 'close-with-grace';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { type Composed, compose } from './deps.ts';
import { bootstrapTeam, findTeam, type Team } from './directory/index.ts';
import { GATEWAY_PROGRAM } from './gateway-program.ts';
import { childEnded, enrolChild } from './gateways/index.ts';
import { countStaticTokens } from './identity/index.ts';
import { SUCCESS, SYSTEM } from './platform/actor.ts';
import { latestEventAt, startAppender } from './platform/audit.ts';
import { createClockGuard, scaledClock, systemClock } from './platform/clock.ts';
import { type DatabaseHandle, type DatabaseSettings, openDatabase } from './platform/db.ts';
import { StartupError } from './platform/errors.ts';
import { type GatewayChild, startGatewayChild } from './platform/gateway-child.ts';
import type { HealthCheck } from './platform/health.ts';
import { createIds } from './platform/ids.ts';
import { startJobs } from './platform/jobs.ts';
import { createLogger } from './platform/logging.ts';
import { createMetrics, observeProcess } from './platform/metrics.ts';
import { migrate } from './platform/migrate.ts';
import { newFile } from './platform/new-file.ts';
import { createPasswordHasher } from './platform/password-hash.ts';
import { startSignals } from './platform/signals.ts';
import { createTransact, type Transact } from './platform/tx.ts';
import {
  compareKeyring,
  createKeyring,
  type Keyring,
  keyringCheck,
  parseMasterKey,
} from './vault/index.ts';
import { VERSION } from './version.ts';

const CLOCK_CHECK_MS = 5_000;
const STOP_MS = 15_000;

/**
 * Opens every port, composes the features, listens, and stays until a signal. What was
 * opened is closed in the reverse order.
 */
export async function serve(config: Config): Promise<number> {
  if (config.demo_clock_speed !== 1 && !config.demo)
    throw new StartupError('demo_clock_speed: only the clock of a demo runs fast.', {
      next: 'Unset POSTERN_DEMO_CLOCK_SPEED, or start with --demo.',
    });
  const log = createLogger(config.log_level);
  const db = await openDatabase(databaseSettings(config, log));
  const closers: (() => unknown)[] = [() => db.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse())
      await Promise.resolve(closer()).catch((error) => log.error({ err: error }, 'while closing'));
  };
  try {
    await open(config, db, log, closers);
  } catch (error) {
    await close();
    throw error;
  }
  return new Promise((done) => {
    closeWithGrace({ delay: STOP_MS, logger: false }, async ({ err, signal }) => {
      if (err) log.error({ err }, 'an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await close();
      done(err ? 70 : 0);
    });
  });
}

type Log = ReturnType<typeof createLogger>;

export const databaseSettings = (config: Config, log?: Log): DatabaseSettings => ({
  data_dir: config.data_dir,
  ...(config.database_url === undefined
    ? {}
    : { database_url: config.database_url, pool_size: config.database_pool_size }),
  ...(log === undefined ? {} : { onError: (error) => log.error({ err: error }, 'database') }),
});

async function open(
  config: Config,
  db: DatabaseHandle,
  log: Log,
  closers: (() => unknown)[],
): Promise<void> {
  const applied = await migrate(db);
  if (applied.length > 0) log.info({ applied }, 'database brought up to date');
  const onError = (error: unknown): void => log.error({ err: error }, 'background work failed');
  const clock = scaledClock(systemClock, config.demo_clock_speed);
  const jobs = await startJobs(db, onError, clock.reached);
  closers.push(() => jobs.stop());
  const monotonic = () => performance.now();
  const guard = createClockGuard({
    clock,
    databaseNow: async () => clock.shown(await db.now()),
    monotonic,
  });
  const latest = await latestEventAt(db);
  if (latest !== undefined) guard.seen(latest);
  await guard.check();
  const clockTimer = setInterval(() => void guard.check(), CLOCK_CHECK_MS);
  clockTimer.unref();
  closers.push(() => clearInterval(clockTimer));
  const transact = createTransact({
    db,
    clock,
    ids: createIds(clock),
    jobs,
    secrets: 'drop',
  });
  const keyring = keyringOf(config);
  const team = await openTeam(config, transact, keyring, log);
  if (!config.static_tokens) await refuseStaticTokens(transact);
  const signals = await startSignals(db, onError);
  closers.push(() => signals.close());
  let child: GatewayChild | undefined;
  let composed: Composed | undefined;
  const metrics = createMetrics();
  observeProcess(metrics);
  let listening: string | undefined;
  const app = await buildApp({
    version: VERSION,
    log,
    metrics,
    checks: checks(db, guard, () => (config.gateway.enabled ? child : null)),
    closeStreams: () => composed?.closeStreams(),
    trusted_proxies: config.trusted_proxies,
    requests_per_minute: config.requests_per_minute,
    ...(config.tls === undefined ? {} : { tls: readTls(config.tls) }),
    register: async (instance) => {
      composed = await compose(instance, {
        team: config.team,
        publicUrl: config.public_url,
        staticTokens: config.static_tokens,
        origins: () => originsOf(config.public_url, listening),
        oauth: { login_seconds: config.login.max_seconds },
        transact,
        clock,
        clockGuard: guard,
        signals,
        keyring,
        passwords: createPasswordHasher(),
        recordingDir: config.recording_dir,
        longestSession: seconds(config.session.max_seconds),
        monotonic,
        messages: config.messages,
        slack: config.slack,
        push: config.push,
        workload: config.workload,
        oidc: config.oidc,
        metrics,
        log,
      });
    },
  });
  closers.push(() => composed?.stop());
  const background = await composed!.start(jobs);
  closers.push(() => background.stop());
  const appender = startAppender(db, onError);
  closers.push(() => appender.stop());
  const url = await listen(app, config);
  listening = url;
  closers.push(() => app.close());
  if (config.gateway.enabled) {
    const about = { name: 'built-in', host: config.gateway.public_host };
    child = startGatewayChild({
      log,
      settings: childSettings(config, url),
      enrol: async (hello) => (await transact((tx) => enrolChild(tx, { ...about, ...hello }))).id,
      ended: async (id) => void (await transact((tx) => childEnded(tx, id))),
    });
    closers.push(() => child?.stop());
  }
  await transact((tx) =>
    tx.audit({
      type: 'pam.service.start',
      actor: SYSTEM,
      targets: [{ type: 'team', id: team.id, name: team.name }],
      outcome: SUCCESS,
      details: { version: VERSION, database: db.kind },
    }),
  );
  log.info({ url, team: config.team, database: db.kind, demo: config.demo }, 'serving');
}

/** @throws StartupError when the database needs another master key */
function keyringOf(config: Config): Keyring {
  if (config.master_key === undefined) throw new StartupError('the master key is missing.');
  const parsed = parseMasterKey(config.master_key.toString('base64'));
  config.master_key.fill(0);
  const keyring = parsed.ok ? createKeyring([parsed.value]) : parsed;
  if (!keyring.ok)
    throw new StartupError(`the master key is not usable: ${keyring.reason}.`, {
      next: 'Make one: openssl rand -base64 32',
    });
  return keyring.value;
}

async function openTeam(
  config: Config,
  transact: Transact,
  keyring: Keyring,
  log: Log,
): Promise<Team> {
  const team = await findOrMakeTeam(config, transact, keyring, log);
  const compared = compareKeyring(keyring, team.keyring_check);
  if (!compared.ok) throw new StartupError(compared.detail, { next: compared.next });
  return team;
}

/**
 * The token of a new team is made once, so its file is made before, and it is written before
 * anything else can keep the service from starting.
 */
async function findOrMakeTeam(
  { team: name, demo, bootstrap_token_file }: Config,
  transact: Transact,
  keyring: Keyring,
  log: Log,
): Promise<Team> {
  const isNew = (await transact((tx) => findTeam(tx.sql))) === undefined;
  const file =
    isNew && bootstrap_token_file !== undefined ? newFile(bootstrap_token_file) : undefined;
  const team = await transact((tx) =>
    bootstrapTeam(tx, {
      team: name,
      demo,
      keyring_check: keyringCheck(keyring),
      bootstrap_token: file !== undefined,
    }),
  ).catch((error: unknown) => {
    file?.drop();
    throw error;
  });
  if (team.bootstrap_token === undefined) file?.drop();
  else {
    file?.write(`${team.bootstrap_token}\n`);
    log.info({ file: bootstrap_token_file }, 'bootstrap token written; it is valid for one hour');
  }
  if (isNew && file === undefined)
    log.warn(
      'nobody can administer this new team: stop, empty the database, and start with POSTERN_BOOTSTRAP_TOKEN_FILE',
    );
  return team;
}

/** Since people log in, a token that nobody logged in for is a way around it. */
async function refuseStaticTokens(transact: Transact): Promise<void> {
  const count = await transact(countStaticTokens);
  if (count === 0) return;
  const tokens = count === 1 ? '1 token of a person lives' : `${count} tokens of people live`;
  throw new StartupError(`${tokens} without a login.`, {
    next: 'They end within a day. Set POSTERN_STATIC_TOKENS=true to start with them now.',
  });
}

async function listen(app: Awaited<ReturnType<typeof buildApp>>, config: Config): Promise<string> {
  const { host, port } = config.listen;
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code } = error as { code?: string };
    throw new StartupError(`cannot listen on ${host}:${port} (${code ?? 'unknown error'}).`, {
      next: 'Set POSTERN_LISTEN_PORT to a free port, or end what listens there.',
      cause: error,
    });
  }
}

/** @throws Error before the service listens: nobody can have asked it anything. */
function originsOf(
  public_url: string | undefined,
  listening: string | undefined,
): [string, ...string[]] {
  if (listening === undefined) throw new Error('not listening yet');
  const url = new URL(listening);
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  const here = names.includes(url.hostname)
    ? [url.hostname, ...names.filter((name) => name !== url.hostname)]
    : [url.hostname];
  const [first, ...others] = here.map((name) => `${url.protocol}//${name}:${url.port}`);
  const own = first ?? listening;
  return public_url === undefined ? [own, ...others] : [public_url, own, ...others];
}

const readTls = ({ cert_file, key_file }: { cert_file: string; key_file: string }) => {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new StartupError(`${file} cannot be read: ${(error as Error).message}.`);
    }
  };
  return { cert: read(cert_file), key: read(key_file) };
};

const childSettings = (config: Config, url: string) => ({
  apiUrl: config.public_url ?? url,
  team: config.team,
  host: config.gateway.host,
  port: config.gateway.port,
  recordingDir: config.recording_dir,
  logLevel: config.log_level,
  caFile: config.tls?.cert_file,
  program: GATEWAY_PROGRAM,
});

function checks(
  db: DatabaseHandle,
  guard: { state(): { readonly safe: boolean; readonly reason?: string } },
  /** null: none is wanted here. */
  gateway: () => GatewayChild | undefined | null,
): HealthCheck[] {
  return [
    {
      name: 'database',
      check: async () => (instant(await db.now()) > 0 ? undefined : 'no answer'),
    },
    {
      name: 'clock',
      check: () => {
        const state = guard.state();
        return state.safe ? undefined : state.reason;
      },
    },
    {
      name: 'gateway',
      check: () => {
        const child = gateway();
        return child === null ? undefined : child === undefined ? 'is starting' : child.problem();
      },
    },
  ];
}
