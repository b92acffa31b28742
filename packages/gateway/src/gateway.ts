import { createServer, type Socket } from 'node:net';
import type { Admitted, GatewaySignal } from '@postern/shared';
import { Connection, type Ended } from './connection.ts';
import { EarlyDials } from './early.ts';
import type { Ending } from './ending.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Due, Leases } from './lease.ts';
import { Door } from './limits.ts';
import { reachTarget } from './reach.ts';
import { Reports } from './reports.ts';
import type { World } from './world.ts';

export interface Gateway {
  readonly address: string;
  readonly port: number;
  sessions(): readonly string[];
  /** Ends every session with `gateway_stopped` and tells the service; then resolves. */
  stop(): Promise<void>;
}

/** Listens, and lives until `stop`. Nothing a client or target does makes it throw. */
export async function startGateway(
  world: Omit<World, 'listener'>,
  listen: { readonly host: string; readonly port: number },
): Promise<Gateway> {
  const { log, limits, monotonic, service } = world;
  const door = new Door(limits);
  const leases = new Leases(limits.leaseMs, monotonic());
  const reports = new Reports(service, log);
  const live = new Map<string, Connection>();
  const everyone = new Set<Connection>();
  let stopping = false;

  const registry = {
    admitted(connection: Connection, admitted: Admitted, askedAt: number): Ending | undefined {
      const id = admitted.session_id;
      log.info(
        { session_id: id, user: admitted.user_name, server: admitted.server_name },
        'admitted',
      );
      if (stopping) return { reason: 'gateway_stopped', lines: ['the gateway is stopping'] };
      if (live.has(id))
        return { reason: 'protocol_error', lines: ['this session is live already'] };
      const overtaken = leases.add(id, admitted.seconds_left, askedAt);
      if (overtaken?.do === 'end')
        return { reason: overtaken.reason, lines: [bare(overtaken.message)] };
      live.set(id, connection);
      return undefined;
    },
    early: (admitted: Admitted, abort: AbortSignal) => early.take(admitted, abort),
    loggedIn(connection: Connection): void {
      if (connection.sessionId !== undefined) reports.tell(connection.sessionId, { type: 'login' });
    },
    ended(connection: Connection, ended: Ended): void {
      const id = connection.sessionId;
      const holder = id === undefined ? undefined : live.get(id);
      // Another connection holds this session: its end is not ours to report.
      if (id === undefined || (holder !== undefined && holder !== connection)) return;
      live.delete(id);
      leases.remove(id);
      early.close(id);
      log.info({ session_id: id, reason: ended.reason, detail: ended.detail }, 'ended');
      reports.tell(id, {
        type: 'ended',
        reason: ended.reason as never,
        exit_status: ended.exitStatus,
        recording_sha256: ended.recordingSha256,
        detail: ended.detail,
      });
    },
  };

  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    const pass = stopping ? undefined : door.enter(socket);
    if (pass === undefined) return void socket.destroy();
    const connection = new Connection(socket, inner, registry, pass);
    everyone.add(connection);
    socket.once('close', () => everyone.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  server.on('error', (error) => log.error({ err: error }, 'listener'));
  const bound = server.address() as { readonly address: string; readonly port: number };
  const inner: World = { ...world, listener: () => bound };

  const early = new EarlyDials({
    limits,
    log,
    reach: (address, abort) => {
      const reachMs = limits.earlyReachMs;
      const ownHostKey = world.hostKey.blob;
      const name = `${address.host}:${address.port}`;
      return reachTarget(name, address, { limits, reachMs, listener: bound, ownHostKey, abort });
    },
  });
  const onSignal = (signal: GatewaySignal) => {
    if (signal.type === 'cut') early.close(signal.session_id);
    if (signal.type !== 'opening' || stopping || live.has(signal.session_id)) return;
    if (leases.isLost(monotonic())) return;
    early.opened(signal.session_id, signal.target, signal.seconds_left);
  };
  const onDeaf = () => early.closeAll();

  const onDue = (due: Due) => {
    const connection = live.get(due.id);
    if (connection === undefined) return leases.remove(due.id);
    if (due.do === 'warn') return connection.tell(warning(due.secondsLeft));
    void connection.end({ reason: due.reason, lines: [bare(due.message)] });
  };
  const { renewMs, tickMs } = limits;
  const heartbeat = startHeartbeat({
    ...{ service, leases, log, monotonic, renewMs, tickMs },
    ...{ onDue, onSignal, onDeaf },
  });

  return {
    address: bound.address,
    port: bound.port,
    sessions: () => [...live.keys()],
    async stop() {
      stopping = true;
      early.closeAll();
      server.close();
      const endings = [...everyone].map((connection) =>
        connection.end({ reason: 'gateway_stopped', lines: ['the gateway is stopping'] }),
      );
      await Promise.all(endings);
      heartbeat.stop();
      await reports.flush();
    },
  };
}

function warning(secondsLeft: number): string {
  const left =
    secondsLeft > 90 ? `${Math.round(secondsLeft / 60)} minutes` : `${secondsLeft} seconds`;
  return `sft: this session ends in ${left}`;
}

/** The service's line may carry the client's prefix already. */
const bare = (message: string): string => message.replace(/^sft: (session ended: )?/, '');
