import { isHostname, type ServerPatch } from '@postern/shared';
import type { FieldError } from '../platform/errors.ts';
import { isAccessAddress } from './address.ts';
import { readHostKeys } from './host-keys.ts';
import { labelFaults } from './labels.ts';

/** What an admin decides about a server, in canonical form. */
export interface ServerValues {
  readonly hostname: string;
  readonly canonical_name: string | null;
  readonly alt_names: readonly string[];
  readonly access_address: string;
  readonly access_port: number;
  readonly os_type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly host_keys: readonly string[];
  readonly via: 'gateway' | 'direct';
  readonly state: 'ACTIVE' | 'INACTIVE';
  readonly admin_account_template: string | null;
  readonly allow_local_address: boolean;
}

/** What a new server has where nothing is said. */
export const DEFAULTS: Omit<ServerValues, 'hostname' | 'access_address'> = {
  canonical_name: null,
  alt_names: [],
  access_port: 22,
  os_type: 'linux',
  labels: {},
  host_keys: [],
  via: 'gateway',
  state: 'ACTIVE',
  admin_account_template: null,
  allow_local_address: false,
};

/** `before` with what was written over it; or everything that is wrong with what was written. */
export function readServer(
  before: Omit<ServerValues, 'hostname' | 'access_address'> & Partial<ServerValues>,
  written: ServerPatch,
): { readonly values: ServerValues; readonly faults: readonly FieldError[] } {
  const hostKeys = readHostKeys(written.host_keys ?? [], '/host_keys');
  const merged = { ...before, ...definedOf(written) } as ServerValues;
  const values = {
    ...merged,
    alt_names: [...new Set(merged.alt_names)].sort(),
    host_keys: written.host_keys === undefined ? merged.host_keys : hostKeys.keys,
  };
  return { values, faults: [...fieldFaults(written), ...hostKeys.faults] };
}

const definedOf = (fields: ServerPatch): ServerPatch =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function fieldFaults(written: ServerPatch): FieldError[] {
  const { hostname, canonical_name, alt_names, access_address, os_type, labels } = written;
  const names: [string, string | null | undefined][] = [
    ['/hostname', hostname],
    ['/canonical_name', canonical_name],
    ...(alt_names ?? []).map((name, index): [string, string] => [`/alt_names/${index}`, name]),
  ];
  const faults: FieldError[] = names
    .filter(([, name]) => name != null && !isHostname(name))
    .map(([pointer]) => ({
      pointer,
      code: 'hostname',
      detail: 'must be a host name: lower-case letters, digits, hyphens and dots',
    }));
  if (access_address !== undefined && !isAccessAddress(access_address))
    faults.push({
      pointer: '/access_address',
      code: 'address',
      detail: 'must be a host name or an IP address in its usual spelling',
    });
  if (os_type !== undefined && !/^[a-z0-9][a-z0-9_-]{0,38}[a-z0-9]$/.test(os_type))
    faults.push({ pointer: '/os_type', code: 'os_type', detail: 'must be a word such as linux' });
  const template = written.admin_account_template;
  if (template != null && !isTemplate(template))
    faults.push({
      pointer: '/admin_account_template',
      code: 'template',
      detail: 'must make another login of {unix_name}, such as {unix_name}-adm',
    });
  return [...faults, ...labelFaults(labels ?? {}, '/labels')];
}

/** Names one account per person, and never the person's own. */
const isTemplate = (template: string): boolean =>
  /^(?:[a-z_][a-z0-9_-]*)?\{unix_name\}[a-z0-9_-]*$/.test(template) && template !== '{unix_name}';

/** Every name the server answers to, each once. */
export const namesOf = (values: ServerValues): string[] => [
  ...new Set([
    values.hostname,
    ...(values.canonical_name === null ? [] : [values.canonical_name]),
    ...values.alt_names,
  ]),
];

/**
 * Whether another machine may be behind the record: then nothing granted for it holds any
 * more. The first pinning of host keys completes a record through which nobody could
 * connect; taking them away, or changing them, is a move.
 */
export const isMoved = (before: ServerValues, after: ServerValues): boolean =>
  before.access_address !== after.access_address ||
  before.access_port !== after.access_port ||
  (before.host_keys.length > 0 && before.host_keys.join('\n') !== after.host_keys.join('\n'));
