import type { Role } from '@postern/shared';
import { usage } from '../failure.ts';

/**
 * What each role may do, for whoever gives it: the operations say it exactly. The keys are all
 * roles there are; the types hold that.
 */
export const MAY_DO: Readonly<Record<Role, string>> = {
  end_user: 'see and reach servers, ask for access, approve where a request type asks for it',
  resource_admin: 'see the whole inventory',
  security_admin:
    'change the inventory, policies and request types, end access and sessions, see recordings',
  pam_admin: 'change users, groups, roles, tokens, gateways and connections to other systems',
  auditor: 'see everything, the log and recordings too, and change nothing',
};

export const ROLE_NAMES = Object.keys(MAY_DO) as readonly Role[];

/** @throws Failure 64 for what is no role */
export function rolesNamed(words: readonly string[]): Role[] {
  const names = words.flatMap((word) => word.split(',')).filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(MAY_DO, name));
  if (unknown !== undefined)
    throw usage(`There is no role ${unknown}.`, `The roles: ${ROLE_NAMES.join(', ')}.`);
  return ROLE_NAMES.filter((role) => names.includes(role));
}
