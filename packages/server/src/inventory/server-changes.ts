import { fingerprint } from './host-keys.ts';
import { isMoved, type ServerValues } from './server-values.ts';

/** What an update changes, a line each; empty: nothing. */
export function serverChanges(before: ServerValues, after: ServerValues): string[] {
  return [
    ...FIELDS.flatMap((field) =>
      before[field] === after[field]
        ? []
        : [`${field}: ${show(before[field])} → ${show(after[field])}`],
    ),
    ...difference('alternative name', before.alt_names, after.alt_names),
    ...difference('label', labelLines(before.labels), labelLines(after.labels)),
    ...difference('host key', before.host_keys.map(fingerprint), after.host_keys.map(fingerprint)),
    ...(isMoved(before, after)
      ? ['new identity: approvals and sessions end, credentials must be entered again']
      : []),
  ];
}

const FIELDS = [
  'hostname',
  'canonical_name',
  'access_address',
  'access_port',
  'os_type',
  'via',
  'state',
  'admin_account_template',
  'allow_local_address',
] as const;

const show = (value: string | number | boolean | null): string =>
  value === null ? 'none' : String(value);

const labelLines = (labels: Readonly<Record<string, string>>): string[] =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort();

const difference = (
  what: string,
  before: readonly string[],
  after: readonly string[],
): string[] => [
  ...after.filter((item) => !before.includes(item)).map((item) => `${what} added: ${item}`),
  ...before.filter((item) => !after.includes(item)).map((item) => `${what} removed: ${item}`),
];
