import { randomBytes } from 'node:crypto';
import type { Operation, Seconds } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import { type ApplyPorts, registerApplyRoutes } from './apply/index.ts';
import { registerAuditRoutes } from './audit/index.ts';
import {
  endChatLinksOf,
  registerChatRoutes,
  registerSlackRoutes,
  type SlackSettings,
} from './chat/index.ts';
import {
  type CredentialHooks,
  endInvitationsAround,
  registerCredentialRoutes,
  relyingPartyOf,
} from './credentials/index.ts';
import { registerDelegationRoutes } from './delegations/index.ts';
import { countMessages, countPushes } from './deps-counts.ts';
import { recordFailedLogin, recordRefusal } from './deps-refusals.ts';
import { type DirectoryHooks, registerDirectoryRoutes } from './directory/index.ts';
import { registerGatewayAdminRoutes, registerGatewayRoutes } from './gateways/index.ts';
import {
  type Actor,
  authenticate,
  createPresent,
  createProofMemory,
  memoryKey,
  type Presented,
  permit,
  recognize,
  registerIdentityRoutes,
  revokeLoginsOf,
  spend,
  unauthenticated,
} from './identity/index.ts';
import { type InventoryHooks, openCredential, registerInventoryRoutes } from './inventory/index.ts';
import { createLinkFor, registerLinkRoutes } from './links/index.ts';
import {
  browserLoginOf,
  endBrowserLogins,
  endBrowserLoginsAround,
  registerLoginRoutes,
} from './login/index.ts';
import {
  type ChallengeWorld,
  type Factors,
  ownFactors,
  recordProof,
  registerMfaPages,
  registerMfaRoutes,
  startMfaSweep,
} from './mfa/index.ts';
import {
  createDescribe,
  type Delivery,
  type MessageSettings,
  registerMessageRoutes,
  startMessages,
} from './notifications/index.ts';
import {
  type BrowserLogin,
  type OauthSettings,
  registerLoginsRoutes,
  registerOauth,
  startOauthSweep,
} from './oauth/index.ts';
import { createCachedAuth } from './platform/cached-auth.ts';
import type { Clock, ClockGuard } from './platform/clock.ts';
import type { Credentials } from './platform/credentials.ts';
import type { Refusal } from './platform/errors.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Metrics } from './platform/metrics.ts';
import { hearingOwn } from './platform/own-signals.ts';
import type { PasswordHasher } from './platform/password-hash.ts';
import { recordingsIn } from './platform/recordings.ts';
import { createRefusals } from './platform/refusals.ts';
import type { Signals } from './platform/signals.ts';
import type { Transact, Tx } from './platform/tx.ts';
import {
  applyPolicy,
  connectionOf,
  createPolicyCache,
  registerPolicyRoutes,
} from './policy/index.ts';
import { type Pusher, type PushSettings, registerPushRoutes, startPushes } from './push/index.ts';
import {
  applyRequestType,
  describePending,
  endRequestsOf,
  isApproverOf,
  registerRequestRoutes,
  startTimers,
} from './requests/index.ts';
import { registerReviewRoutes, startGroupReviews } from './reviews/index.ts';
import { registerScimConnectionRoutes, registerScimRoutes } from './scim/index.ts';
import { registerSessionRoutes, startReviews } from './sessions/index.ts';
import { type OidcSettings, registerUpstreamRoutes } from './upstream/index.ts';
import type { Keyring } from './vault/index.ts';
import { registerWorkloadRoutes, type WorkloadSettings } from './workload/index.ts';

