import type { Answer, Query } from '@postern/shared';
import canonicalize from 'canonicalize';
import { refuseRequestInto, refuseUnnamedSources } from '../directory/index.ts';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpPolicy } from '../platform/locks.ts';
import { pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { digestOf } from './card.ts';
import { canEverBeMet } from './liveness.ts';
import { missingIn } from './missing.ts';
import type { Definition } from './model.ts';
import { setsOf } from './needs.ts';
import { readRequestType } from './request-type.ts';
import { loadRoster } from './store-roster.ts';
import {
  findType,
  findTypeByName,
  findVersion,
  insertType,
  insertVersion,
  listTypes,
  namesFor,
  newestVersion,
  type TypeRow,
  updateType,
} from './store-types.ts';

type View = Answer<'getRequestType'>;

export async function describeType(tx: Tx, row: TypeRow): Promise<View> {
  const version =
    row.published_version === null
      ? undefined
      : await findVersion(tx.sql, row.id, row.published_version);
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    etag: String(row.etag),
    published_version: row.published_version,
    digest: version?.digest ?? null,
    // What runs is the published version; while there is none, the draft.
    definition: (version?.source ?? row.draft) as View['definition'],
    draft: isChanged(version?.source, row.draft) ? (row.draft as View['definition']) : null,
  };
}

/** Whether there is a draft that would publish something else than what runs. */
const isChanged = (running: unknown, draft: unknown): boolean =>
  running === undefined || canonicalize(running) !== canonicalize(draft);

export const noSuchType = () => new Refusal('not_found', 'There is no such request type.');

/** Drafts are for those who write and audit them; a requester sees what runs, or nothing. */
export async function getType(tx: Tx, caller: Caller, id: string): Promise<View> {
  const row = await findType(tx.sql, id);
  if (row === undefined) throw noSuchType();
  const view = await describeType(tx, row);
  if (caller.roles.has('security_admin') || caller.roles.has('auditor')) return view;
  if (view.published_version === null) throw noSuchType();
  return { ...view, draft: null };
}

export async function listRequestTypes(tx: Tx, query: Query<'listRequestTypes'>): Promise<View[]> {
  const { limit, after } = pageOf(query);
  const rows = await listTypes(tx.sql, {
    limit,
    ...(query.name === undefined ? {} : { name: query.name }),
    ...(after === undefined ? {} : { before: after }),
  });
  const list: View[] = [];
  for (const row of rows) list.push(await describeType(tx, row));
  return list;
}

/** @throws Refusal `invalid_request`, every fault with its JSON pointer */
export async function readDefinition(tx: Tx, input: unknown): Promise<Definition> {
  const { groups, users } = await namesFor(tx.sql);
  const result = readRequestType(input, {
    groups: new Map(groups.map((g) => [g.name, g.id])),
    users: new Map(users.map((u) => [u.login, { id: u.id, name: u.name }])),
  });
  if (result.ok) return result.definition;
  throw new Refusal(
    'invalid_request',
    result.errors[0]?.detail ?? 'The request type is not valid.',
    {
      errors: result.errors,
      next: 'Correct what the errors point at and send the request type again.',
    },
  );
}

export async function createType(tx: Tx, caller: Caller, input: unknown): Promise<View> {
  await bumpPolicy(tx.sql);
  const definition = await readDefinition(tx, input);
  if ((await findTypeByName(tx.sql, definition.name)) !== undefined)
    throw new Refusal('state_conflict', 'There is a request type with this name.');
  const row = await insertType(tx.sql, {
    id: tx.ids.uuid(),
    name: definition.name,
    state: 'draft',
    draft: json(input),
    published_version: null,
    created_at: tx.now,
  });
  await tellOfType(tx, caller, 'pam.request_type.create', row);
  return describeType(tx, row);
}

