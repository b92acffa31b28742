import type { AccessMethod, AccessRequest, Answer } from '@postern/shared';
import type { Person } from './people.ts';
import { restOf } from './rest.ts';
import type { Service } from './service.ts';

export const HOST = 'opa-demo-linux';

/** The only way into the server as this account, as the person's evaluation shows it now. */
export async function methodFor(
  service: Service,
  person: Person,
  identity: string,
  host = HOST,
): Promise<AccessMethod> {
  const rest = restOf(service, person.token);
  const resolved = await rest<Answer<'resolve'>>('POST', '/resolve', { body: { names: [host] } });
  const method = resolved.body.user_access_methods.find((m) => m.identity === identity);
  if (method === undefined) throw new Error(`no method ${identity}: ${resolved.text}`);
  return method;
}

/** Raises a request for the account. @returns it, pending. */
export async function ask(
  service: Service,
  person: Person,
  identity: string,
  host = HOST,
): Promise<AccessRequest> {
  const method = await methodFor(service, person, identity, host);
  const condition = method.conditionals.find((c) => c.type === 'access_request');
  if (condition === undefined) throw new Error(`${identity} needs no approval`);
  const raised = await restOf(service, person.token)<AccessRequest>('POST', '/access_requests', {
    body: {
      request_type_id: condition.request_type.id,
      target: {
        type: 'server_access',
        server_id: method.server_id,
        identity,
        access_credential: method.access_credential,
      },
      answers: { justification: 'rotate the logs' },
    },
  });
  if (raised.status > 201) throw new Error(raised.text);
  return raised.body;
}

/** Decides the current step of a request as it stands. */
export async function decide(
  service: Service,
  approver: Person,
  id: string,
  decision: 'approve' | 'deny' = 'approve',
): Promise<AccessRequest> {
  const rest = restOf(service, approver.token);
  const { body } = await rest<AccessRequest>('GET', `/access_requests/${id}`);
  const decided = await rest<AccessRequest>('POST', `/access_requests/${id}/decisions`, {
    headers: { 'if-match': `"${body.etag}"` },
    body: { decision, step: 0, comment: null },
  });
  if (decided.status !== 200) throw new Error(decided.text);
  return decided.body;
}

/** An approval for the account, given by the approver. @returns the request's id. */
export async function grant(
  service: Service,
  person: Person,
  approver: Person,
  identity: string,
  host = HOST,
): Promise<string> {
  const { id } = await ask(service, person, identity, host);
  await decide(service, approver, id);
  return id;
}