/** The ports that main.ts (or a test) opens. */
export interface Ports {
  readonly team: string;
  /** Where a browser reaches the service; unset: no mail has a link. */
  readonly publicUrl?: string | undefined;
  /** Whether people may have tokens that no login gave them. */
  readonly staticTokens: boolean;
  /** Every base URL under which the service may be reached; the first is the issuer's. Asked once it listens. */
  readonly origins: () => readonly [string, ...string[]];
  readonly oauth: OauthSettings;
  /** Default: the login feature's. */
  readonly browserLoginOf?: (
    tx: Tx,
    cookies: string | undefined,
  ) => Promise<BrowserLogin | undefined>;
  readonly transact: Transact;
  readonly clock: Clock;
  readonly clockGuard: Pick<ClockGuard, 'assertSafe'>;
  readonly signals: Signals;
  readonly keyring: Keyring;
  readonly passwords: PasswordHasher;
  readonly recordingDir: string;
  readonly longestSession: Seconds;
  readonly monotonic: () => number;
  readonly messages: MessageSettings;
  /** null: nobody is heard from Slack. */
  readonly slack: SlackSettings | null;
  /** Which hosts with private addresses group push may tell. */
  readonly push: PushSettings;
  /** Where second factors are kept; left out, here. */
  readonly factors?: Factors;
  /** Which issuers of job tokens may have private addresses. */
  readonly workload: WorkloadSettings;
  /** null: people log in here alone. */
  readonly oidc?: OidcSettings | null | undefined;
  readonly metrics: Metrics;
  readonly log: {
    info(facts: object, line: string): void;
    error(facts: object, line: string): void;
  };
}

/** How often it is told how many refusals were only counted. */
const TELL_MS = 60_000;

/** What happens to requests and sessions when a fact they rest on goes. */
const hooks: DirectoryHooks & InventoryHooks & CredentialHooks = {
  userDisabled: async (tx, id, author) => {
    await endChatLinksOf(tx, author, id);
    await endInvitationsAround(tx, id);
    await endBrowserLoginsAround(tx, author, id);
    await endRequestsOf(tx, { requester_id: id }, 'user_disabled');
  },
  endLogins: async (tx, author, id) => {
    await endBrowserLogins(tx, author.actor, { user_id: id });
    await revokeLoginsOf(tx, author, { id });
  },
  serverMoved: (tx, server_id) => endRequestsOf(tx, { server_id }, 'server_changed'),
  serverRemoved: (tx, server_id) => endRequestsOf(tx, { server_id }, 'server_changed'),
  accountRemoved: (tx, account_id) => endRequestsOf(tx, { account_id }, 'server_changed'),
};

