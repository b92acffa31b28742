import type { GatewaySignal } from '@postern/shared';
import type { Due, Leases } from './lease.ts';
import type { Logger } from './log.ts';
import type { ServicePort } from './service-port.ts';

export interface HeartbeatWorld {
  readonly service: ServicePort;
  readonly leases: Leases;
  readonly log: Logger;
  readonly monotonic: () => number;
  readonly renewMs: number;
  readonly tickMs: number;
  readonly onDue: (due: Due) => void;
  readonly onSignal: (signal: GatewaySignal) => void;
  /** The service cannot be heard: the stream of its signals has ended, or the lease is lost. */
  readonly onDeaf: () => void;
}

const RETRY_MS = 500;
const STREAM_RETRY_MAX_MS = 5_000;

/**
 * Keeps the gateway in step with the service: renews the lease, listens for cuts, and every
 * quarter of a second ends and warns what is due. The three do not depend on each other: a
 * lost stream is made good by the next renewal, a hanging renewal by the clock.
 */
export function startHeartbeat(world: HeartbeatWorld): { readonly stop: () => void } {
  const { service, leases, log, monotonic } = world;
  const stopped = new AbortController();
  const { signal } = stopped;
  const act = (dues: readonly Due[]) => {
    for (const due of dues) world.onDue(due);
  };

  const renewals = async () => {
    while (!signal.aborted) {
      const renewal = leases.startRenewal(monotonic());
      let wait = world.renewMs;
      try {
        act(leases.renewed(renewal, await service.renew(renewal.ids)));
      } catch (error) {
        log.warn({ why: String(error) }, 'lease not renewed');
        wait = RETRY_MS;
      }
      await pause(Math.max(0, renewal.startedAt + wait - monotonic()) || 1, signal);
    }
  };

  const stream = async () => {
    let wait = RETRY_MS;
    while (!signal.aborted) {
      try {
        await service.signals((event) => {
          wait = RETRY_MS;
          act(leases.signaled(event, monotonic()));
          world.onSignal(event);
        }, signal);
        log.debug('stream ended');
      } catch (error) {
        if (!signal.aborted) log.warn({ why: String(error) }, 'stream not open');
      }
      world.onDeaf();
      await pause(wait, signal);
      wait = Math.min(wait * 2, STREAM_RETRY_MAX_MS);
    }
  };

  const ticker = setInterval(() => {
    const now = monotonic();
    act(leases.tick(now));
    if (leases.isLost(now)) world.onDeaf();
  }, world.tickMs);
  void renewals();
  void stream();
  return {
    stop: () => {
      clearInterval(ticker);
      stopped.abort();
    },
  };
}

async function pause(ms: number, until: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      until.removeEventListener('abort', done);
      resolve();
    }
    until.addEventListener('abort', done);
  });
}
