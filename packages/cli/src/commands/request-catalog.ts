import type { CatalogEntry } from '@postern/shared';
import { command } from '../command.ts';
import { table } from '../render/view.ts';

export const requestCatalog = command({
  summary: 'What you can ask for besides access to servers',
  help: 'Ask for one: sft request create --type NAME. A server is asked for by its name.',
  async run({ api }) {
    const { list } = await (await api()).call('listCatalog', {});
    return list.filter(({ purpose }) => purpose === 'group_membership');
  },
  view: table<CatalogEntry>(
    [
      { name: 'REQUEST_TYPE', value: (e) => e.request_type.name },
      { name: 'GROUPS', value: (e) => e.groups.map(({ name }) => name).join(', ') },
      { name: 'ASKS', value: (e) => e.fields.map(({ key }) => key).join(', ') },
      { name: 'DESCRIPTION', value: (e) => e.description },
    ],
    'Nothing that you could ask for. Access to a server: sft ssh HOST.',
  ),
});
