import { type AccessMethod, fromRfc3339 } from '@postern/shared';

/** Conditions that are not met. */
export const unmet = (method: AccessMethod) =>
  method.conditionals.filter((c) => !c.condition_is_met);

/** Whether MFA is all that a method still needs. */
export const needsOnlyMfa = (method: AccessMethod): boolean => {
  const { resource_status: status } = method;
  const open = unmet(method);
  const isFree = status === 'available' || status === 'checked_out';
  return isFree && open.length > 0 && open.every(({ type }) => type === 'mfa');
};

/**
 * The best of several ways into one account: the allowed one that lasts longest, else the
 * one with the fewest unmet conditions; of equals the first, as the service orders them.
 */
export function best(methods: readonly AccessMethod[]): AccessMethod | undefined {
  return methods.reduce<AccessMethod | undefined>(
    (found, method) => (found === undefined || isBetter(method, found) ? method : found),
    undefined,
  );
}

function isBetter(a: AccessMethod, b: AccessMethod): boolean {
  if (a.allowed !== b.allowed) return a.allowed;
  return a.allowed ? endOf(a) > endOf(b) : unmet(a).length < unmet(b).length;
}

/** A method without an end outlasts every other. */
const endOf = ({ expires_at }: AccessMethod): number =>
  (expires_at === null ? undefined : fromRfc3339(expires_at)) ?? Number.POSITIVE_INFINITY;
