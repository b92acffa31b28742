import type { RequestTarget } from './schemas/access-request.ts';

/** What a request asks for, in a few words: `pamadmin1 on opa-demo-linux`, `membership in Auditors`. */
export function targetText(target: RequestTarget): string {
  if (target.type === 'server_access') return `${target.identity} on ${target.server.name}`;
  return `membership in ${target.memberships.map(({ group }) => group.name).join(', ')}`;
}
