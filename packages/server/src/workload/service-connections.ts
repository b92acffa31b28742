import { type NewWorkloadConnection, toRfc3339, type WorkloadConnection } from '@postern/shared';
import { findUserByLogin, lockAdministration } from '../directory/index.ts';
import { authorOf, type Caller, endTokens, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { type FieldError, Refusal } from '../platform/errors.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import type { Rule } from './model.ts';
import { PROVIDERS } from './providers.ts';
import { refuseJobs } from './service-jobs.ts';
import {
  type ConnectionRow,
  findConnection,
  findConnectionByName,
  insertConnection,
  listConnections as listRows,
  liveLoginsOf,
  lockConnection,
  updateConnection,
} from './store.ts';
import { faultsOf, type Surroundings } from './validate.ts';

const noConnection = (): Refusal =>
  new Refusal('not_found', 'There is no such connection.', {
    next: 'See what there is: sft-admin workload list',
  });

const shown = (row: ConnectionRow): WorkloadConnection => ({
  id: row.id,
  name: row.name,
  provider: row.provider,
  issuer: row.issuer,
  jwks_url: row.jwks_url,
  audience: row.audience,
  unnamed_people: row.unnamed_people,
  rules: (row.rules as readonly Rule[]).map((rule) => ({
    service_user: rule.service_user,
    claims: { ...rule.claims },
    ref_pattern: rule.ref_pattern ?? null,
  })),
  created_by: { id: row.created_by, name: row.creator_name },
  created_at: toRfc3339(row.created_at),
  updated_at: toRfc3339(row.updated_at),
});

export async function createConnection(
  tx: Tx,
  caller: Caller,
  surroundings: Surroundings,
  body: NewWorkloadConnection,
): Promise<WorkloadConnection> {
  refuseJobs(caller);
  const settled = await settle(tx, surroundings, body);
  await lockAdministration(tx.sql);
  if ((await findConnectionByName(tx.sql, body.name)) !== undefined)
    throw new Refusal('state_conflict', 'A connection of this name is here.', {
      next: 'Give it another name, or replace that one.',
    });
  const id = tx.ids.uuid();
  await insertConnection(tx.sql, {
    ...{ id, name: body.name, ...settled },
    made_by: json(makersOf(caller)),
    ...{ created_by: caller.user_id, created_at: tx.now, updated_at: tx.now },
  });
  return await recorded(tx, caller, 'pam.workload_connection.create', id);
}

export async function listConnections(tx: Tx, query: PageQuery) {
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, page), page);
  return { ...cut, list: cut.list.map(shown) };
}

/** What was believed before is not believed any more: jobs that are logged in by it are logged out. */
export async function replaceConnection(
  tx: Tx,
  caller: Caller,
  surroundings: Surroundings,
  id: string,
  body: NewWorkloadConnection,
): Promise<WorkloadConnection> {
  refuseJobs(caller);
  const found = await lockLive(tx, id);
  if (body.name !== found.name)
    refuseFaults([{ pointer: '/name', code: 'name', detail: `must stay ${found.name}` }]);
  const settled = await settle(tx, surroundings, body);
  await updateConnection(tx.sql, id, {
    ...settled,
    made_by: json([...new Set([...found.made_by, ...makersOf(caller)])]),
    updated_at: tx.now,
  });
  await endTokens(tx, authorOf(caller), await liveLoginsOf(tx.sql, id));
  return await recorded(tx, caller, 'pam.workload_connection.update', id);
}

export async function removeConnection(tx: Tx, caller: Caller, id: string): Promise<void> {
  refuseJobs(caller);
  const found = await lockLive(tx, id);
  await updateConnection(tx.sql, id, { removed_at: tx.now });
  await endTokens(tx, authorOf(caller), await liveLoginsOf(tx.sql, id));
  await tx.audit(
    eventBy(caller, 'pam.workload_connection.delete', [refTo('workload_connection', found)]),
  );
}

async function lockLive(tx: Tx, id: string): Promise<ConnectionRow> {
  await lockConnection(tx.sql, id, 'update');
  const found = await findConnection(tx.sql, id);
  if (found === undefined) throw noConnection();
  return found;
}

async function recorded(
  tx: Tx,
  caller: Caller,
  type: 'pam.workload_connection.create' | 'pam.workload_connection.update',
  id: string,
): Promise<WorkloadConnection> {
  const made = shown((await findConnection(tx.sql, id))!);
  const { provider, issuer, jwks_url, audience, unnamed_people, rules } = made;
  await tx.audit(
    eventBy(caller, type, [refTo('workload_connection', made)], {
      ...{ provider, issuer, jwks_url, audience, unnamed_people, rules },
    }),
  );
  return made;
}

/** The row's fields, with every default written out and every name resolved. */
async function settle(tx: Tx, surroundings: Surroundings, body: NewWorkloadConnection) {
  const users = await serviceUsers(tx, body);
  refuseFaults([...faultsOf(body, surroundings), ...textFaults(body), ...users.faults]);
  const { provider, issuer } = body;
  return {
    ...{ provider, issuer, unnamed_people: body.unnamed_people ?? 'need_two' },
    jwks_url: body.jwks_url ?? issuer.replace(/\/$/, '') + (PROVIDERS[provider].jwks_path ?? ''),
    audience: body.audience ?? surroundings.public_url ?? '',
    rules: json(
      body.rules.map(({ claims, ref_pattern, service_user }): Rule => {
        const found = users.found.get(service_user)!;
        return {
          service_user: { id: found.id, login: found.login },
          claims,
          ...(ref_pattern === undefined ? {} : { ref_pattern }),
        };
      }),
    ),
  };
}

const textFaults = ({ rules }: NewWorkloadConnection): FieldError[] =>
  rules.flatMap(({ claims }, i) =>
    Object.entries(claims)
      .filter(([, value]) => !isPlainText(value))
      .map(([name]) => ({
        pointer: `/rules/${i}/claims/${name}`,
        code: 'unprintable',
        detail: 'must be one line of plain text',
      })),
  );

async function serviceUsers(tx: Tx, { rules }: NewWorkloadConnection) {
  const found = new Map<string, { readonly id: string; readonly login: string }>();
  const faults: FieldError[] = [];
  for (const [i, { service_user: login }] of rules.entries()) {
    const user = await findUserByLogin(tx.sql, login);
    if (user?.type === 'service' && user.status === 'ACTIVE') found.set(login, user);
    else
      faults.push({
        pointer: `/rules/${i}/service_user`,
        code: 'unknown_user',
        detail: 'is no active service user',
      });
  }
  return { found, faults };
}
