import type { Body } from '@postern/shared';
import { readSecret } from '../apply/secrets.ts';
import { command } from '../command.ts';
import { usage } from '../failure.ts';
import { lines } from '../render/view.ts';
import { serverNamed } from './servers.ts';

type Credential = Body<'setCredential'>['credential'];

const SOURCES = ['password-from-env', 'password-from-file', 'key-from-file'] as const;

export const accountsSet = command({
  summary: 'Seal the credential of a vaulted account on a server',
  help: 'The secret comes from a variable or a file: it never stands among the arguments.',
  args: {
    host: { summary: 'a name of the server' },
    username: { summary: 'the account on it' },
  },
  flags: {
    'password-from-env': { value: 'VAR', summary: 'the variable that holds the password' },
    'password-from-file': { value: 'FILE', summary: 'the file that holds it; - is standard input' },
    'key-from-file': { value: 'FILE', summary: 'the file that holds an OpenSSH private key' },
  },
  async run({ api, world, args, flags }) {
    const given = SOURCES.filter((name) => flags[name] !== undefined);
    const [source] = given;
    if (source === undefined || given.length > 1)
      throw usage(
        given.length > 1 ? 'That is more than one credential.' : 'A credential is needed.',
        `Pass one of ${SOURCES.map((name) => `--${name}`).join(', ')}.`,
      );
    const value = flags[source] ?? '';
    const from = source === 'password-from-env' ? { env: value } : { file: value };
    const secret = await readSecret(world, from);
    const credential: Credential =
      source === 'key-from-file'
        ? { type: 'private_key', private_key: secret }
        : { type: 'password', password: secret.replace(/\r?\n$/, '') };
    const service = await api();
    const server = await serverNamed(service, args.host);
    const { username } = args;
    return await service.call('setCredential', {
      params: { id: server.id, username },
      body: { credential },
    });
  },
  view: lines<{ readonly username: string; readonly credential: string }>((account) => [
    `${account.username} has a ${account.credential.replace('_', ' ')} now.`,
  ]),
});