/** Composes the features: the only place that knows all of them. */
export async function compose(app: FastifyInstance, ports: Ports) {
  const { team, clock, signals, keyring, monotonic } = ports;
  const onError = (error: unknown): void =>
    ports.log.error({ err: error }, 'background work failed');
  const own = hearingOwn(ports, onError);
  const { transact } = own;
  const streams = new Set<{ close(): void }>();
  const cache = createPolicyCache({ ...own, monotonic });
  const refusals = createRefusals(monotonic);
  const present = createPresent(ports.origins);
  const world = {
    team,
    staticTokens: ports.staticTokens,
    transact,
    present,
    authenticate,
    permit,
    spend: (presented: Presented | undefined) => spend(transact, presented),
    refused: (
      operation: Pick<Operation, 'id'>,
      refusal: Refusal,
      caller: Actor | undefined,
      address: string,
    ) => recordRefusal(transact, refusals, operation, refusal, caller, address),
    refusals,
    signals,
    streams,
    hooks,
    keyring,
    cache,
    cachedAuth: cachedAuth({ ...ports, ...own }, present),
    slack: ports.slack,
    push: ports.push,
    workload: ports.workload,
    publicUrl: ports.publicUrl,
    monotonic,
    now: () => clock.now(),
    clock: ports.clockGuard,
    recordings: recordingsIn(ports.recordingDir),
    sessions: {
      team,
      longestSession: ports.longestSession,
      clock: ports.clockGuard,
      openCredential: (tx: Parameters<typeof openCredential>[0], accountId: string) =>
        openCredential(tx, keyring, accountId),
    },
    mfa: {
      team,
      // Known once it listens.
      get publicUrl() {
        return ports.origins()[0];
      },
      factors: ports.factors ?? ownFactors(keyring, ports.publicUrl),
      connectionOf: (tx, { user_id }, target, client_address) =>
        connectionOf(tx, { user_id, client_address }, target),
      seesRequest: isApproverOf,
    } satisfies ChallengeWorld,
    ports: { applyRequestType, applyPolicy } satisfies ApplyPorts,
  };
  registerIdentityRoutes(app, world);
  registerDirectoryRoutes(app, world);
  registerReviewRoutes(app, world);
  registerDelegationRoutes(app, world);
  registerInventoryRoutes(app, world);
  registerPolicyRoutes(app, world);
  registerRequestRoutes(app, world);
  registerSessionRoutes(app, world);
  registerMfaRoutes(app, world);
  await registerMfaPages(app, world);
  registerGatewayAdminRoutes(app, world);
  registerApplyRoutes(app, world);
  registerAuditRoutes(app, world);
  registerMessageRoutes(app, world);
  registerChatRoutes(app, world);
  registerCredentialRoutes(app, world);
  registerScimConnectionRoutes(app, world);
  await registerScimRoutes(app, world);
  registerLoginsRoutes(app, world);
  await registerOauth(app, {
    ...world,
    log: ports.log,
    oauth: ports.oauth,
    monotonic,
    publicUrl: () => ports.origins()[0],
    browserLoginOf: ports.browserLoginOf ?? browserLoginOf,
    recordProof,
    random: randomBytes,
  });
  registerPushRoutes(app, world);
  registerWorkloadRoutes(app, world);
  await registerSlackRoutes(app, { ...world, log: ports.log });
  await registerLinkRoutes(app, world);
  const login = {
    ...world,
    passwords: ports.passwords,
    publicUrl: ports.publicUrl,
    rp: relyingPartyOf(ports.publicUrl),
    upstreamName: ports.oidc?.name,
    random: randomBytes,
    failed: recordFailedLogin(transact, refusals),
  };
  await registerLoginRoutes(app, login);
  await registerUpstreamRoutes(app, { ...login, oidc: ports.oidc, monotonic });
  await registerGatewayRoutes(app, world);
  const describe = createDescribe({
    pendingFor: describePending,
    linkFor: createLinkFor(ports.publicUrl),
  });
  let delivery: Delivery | undefined;
  const counted = countMessages(ports.metrics, () => delivery);
  let pusher: Pusher | undefined;
  const countedPush = countPushes(ports.metrics, () => pusher);

  return {
    /** Starts what runs without being asked: timers, reviews, messages. */
    start: async (jobs: Jobs) => {
      const reviews = startReviews({ ...ports, onError });
      const swept = { transact, clock: ports.clockGuard, onError };
      const sweep = startOauthSweep(swept);
      const proofs = startMfaSweep(swept);
      const timers = await startTimers({ jobs, transact, clock: ports.clockGuard, onError });
      const groupReviews = await startGroupReviews({
        ...{ jobs, transact, onError },
        clock: ports.clockGuard,
      });
      const settings = ports.messages;
      const messages = await startMessages({
        ...ports,
        jobs,
        settings,
        describe,
        counted,
        onError,
      });
      delivery = messages;
      const pushes = await startPushes({
        ...ports,
        jobs,
        settings: ports.push,
        counted: countedPush,
        onError,
      });
      pusher = pushes;
      const tell = async (all: boolean): Promise<void> => {
        const events = refusals.counted(all);
        if (events.length === 0) return;
        await transact(async (tx) => {
          for (const event of events) await tx.audit(event);
        });
      };
      const telling = setInterval(() => void tell(false).catch(onError), TELL_MS);
      telling.unref();
      return {
        stop: async () => {
          clearInterval(telling);
          await tell(true).catch(onError);
          await sweep.stop();
          await proofs.stop();
          await timers.stop();
          await groupReviews.stop();
          await messages.stop();
          await pushes.stop();
          await reviews.stop();
        },
      };
    },
    /** Ends every open stream, so that the server can close. */
    closeStreams: () => {
      for (const stream of [...streams]) stream.close();
    },
    stop: () => cache.stop(),
  };
}

/** For what only reads: the answer may be a second old, the proof that comes with it never. */
function cachedAuth(
  {
    transact,
    signals,
    monotonic,
    clock,
  }: Pick<Ports, 'monotonic' | 'clock'> & ReturnType<typeof hearingOwn>,
  present: ReturnType<typeof createPresent>,
) {
  const known = createCachedAuth({ transact, signals, recognize, monotonic, keyOf: memoryKey });
  const proofs = createProofMemory(monotonic);
  return async (credentials: Credentials | undefined) => {
    const presented = await present(credentials);
    const caller = await known(presented);
    if (presented?.scheme === 'DPoP' && !proofs.take(presented.proof, clock.now()))
      throw unauthenticated();
    return caller;
  };
}

export type Composed = Awaited<ReturnType<typeof compose>>;
