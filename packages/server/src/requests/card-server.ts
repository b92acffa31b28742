import { type Instant, seconds } from '@postern/shared';
import { longestPeriod, type ServerTarget } from './card.ts';
import { durationInWords, type Row, row, timeInWords } from './card-words.ts';

/** Of a vaulted account. */
export type Credential = 'password' | 'private_key' | 'certificate' | null;

/** Which server and account, what it may do there, and how long. */
export const serverRows = (
  target: ServerTarget,
  credential: Credential,
  running_until: Instant | null,
  now: Instant,
): Row[] => [
  serverRow(target),
  accountRow(target, credential),
  channelsRow(target),
  periodRow(target, running_until, now),
];

function serverRow(target: ServerTarget): Row {
  const { name, os_type, project_name, labels } = target.server;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return row('Server', [
    `${name} (${os_type}), project ${project_name}`,
    ...(pairs.length > 0 ? [`labels ${pairs.sort().join(', ')}`] : []),
  ]);
}

const CREDENTIALS = {
  password: 'with its password',
  private_key: 'with its private key',
  certificate: 'with an SSH certificate',
};

function accountRow(target: ServerTarget, credential: Credential): Row {
  const { access_credential, identity } = target;
  if (access_credential.type === 'principal_account') {
    const admin = access_credential.admin_level_permissions ? ', with administrator rights' : '';
    return row('Account', [`${identity}, the requester's own account${admin}`]);
  }
  const how = credential === null ? '' : ` ${CREDENTIALS[credential]}`;
  return row('Account', [`${identity}, a vaulted account${how}`]);
}

const CHANNELS: Readonly<Record<string, string>> = {
  shell: 'work in a shell',
  exec: 'run commands',
  sftp: 'copy files (sftp)',
  local_forward: 'reach other addresses through the server (local forwards, -L)',
  remote_forward: 'let the server reach back (remote forwards, -R)',
};
const CHANNEL_ORDER = Object.keys(CHANNELS);

function channelsRow(target: ServerTarget): Row {
  const known = CHANNEL_ORDER.filter((channel) => target.channels.includes(channel));
  const others = target.channels.filter((channel) => !CHANNEL_ORDER.includes(channel));
  return row('May do', [...known.map((channel) => CHANNELS[channel] ?? channel), ...others]);
}

function periodRow(target: ServerTarget, running_until: Instant | null, now: Instant): Row {
  const period = durationInWords(seconds(longestPeriod(target)));
  return row('How long', [
    `at most ${period}, from the moment of the last approval`,
    ...(running_until === null
      ? []
      : [`an extension: without it, access ends ${timeInWords(running_until, now)}`]),
  ]);
}
