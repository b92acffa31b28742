import type { Operation, Seconds } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import { type ApplyPorts, registerApplyRoutes } from './apply/index.ts';
import { registerAuditRoutes } from './audit/index.ts';
import { type DirectoryHooks, registerDirectoryRoutes } from './directory/index.ts';
import { registerGatewayAdminRoutes, registerGatewayRoutes } from './gateways/index.ts';
import {
  authenticate,
  type Caller,
  permit,
  recognize,
  registerIdentityRoutes,
} from './identity/index.ts';
import { type InventoryHooks, openCredential, registerInventoryRoutes } from './inventory/index.ts';
import { startMessages } from './notifications/index.ts';
import { failure, userRef } from './platform/actor.ts';
import { createCachedAuth } from './platform/cached-auth.ts';
import type { Clock, ClockGuard } from './platform/clock.ts';
import type { Refusal } from './platform/errors.ts';
import type { Jobs } from './platform/jobs.ts';
import { recordingsIn } from './platform/recordings.ts';
import { createRefusals, type Refusals } from './platform/refusals.ts';
import { tokenIssuer } from './platform/route.ts';
import type { Signals } from './platform/signals.ts';
import type { Transact } from './platform/tx.ts';
import { applyPolicy, createPolicyCache, registerPolicyRoutes } from './policy/index.ts';
import {
  applyRequestType,
  endRequestsOf,
  registerRequestRoutes,
  startTimers,
} from './requests/index.ts';
import { registerSessionRoutes, startReviews } from './sessions/index.ts';
import type { Keyring } from './vault/index.ts';

/** The ports that main.ts (or a test) opens. */
export interface Ports {
  readonly team: string;
  readonly transact: Transact;
  readonly clock: Clock;
  readonly clockGuard: Pick<ClockGuard, 'assertSafe'>;
  readonly signals: Signals;
  readonly keyring: Keyring;
  readonly recordingDir: string;
  readonly longestSession: Seconds;
  readonly monotonic: () => number;
  readonly log: {
    info(facts: object, line: string): void;
    error(facts: object, line: string): void;
  };
}

/** How often it is told how many refusals were only counted. */
const TELL_MS = 60_000;

/** What happens to requests and sessions when a fact they rest on goes. */
const hooks: DirectoryHooks & InventoryHooks = {
  userDisabled: (tx, requester_id) => endRequestsOf(tx, { requester_id }, 'user_disabled'),
  serverMoved: (tx, server_id) => endRequestsOf(tx, { server_id }, 'server_changed'),
  serverRemoved: (tx, server_id) => endRequestsOf(tx, { server_id }, 'server_changed'),
  accountRemoved: (tx, account_id) => endRequestsOf(tx, { account_id }, 'server_changed'),
};

/** Composes the features: the only place that knows all of them. */
export async function compose(app: FastifyInstance, ports: Ports) {
  const { team, transact, clock, signals, keyring, monotonic } = ports;
  const streams = new Set<{ close(): void }>();
  const cache = createPolicyCache({ transact, signals, monotonic });
  const refusals = createRefusals(monotonic);
  const world = {
    team,
    transact,
    authenticate,
    permit,
    refused: (
      operation: Operation,
      refusal: Refusal,
      caller: Caller | undefined,
      address: string,
    ) => recordRefusal(transact, refusals, operation, refusal, caller, address),
    refusals,
    signals,
    streams,
    hooks,
    keyring,
    cache,
    cachedAuth: createCachedAuth({ transact, recognize, monotonic }),
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
    ports: { applyRequestType, applyPolicy } satisfies ApplyPorts,
  };
  registerIdentityRoutes(app, world);
  registerDirectoryRoutes(app, world);
  registerInventoryRoutes(app, world);
  registerPolicyRoutes(app, world);
  registerRequestRoutes(app, world);
  registerSessionRoutes(app, world);
  registerGatewayAdminRoutes(app, world);
  registerApplyRoutes(app, world);
  registerAuditRoutes(app, world);
  await registerGatewayRoutes(app, world);

  return {
    /** Starts what runs without being asked: timers, reviews, messages. */
    start: async (jobs: Jobs) => {
      const onError = (error: unknown): void =>
        ports.log.error({ err: error }, 'background work failed');
      const reviews = startReviews({ ...ports, onError });
      const timers = await startTimers({ jobs, transact, clock: ports.clockGuard, onError });
      await startMessages({ jobs, transact, log: ports.log });
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
          timers.stop();
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

export type Composed = Awaited<ReturnType<typeof compose>>;

/** Refused operations and failed logins are events of their own: theirs were rolled back. */
const RECORDED = new Set([
  'unauthenticated',
  'not_permitted',
  'requester_cannot_decide',
  'not_an_approver',
  'no_eligible_approver',
]);

async function recordRefusal(
  transact: Transact,
  refusals: Refusals,
  operation: Operation,
  refusal: Refusal,
  caller: Caller | undefined,
  address: string,
): Promise<void> {
  if (!RECORDED.has(refusal.code)) return;
  const type = refusal.code === 'unauthenticated' ? 'pam.login.fail' : 'pam.operation.refuse';
  const actor = caller === undefined ? { type: 'unknown', id: null, name: null } : userRef(caller);
  if (!refusals.take({ type, actor, address })) return;
  await transact((tx) =>
    tx.audit({
      type,
      actor,
      targets: [{ type: 'operation', id: operation.id, name: null }],
      outcome: failure(refusal.code),
      client_address: address,
      details: caller === undefined ? {} : tokenIssuer(caller),
    }),
  );
}
