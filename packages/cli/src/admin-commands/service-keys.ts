import type { ServiceUserKey } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { unreadable } from '../settings.ts';
import { userNamed } from './users.ts';

const USER = { user: { summary: 'the login of the service user, or its id' } };

export const serviceKeysList = command({
  summary: 'The public keys of a service user',
  args: USER,
  async run({ api, args }) {
    const service = await api();
    return service.list('listServiceUserKeys', { params: { id: await idOf(service, args.user) } });
  },
  view: table<ServiceUserKey>(
    [
      { name: 'NAME', value: (k) => k.name },
      { name: 'ALG', value: (k) => k.alg },
      { name: 'KID', value: (k) => k.kid },
      { name: 'BY', value: (k) => k.added_by.name },
      { name: 'SINCE', value: (k) => localTime(k.created_at) },
      { name: 'ID', value: (k) => k.id },
    ],
    'No keys.',
  ),
});

export const serviceKeysAdd = command({
  summary: 'Let a service user log in with a key of its own',
  help: [
    'The file holds the public key: a JWK or PEM; Ed25519, P-256, or RSA of 2048 bits and more.',
    'Made with: openssl genpkey -algorithm ed25519 -out key.pem',
    '           openssl pkey -in key.pem -pubout -out key.pub.pem',
    'Its owner and pam_admin may. Disabling whoever added it ends it.',
  ].join('\n'),
  args: { ...USER, file: { summary: 'the file with the public key; - is standard input' } },
  flags: { name: { value: 'NAME', summary: 'what to call it' } },
  async run({ api, world, args: { user, file }, flags }) {
    const public_key = await (file === '-' ? world.files.stdin() : world.files.read(file)).catch(
      (error) => {
        throw unreadable(file, error, 'usage');
      },
    );
    const service = await api();
    return service.call('addServiceUserKey', {
      params: { id: await idOf(service, user) },
      body: { name: flags.name ?? 'key', public_key },
    });
  },
  view: lines<ServiceUserKey>((key) => [
    `${key.name} (${key.alg}) may sign. The kid of its assertions is ${key.kid}.`,
  ]),
});

export const serviceKeysRemove = command({
  summary: 'End a key of a service user, and every login with it',
  args: { ...USER, key: { summary: 'the name of the key, or its id' } },
  async run({ api, args }) {
    const service = await api();
    const id = await idOf(service, args.user);
    const all = await service.list('listServiceUserKeys', { params: { id } });
    const found = all.filter((key) => key.name === args.key || key.id === args.key);
    if (found[0] === undefined || found.length > 1)
      throw new Failure(
        'not_found',
        found.length > 1 ? `Several keys are called ${args.key}.` : `There is no key ${args.key}.`,
        `See them, with their ids: sft-admin service-keys list ${args.user}`,
      );
    await service.call('removeServiceUserKey', { params: { id, key_id: found[0].id } });
    return { name: found[0].name };
  },
  view: lines<{ readonly name: string }>(({ name }) => [`${name} opens nothing any more.`]),
});

/** Whoever only owns it may list no users: he passes its id. */
const idOf = async (api: Api, user: string): Promise<string> =>
  /^[0-9a-f-]{36}$/.test(user) ? user : (await userNamed(api, user)).id;
