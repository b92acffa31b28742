/** Login names a principal account may have; see useradd(8). */
const UNIX_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;

const PLACEHOLDER = '{unix_name}';

/** The name a person logs in with as himself; undefined when he has none that is one. */
export function principalIdentity(unixName: string | null): string | undefined {
  return unixName !== null && UNIX_NAME.test(unixName) ? unixName : undefined;
}

/**
 * Whether a server's template names an account per person. One without `{unix_name}` would
 * be one account for everybody; that is what vaulted accounts are for.
 */
export function isAdminTemplate(template: string): boolean {
  return template.split(PLACEHOLDER).length === 2 && template !== PLACEHOLDER;
}

/** The account a server's template names for a person; undefined when it names none. */
export function adminIdentity(template: string | null, unixName: string): string | undefined {
  if (template === null || !isAdminTemplate(template)) return undefined;
  const identity = template.replace(PLACEHOLDER, () => unixName);
  return UNIX_NAME.test(identity) ? identity : undefined;
}
