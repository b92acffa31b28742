import type { Place } from './faults.ts';
import type { LabelSelector, Selector } from './model.ts';
import {
  complete,
  type Fields,
  readEach,
  readFields,
  readKind,
  readList,
  readLiteral,
  readLiterals,
} from './read.ts';
import { named, type References, readReference, type ServerReference } from './references.ts';

const SELECTOR_TYPES = ['individual_server', 'individual_server_account', 'server_label'] as const;
const MAX_LABELS = 20;

/** What every selector of a policy is read with: the world, and the policy's resource group. */
export interface Scope {
  readonly references: References;
  /** undefined while faulty: then nothing is said about servers outside it. */
  readonly resource_group: { readonly id: string } | null | undefined;
}

export function readSelectors(
  value: unknown,
  place: Place,
  scope: Scope,
): readonly Selector[] | undefined {
  const items = readList(value, place, { min: 1, max: 100 });
  return complete(readEach(items, place, (item, at) => readSelector(item, at, scope)));
}

function readSelector(value: unknown, place: Place, scope: Scope): Selector | undefined {
  switch (readKind(value, place, 'selector_type', SELECTOR_TYPES)) {
    case 'individual_server':
      return readIndividualServer(value, place, scope);
    case 'individual_server_account':
      return readIndividualAccount(value, place, scope);
    case 'server_label':
      return readServerLabel(value, place);
    case undefined:
      return undefined;
  }
}

function readIndividualServer(value: unknown, place: Place, scope: Scope): Selector | undefined {
  const fields = readFields(value, place, ['selector_type', 'server']);
  const server = fields && readServer(fields.server, place.at('server'), scope);
  return server && { selector_type: 'individual_server', server: named(server) };
}

function readIndividualAccount(value: unknown, place: Place, scope: Scope): Selector | undefined {
  const fields = readFields(value, place, ['selector_type', 'server', 'username']);
  if (fields === undefined) return undefined;
  const server = readServer(fields.server, place.at('server'), scope);
  const username = readUsername(fields.username, place.at('username'));
  if (server === undefined || username === undefined) return undefined;
  return { selector_type: 'individual_server_account', server: named(server), username };
}

/** A server of another resource group than the policy's would never be opened by it. */
function readServer(value: unknown, place: Place, scope: Scope): ServerReference | undefined {
  const server = readReference(value, place, scope.references.servers);
  const group = scope.resource_group;
  if (server === undefined || !group || server.resource_group_id === group.id) return server;
  return place.fault('other_resource_group', `${server.name} is not in the policy's group.`);
}

function readServerLabel(value: unknown, place: Place): LabelSelector | undefined {
  const kind = readKind(value, place, 'account_selector_type', ['username', 'none']);
  if (kind === undefined) return undefined;
  const known = ['selector_type', 'server_selector', 'account_selector_type'];
  const fields = readFields(
    value,
    place,
    kind === 'username' ? [...known, 'account_selector'] : known,
  );
  if (fields === undefined) return undefined;
  const labels = readLabels(fields.server_selector, place.at('server_selector'));
  const selected = labels && {
    selector_type: 'server_label' as const,
    server_selector: { labels },
  };
  if (kind === 'none') return selected && { ...selected, account_selector_type: kind };
  const usernames = readUsernames(fields, place.at('account_selector'));
  if (selected === undefined || usernames === undefined) return undefined;
  return { ...selected, account_selector_type: kind, account_selector: { usernames } };
}

/** Never empty: a selector without labels would mean every server there will ever be. */
function readLabels(value: unknown, place: Place): Readonly<Record<string, string>> | undefined {
  const selector = readFields(value, place, ['labels']);
  const written = selector?.labels;
  if (selector === undefined) return undefined;
  const at = place.at('labels');
  if (written === undefined) return at.fault('missing_field', 'Labels are required.');
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    return at.fault('wrong_type', 'Labels are an object of texts.');
  const entries = Object.entries(written);
  if (entries.length === 0) return at.fault('empty', 'Without a label it would mean every server.');
  if (entries.length > MAX_LABELS)
    return at.fault('too_many', `At most ${MAX_LABELS} are allowed.`);
  const labels = entries.map(([key, text]): readonly [string, string] | undefined => {
    const name = readLiteral(key, at.at(key), 128);
    const label = name === undefined ? undefined : readLiteral(text, at.at(key), 256);
    return name === undefined || label === undefined ? undefined : [name, label];
  });
  const read = complete(labels);
  return read && Object.fromEntries(read.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function readUsernames(fields: Fields, place: Place): readonly string[] | undefined {
  const selector = readFields(fields.account_selector, place, ['usernames']);
  if (selector === undefined) return undefined;
  const limits = { min: 1, max: 100 };
  return readLiterals(selector.usernames, place.at('usernames'), limits, readUsername)?.toSorted();
}

function readUsername(value: unknown, place: Place): string | undefined {
  const username = readLiteral(value, place, 64);
  if (username === undefined || !/\s/.test(username)) return username;
  return place.fault('bad_username', 'A login name has no spaces.');
}
