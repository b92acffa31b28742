const NAME_PART = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const PREFIX_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Keys that only the service writes; a policy may select on them. */
const SYSTEM_PREFIX = 'system.';

/**
 * As Kubernetes: a name of 1 to 63 letters, digits, `-`, `_` and `.` that begins and ends
 * with a letter or digit, optionally after a DNS name and a slash.
 */
export function isLabelKey(key: string): boolean {
  if (key.length > 253 + 1 + 63) return false;
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  if (parts.length > 1 || !NAME_PART.test(name)) return false;
  const [prefix] = parts;
  if (prefix === undefined) return true;
  return prefix.length <= 253 && prefix.split('.').every((label) => PREFIX_LABEL.test(label));
}

/** As Kubernetes: empty, or as the name of a key. */
export function isLabelValue(value: string): boolean {
  return value === '' || NAME_PART.test(value);
}

export function isSystemLabelKey(key: string): boolean {
  return key.startsWith(SYSTEM_PREFIX);
}
