import type { ReachableServer } from '@postern/shared';
import { command } from '../command.ts';
import { table } from '../render/view.ts';

export const listServers = command({
  summary: 'The servers you can reach',
  flags: {
    selector: {
      short: 'l',
      value: 'SELECTOR',
      summary: 'only servers with these labels, e.g. env=prod,tier!=web',
    },
    columns: {
      value: 'NAMES',
      summary: 'HOSTNAME, OS_TYPE, PROJECT_NAME, ACCESS_ADDRESS, VIA, LABELS, ID',
    },
  },
  async run({ api, flags }) {
    const { selector } = flags;
    const query = selector === undefined ? {} : { selector };
    return (await api()).list('listServers', { query });
  },
  view: table<ReachableServer>(
    [
      { name: 'HOSTNAME', value: (s) => s.name },
      { name: 'OS_TYPE', value: (s) => s.os_type },
      { name: 'PROJECT_NAME', value: (s) => s.project_name },
      { name: 'ACCESS_ADDRESS', value: (s) => `${s.access_address}:${s.access_port}` },
      { name: 'VIA', value: (s) => s.via, hidden: true },
      {
        name: 'LABELS',
        value: (s) =>
          Object.entries(s.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
        hidden: true,
      },
      { name: 'ID', value: (s) => s.id, hidden: true },
    ],
    'No servers that you can reach.',
  ),
});
