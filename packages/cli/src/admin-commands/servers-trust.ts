import type { Server } from '@postern/shared';
import { command } from '../command.ts';
import { isInteractive } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { lines } from '../render/view.ts';
import { fingerprint, serverNamed } from './servers.ts';

export const serversTrust = command({
  summary: 'Look at the host key of a server from here, and pin it',
  help: [
    'Compare the fingerprint with `ssh-keygen -lf` of the public host key on the server',
    'itself. Pinning another key than before starts a new identity revision: approvals and',
    'sessions of the server end, and its credentials have to be entered again.',
  ].join('\n'),
  args: { host: { summary: 'a name of the server' } },
  flags: {
    fingerprint: { value: 'SHA256:…', summary: 'pin only a key with this fingerprint' },
    yes: { summary: 'pin whatever the server shows, without a question' },
  },
  async run({ api, world, args: { host }, flags, say }) {
    if (flags.fingerprint === undefined && !flags.yes && !isInteractive(world))
      throw usage(
        'There is no terminal to ask whether the key is the right one.',
        'Pass --fingerprint SHA256:… to pin only that key, or --yes to pin whatever is shown.',
      );
    const service = await api();
    const server = await serverNamed(service, host);
    const { access_address: address, access_port: port } = server;
    const line = await world.ssh.scan(address, port, world.interrupt);
    const seen = fingerprint(line);
    if (flags.fingerprint !== undefined && flags.fingerprint !== seen)
      throw new Failure(
        'host_key_mismatch',
        `${host} shows ${seen}, not ${flags.fingerprint}.`,
        'Do not pin it: find out first which of the two is wrong.',
      );
    const pinned = server.host_keys.map(fingerprint);
    if (pinned.length === 1 && pinned[0] === seen)
      return { host, fingerprint: seen, changed: false };
    if (flags.fingerprint === undefined && !flags.yes) {
      say(`${host} at ${address}:${port} shows ${line.split(' ')[0]} ${seen}`);
      if (pinned.length > 0) say(`Pinned so far: ${pinned.join(', ')}`);
      if (!(await world.prompt.confirm('Is that the right key?')))
        throw new Failure(
          'stopped',
          'Nothing is pinned.',
          'Compare the fingerprint on the server itself.',
        );
    }
    await service.call('updateServer', { params: { id: server.id }, body: { host_keys: [line] } });
    return { host, fingerprint: seen, changed: true };
  },
  view: lines<Trusted>((t) => [
    t.changed
      ? `${t.host} is pinned to ${t.fingerprint}.`
      : `${t.host} was pinned to ${t.fingerprint} already.`,
  ]),
});

interface Trusted {
  readonly host: Server['hostname'];
  readonly fingerprint: string;
  readonly changed: boolean;
}
