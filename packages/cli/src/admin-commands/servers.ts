import { parsePublicKey, type Server } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { table } from '../render/view.ts';

export const serversList = command({
  summary: 'All servers, with their accounts and host keys',
  flags: { columns: { value: 'NAMES', summary: 'which columns, e.g. HOSTNAME,LABELS,ID' } },
  run: async ({ api }) => (await api()).list('listInventory', {}),
  view: table<Server>(
    [
      { name: 'HOSTNAME', value: (s) => s.hostname },
      { name: 'PROJECT_NAME', value: (s) => s.project.name },
      { name: 'ACCESS_ADDRESS', value: (s) => `${s.access_address}:${s.access_port}` },
      { name: 'STATE', value: (s) => s.state },
      { name: 'VIA', value: (s) => s.via },
      { name: 'HOST_KEY', value: (s) => s.host_keys.map(fingerprint).join(', ') || 'none' },
      {
        name: 'ACCOUNTS',
        value: (s) =>
          s.accounts.map((a) => (a.usable ? a.username : `${a.username} (no secret)`)).join(', '),
      },
      {
        name: 'LABELS',
        value: (s) =>
          Object.entries(s.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
        hidden: true,
      },
      { name: 'RESOURCE_GROUP', value: (s) => s.resource_group.name, hidden: true },
      { name: 'ID', value: (s) => s.id, hidden: true },
    ],
    'No servers.',
  ),
});

/** The server that has this name. @throws Failure 77 */
export async function serverNamed(api: Api, name: string): Promise<Server> {
  const found = await api.list('listInventory', { query: { hostname: name } });
  const server = found.find((s) => [s.hostname, s.canonical_name, ...s.alt_names].includes(name));
  if (server !== undefined) return server;
  throw new Failure(
    'not_found',
    `There is no server ${name}.`,
    '`sft-admin servers list` shows the servers.',
  );
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(line: string): string {
  const key = parsePublicKey(line);
  return key.ok ? key.value.fingerprint : 'unreadable';
}
