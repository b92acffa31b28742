import type { Answer, Body, Change, DocumentKind } from '@postern/shared';
import {
  applyGroupRules,
  countAdmins,
  findTeam,
  idsOfLogins,
  linkGroup,
  linkUser,
  lockAdministration,
  putGroup,
  putGroupRule,
  putUser,
  refuseLockout,
  withMore,
} from '../directory/index.ts';
import { authorOf, type Caller } from '../identity/index.ts';
import {
  type InventoryTools,
  idsOfHostnames,
  putResourceGroup,
  putServer,
} from '../inventory/index.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { putReviewTerms } from '../reviews/index.ts';
import { type Document, type DocumentOf, readDocuments } from './documents.ts';
import { notPermitted } from './roles.ts';
import { undone } from './store.ts';

/** What the features that own these documents do; given by deps.ts, so that no cycle arises. */
export interface ApplyPorts {
  /** Brings one request type to its definition and publishes it. A pointer is into `definition`. */
  applyRequestType(tx: Tx, caller: Caller, definition: unknown): Promise<Change>;
  /** Brings one policy to what is written. A pointer is into `policy`. */
  applyPolicy(tx: Tx, caller: Caller, policy: unknown): Promise<Change>;
}

export interface ApplyTools extends InventoryTools {
  readonly ports: ApplyPorts;
}

/**
 * Brings the world to what the documents say, all or nothing. What they do not name is not
 * touched. A dry run does the same, and undoes it.
 */
export async function apply(
  tx: Tx,
  caller: Caller,
  tools: ApplyTools,
  body: Body<'apply'>,
): Promise<Answer<'apply'>> {
  const read = readDocuments(body.documents);
  if (!read.ok)
    throw new Refusal('invalid_request', 'The documents are not valid.', { errors: read.faults });
  refuseUnpermitted(caller, read.documents);
  const bring = () => bringAbout(tx, caller, tools, read.documents);
  const dry_run = body.dry_run === true;
  return { dry_run, changes: dry_run ? await undone(tx.sql, bring) : await bring() };
}

function refuseUnpermitted(caller: Caller, documents: readonly Document[]): void {
  const refused = notPermitted(documents, caller.roles);
  if (refused.length === 0) return;
  const roles = [...new Set(refused.map(({ needed }) => needed))].sort();
  throw new Refusal(
    'not_permitted',
    `Some of the documents need the role ${roles.join(' and ')}.`,
    {
      next: 'Apply those apart, as somebody who holds it.',
      errors: refused.slice(0, 100).map(({ document, needed }) => ({
        pointer: `/documents/${document.index}`,
        code: 'not_permitted',
        detail: `${document.kind} needs ${needed}`,
      })),
    },
  );
}

/** What needs another thing comes after it; links between people come when all of them are there. */
async function bringAbout(
  tx: Tx,
  caller: Caller,
  tools: ApplyTools,
  documents: readonly Document[],
): Promise<Change[]> {
  await lockEverything(tx, documents);
  const admins = await countAdmins(tx.sql, tx.now);
  const changes = new Map<number, Change>();
  const each = async <K extends DocumentKind>(
    kind: K,
    act: (document: DocumentOf<K>) => Promise<Change>,
  ): Promise<void> => {
    for (const document of documents)
      if (document.kind === kind)
        changes.set(document.index, await at(document, () => act(document as DocumentOf<K>)));
  };
  const more = async ({ index }: Document, details: Promise<string[]>): Promise<Change> =>
    withMore(changes.get(index) as Change, await details);

  await each('Group', ({ content }) => putGroup(tx, caller, content));
  await each('User', ({ content }) => putUser(tx, caller, content));
  await each('Group', (group) => more(group, linkGroup(tx, caller, group.content)));
  await each('Group', (group) => more(group, putReviewTerms(tx, caller, group.content)));
  await each('User', (user) => more(user, linkUser(tx, caller, user.content)));
  await each('GroupRule', ({ content }) => putGroupRule(tx, caller, content));
  if (documents.some(({ kind }) => kind === 'User' || kind === 'GroupRule'))
    await applyGroupRules(tx, authorOf(caller));
  await each('ResourceGroup', ({ content }) => putResourceGroup(tx, caller, content));
  await each('Server', ({ content }) => putServer(tx, caller, tools, content));
  await each('RequestType', ({ content: { kind, ...definition } }) =>
    tools.ports.applyRequestType(tx, caller, definition),
  );
  await each('SecurityPolicy', ({ content: { kind, ...policy } }) =>
    tools.ports.applyPolicy(tx, caller, policy),
  );
  await refuseLockout(tx, admins);
  return documents.map(({ index }) => changes.get(index) as Change);
}

/** Everybody and everything that is named and there already, in one order, before anything is read. */
async function lockEverything(tx: Tx, documents: readonly Document[]): Promise<void> {
  await lockAdministration(tx.sql);
  const namesOf = (kind: DocumentKind): string[] =>
    documents.filter((document) => document.kind === kind).map(({ name }) => name);
  const users = await idsOfLogins(tx.sql, namesOf('User'));
  const servers = await idsOfHostnames(tx.sql, namesOf('Server'));
  const team = namesOf('SecurityPolicy').length > 0 ? await findTeam(tx.sql) : undefined;
  await bumpRevisions(tx.sql, [...users.values(), ...servers, ...(team ? [team.id] : [])]);
}

/** Says which document was refused, and points into it. */
async function at<T>({ kind, name, index }: Document, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, detail, next, errors = [{ pointer: '', code, detail }] } = error;
    throw new Refusal(code, `${kind} ${name}: ${detail}`, {
      ...(next === undefined ? {} : { next }),
      errors: errors.map((fault) => ({ ...fault, pointer: `/documents/${index}${fault.pointer}` })),
    });
  }
}