/** Makes an immutable version of the draft. Refused where no request of it could ever be approved. */
export async function publishType(tx: Tx, caller: Caller, id: string): Promise<View> {
  await bumpPolicy(tx.sql);
  const before = await findType(tx.sql, id);
  if (before === undefined) throw noSuchType();
  const definition = await readDefinition(tx, before.draft);
  await refuseUnsatisfiable(tx, definition);
  const version = (await newestVersion(tx.sql, id)) + 1;
  const digest = digestOf(definition);
  await insertVersion(tx.sql, {
    request_type_id: id,
    version,
    source: json(before.draft),
    definition: json(definition),
    digest,
    published_by: caller.user_id,
    published_at: tx.now,
  });
  const row = await updateType(tx.sql, id, {
    state: 'published',
    published_version: version,
    etag: before.etag + 1,
  });
  // After it is there: it may make privileged the very group that it puts people into.
  await refuseUnnamedSources(
    tx,
    setsOf(definition.steps).flatMap((set) => (set.kind === 'group' ? [set.id] : [])),
  );
  for (const id of groupsGivenBy(definition)) await refuseRequestInto(tx, id, definition);
  await tellOfType(tx, caller, 'pam.request_type.publish', row, { version, digest });
  return describeType(tx, row);
}

/** Every group that an approval could put somebody into. */
const groupsGivenBy = ({ on_approved }: Definition): string[] =>
  on_approved.flatMap((action) => {
    if (action.kind !== 'add_to_group') return [];
    const { group } = action;
    return 'field' in group ? group.groups.map(({ id }) => id) : [group.id];
  });

/** What depends on the requester (manager, owners) is asked again when a request is raised. */
async function refuseUnsatisfiable(tx: Tx, { steps }: Definition): Promise<void> {
  const scope = {
    requester_id: NOBODY,
    since: tx.now,
    server_id: null,
    group_ids: [],
    sets: setsOf(steps),
    others: [],
  };
  const alive = canEverBeMet(steps, await loadRoster(tx.sql, scope, tx.now));
  if (alive.ok) return;
  throw new Refusal(
    'request_type_unsatisfiable',
    `Step "${alive.name}" could never be approved: too few people are in its sets.`,
    {
      errors: [
        {
          pointer: `/steps/${alive.step}/needs`,
          code: 'unsatisfiable',
          detail: missingIn(alive.missing),
        },
      ],
      next: 'Add people to the groups that the step names, or ask for fewer.',
    },
  );
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** For `apply`: creates, or makes a new version when what it says has changed; and publishes. */
export async function applyRequestType(
  tx: Tx,
  caller: Caller,
  input: Readonly<Record<string, unknown>>,
) {
  const { kind: _kind, ...source } = input;
  const before =
    typeof source.name === 'string' ? await findTypeByName(tx.sql, source.name) : undefined;
  const name = String(source.name);
  if (before === undefined) {
    const created = await createType(tx, caller, source);
    await publishType(tx, caller, created.id);
    return { kind: 'RequestType', name, action: 'create' as const, details: ['published'] };
  }
  const definition = await readDefinition(tx, source);
  const version =
    before.published_version === null
      ? undefined
      : await findVersion(tx.sql, before.id, before.published_version);
  if (
    before.state === 'published' &&
    version !== undefined &&
    canonicalize(version.definition) === canonicalize(definition)
  )
    return { kind: 'RequestType', name, action: 'unchanged' as const, details: [] };
  await updateType(tx.sql, before.id, { draft: json(source), etag: before.etag + 1 });
  const published = await publishType(tx, caller, before.id);
  const details = [`published as version ${published.published_version}`];
  return { kind: 'RequestType', name, action: 'update' as const, details };
}

export async function tellOfType(
  tx: Tx,
  caller: Caller,
  type: `pam.request_type.${'create' | 'update' | 'publish' | 'retire'}`,
  row: TypeRow,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await tx.audit({
    type,
    actor: userRef(caller),
    targets: [{ type: 'request_type', id: row.id, name: row.name }],
    outcome: SUCCESS,
    details,
  });
  await tx.signal({ kind: 'policy' });
}
