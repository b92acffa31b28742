import type { Place } from './faults.ts';
import { CHANNELS, type Channel, DEFAULT_CHANNELS, type Privilege } from './model.ts';
import {
  complete,
  readBoolean,
  readEach,
  readFields,
  readKind,
  readList,
  readLiterals,
  readOneOf,
  refuseRepeated,
} from './read.ts';

const PRIVILEGE_TYPES = [
  'principal_account_ssh',
  'vaulted_account_ssh',
  'reveal_password',
  'rotate_password',
] as const;

/** Okta's name of the privilege to use a vaulted account over SSH. */
const OKTA_VAULTED = 'password_checkout_ssh';

/** At most one of each type; the answer is in canonical order. `check` sees each that is well-formed. */
export function readPrivileges(
  value: unknown,
  place: Place,
  check: (privilege: Privilege, place: Place) => void,
): readonly Privilege[] | undefined {
  const items = readList(value, place, { min: 1, max: PRIVILEGE_TYPES.length });
  const privileges = readEach(items, place, (item, at) => {
    const privilege = readPrivilege(item, at);
    if (privilege !== undefined) check(privilege, at);
    return privilege;
  });
  refuseRepeated(
    privileges,
    (p) => p.privilege_type,
    (i) => place.at(i),
  );
  const rank = (p: Privilege) => PRIVILEGE_TYPES.indexOf(p.privilege_type);
  return complete(privileges)?.toSorted((a, b) => rank(a) - rank(b));
}

function readPrivilege(value: unknown, place: Place): Privilege | undefined {
  const type = readKind(value, place, 'privilege_type', [...PRIVILEGE_TYPES, OKTA_VAULTED]);
  switch (type) {
    case 'principal_account_ssh':
      return readPrincipal(value, place);
    case 'vaulted_account_ssh':
    case OKTA_VAULTED: {
      const fields = readFields(value, place, ['privilege_type', 'channels']);
      const channels = fields && readChannels(fields.channels, place.at('channels'));
      return channels && { privilege_type: 'vaulted_account_ssh', channels };
    }
    case 'reveal_password':
    case 'rotate_password':
      return readFields(value, place, ['privilege_type']) && { privilege_type: type };
    case undefined:
      return undefined;
  }
}

function readPrincipal(value: unknown, place: Place): Privilege | undefined {
  const known = ['privilege_type', 'admin_level_permissions', 'channels'];
  const fields = readFields(value, place, known);
  if (fields === undefined) return undefined;
  const written = fields.admin_level_permissions ?? false;
  const admin = readBoolean(written, place.at('admin_level_permissions'));
  const channels = readChannels(fields.channels, place.at('channels'));
  if (admin === undefined || channels === undefined) return undefined;
  return { privilege_type: 'principal_account_ssh', admin_level_permissions: admin, channels };
}

/** Left out: the default. An empty list is refused: it would open a connection that can do nothing. */
function readChannels(value: unknown, place: Place): readonly Channel[] | undefined {
  if (value === undefined) return DEFAULT_CHANNELS;
  const limits = { min: 1, max: CHANNELS.length };
  const read = (item: unknown, at: Place) => readOneOf(item, at, CHANNELS);
  const channels = readLiterals(value, place, limits, read);
  return channels?.toSorted((a, b) => CHANNELS.indexOf(a) - CHANNELS.indexOf(b));
}
