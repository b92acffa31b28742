import type { Answer } from '@postern/shared';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { duration, localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

type Gateway = Answer<'disableGateway'>;

export const gatewaysList = command({
  summary: 'Gateways, and when each was last heard of',
  run: async ({ api }) => (await (await api()).call('listGateways', {})).list,
  view: table<Gateway>(
    [
      { name: 'NAME', value: (g) => g.name },
      { name: 'KIND', value: (g) => g.kind },
      { name: 'STATE', value: (g) => g.state },
      { name: 'ADDRESS', value: (g) => `${g.host}:${g.port}` },
      { name: 'ENROLLED', value: (g) => localTime(g.enrolled_at) },
      { name: 'LAST_LEASE', value: (g) => localTime(g.last_lease_at) },
      { name: 'ID', value: (g) => g.id },
    ],
    'No gateways.',
  ),
});

export const gatewaysEnrollCode = command({
  summary: 'A one-time code with which a gateway enrols; it is shown once',
  args: { name: { summary: 'the name of the new gateway' } },
  async run({ api, args: { name }, say }) {
    const made = await (await api()).call('createGatewayCode', { body: { name } });
    say(`It ends in ${duration(made.expires_in_seconds)}.`);
    return made;
  },
  view: lines<{ readonly code: string }>((made) => [made.code]),
});

export const gatewaysDisable = command({
  summary: 'Refuse a gateway from now on; its sessions are cut',
  args: { gateway: { summary: 'its name or id' } },
  async run({ api, args }) {
    const service = await api();
    const { list: all } = await service.call('listGateways', {});
    const found = all.filter((g) => g.id === args.gateway || g.name === args.gateway);
    const [gateway] = found;
    if (gateway === undefined || found.length > 1)
      throw new Failure(
        'not_found',
        found.length > 1
          ? `Several gateways are called ${args.gateway}.`
          : `There is no gateway ${args.gateway}.`,
        'Pass an id that `sft-admin gateways list` shows.',
      );
    return await service.call('disableGateway', { params: { id: gateway.id } });
  },
  view: lines<Gateway>((gateway) => [`Gateway ${gateway.name} is ${gateway.state}.`]),
});
