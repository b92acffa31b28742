import { constants } from 'node:os';
import type { Console } from '../streams.ts';
import { runChannel } from './channel.ts';
import { connect } from './connect.ts';
import { closeAll, type Listener, listenDynamic, listenLocal, requestRemote } from './forwards.ts';
import type { GatewayTarget, SshEnd, SshJob } from './port.ts';

/**
 * One SSH connection to the gateway, from its start to its end. What happens on the wire
 * is a value, never thrown.
 */
export async function runSsh(target: GatewayTarget, job: SshJob, world: Console): Promise<SshEnd> {
  const listeners: Listener[] = [];
  try {
    listeners.push(...(await listenLocal(job.local, world)));
    listeners.push(...(await listenDynamic(job.dynamic, world)));
    const connection = await connect(target, world);
    if ('end' in connection) return connection.end;
    const { client, lost } = connection;
    for (const listener of listeners) listener.serve(client);
    const refused = await Promise.race([
      requestRemote(client, job.remote, world),
      lost.then((why) => why ?? 'The connection was lost.'),
    ]);
    const end: SshEnd =
      refused !== undefined
        ? { kind: 'lost', why: refused }
        : job.forwards_only
          ? await untilEnded(lost, world)
          : await runChannel(client, lost, job, world);
    client.end();
    return end;
  } finally {
    closeAll(listeners);
  }
}

/** `-N`: until a signal, which is the way to end it, or until the connection is lost. */
function untilEnded(lost: Promise<string | undefined>, world: Console): Promise<SshEnd> {
  return new Promise((resolve) => {
    const release = world.takeSignals((name) => {
      release();
      resolve({ kind: 'exited', exit: 128 + constants.signals[name] });
    });
    lost.then((why) => {
      release();
      resolve({ kind: 'lost', why });
    });
  });
}
