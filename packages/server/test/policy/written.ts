import { type References, validate } from '../../src/policy/index.ts';
import { LABELLED, policyInput, references, ruleInput } from './kit.ts';

/** `pointer code` of every error, in order. */
export function faults(input: unknown, world: References = references()): string[] {
  const checked = validate(input, world);
  return checked.ok ? [] : checked.errors.map((e) => `${e.pointer} ${e.code}`);
}

export const withRule = (some: object) => policyInput({ rules: [ruleInput('R1', some)] });
export const withCondition = (condition: unknown) => withRule({ conditions: [condition] });
export const withPrivilege = (privilege: unknown) => withRule({ privileges: [privilege] });
export const withSelector = (selector: unknown) =>
  withRule({ resource_selector: { selectors: [selector, LABELLED] } });

export const CONDITION = '/rules/0/conditions/0';
export const PRIVILEGE = '/rules/0/privileges/0';
export const SELECTOR = '/rules/0/resource_selector/selectors/0';

export const APPROVAL = {
  condition_type: 'access_request',
  request_type: { name: 'Manager approval' },
  expires_after_seconds: 1800,
};
export const WINDOW = {
  condition_type: 'time_window',
  zone: 'Europe/Berlin',
  days: ['mon'],
  from: '08:00',
  to: '18:00',
};
export const MFA = { condition_type: 'mfa', re_auth_frequency_in_seconds: 0, acr_values: 'any' };
