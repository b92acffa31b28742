import type { Claims, Connection, Rule } from './model.ts';
import { WORKFLOW_PATH } from './providers.ts';

export type Matched =
  | { readonly ok: true; readonly service_user: Rule['service_user'] }
  | { readonly ok: false; readonly reason: 'no_rule' | 'several_service_users' };

/** The one service user whom the claims mean. */
export function matchRules(connection: Pick<Connection, 'rules'>, claims: Claims): Matched {
  const users = new Map<string, Rule['service_user']>();
  for (const rule of connection.rules)
    if (matches(rule, claims)) users.set(rule.service_user.id, rule.service_user);
  const [user] = users.values();
  if (user === undefined) return { ok: false, reason: 'no_rule' };
  return users.size > 1
    ? { ok: false, reason: 'several_service_users' }
    : { ok: true, service_user: user };
}

/** A rule that pins nothing matches nothing. */
function matches({ claims: pinned, ref_pattern }: Rule, claims: Claims): boolean {
  const wanted = Object.entries(pinned);
  if (wanted.length === 0) return false;
  if (ref_pattern !== undefined && !matchesPattern(ref_pattern, textOf(claims, 'ref')))
    return false;
  return wanted.every(([name, value]) =>
    name === WORKFLOW_PATH ? workflowPath(claims) === value : textOf(claims, name) === value,
  );
}

/** A claim that is text; whatever else it is, it equals nothing. */
export function textOf(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** By pieces and not as an expression: no pattern makes it slow. */
export function matchesPattern(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  const [head = '', ...pieces] = pattern.split('*');
  if (!text.startsWith(head)) return false;
  if (pieces.length === 0) return text === pattern;
  let at = head.length;
  for (const [i, piece] of pieces.entries()) {
    const isLast = i === pieces.length - 1;
    const found = isLast ? text.length - piece.length : text.indexOf(piece, at);
    if (found < at || !text.endsWith(isLast ? piece : '')) return false;
    if (text.slice(at, found).includes('/')) return false;
    at = found + piece.length;
  }
  return true;
}

/**
 * Where the workflow is in the repository that runs it, from the very ref that is run. The text
 * of GitHub (`octo/shop/.github/workflows/x.yml@refs/heads/main`) and of GitLab
 * (`gitlab.com/octo/shop//.gitlab-ci.yml@refs/heads/main`) names both.
 *
 * @returns undefined for a workflow of another repository or ref.
 */
export function workflowPath(claims: Claims): string | undefined {
  const github = textOf(claims, 'workflow_ref');
  const repository = textOf(claims, 'repository');
  const ref = textOf(claims, 'ref');
  if (github !== undefined)
    return between(github, repository && `${repository}/`, ref && `@${ref}`);
  const host = textOf(claims, 'iss')?.replace(/^https?:\/\//, '');
  const project = textOf(claims, 'project_path');
  const branch = textOf(claims, 'ref_path');
  return between(
    textOf(claims, 'ci_config_ref_uri'),
    host && project && `${host}/${project}//`,
    branch && `@${branch}`,
  );
}

function between(
  text: string | undefined,
  head: string | undefined,
  tail: string | undefined,
): string | undefined {
  if (text === undefined || head === undefined || tail === undefined) return undefined;
  if (text.length <= head.length + tail.length) return undefined;
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined;
  return text.slice(head.length, -tail.length);
}
