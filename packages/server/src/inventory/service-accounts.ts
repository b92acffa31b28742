import { timingSafeEqual } from 'node:crypto';
import { type Answer, isUnixName } from '@postern/shared';
import { findTeam, isPersonsUnixName, lockAdministration } from '../directory/index.ts';
import { type Caller, eventBy, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import {
  CREDENTIAL_PROBLEMS,
  type Credential,
  type Keyring,
  open,
  type ParsedCredential,
  parseCredential,
  type SealContext,
  type Secret,
  seal,
} from '../vault/index.ts';
import { findServer } from './service-find.ts';
import type { InventoryHooks } from './service-hooks.ts';
import type { AccountRecord, ServerRecord } from './store.ts';
import {
  findAccount,
  insertAccount,
  insertSecret,
  markAccountDeleted,
  newestSecret,
  setAccountCredential,
} from './store-accounts.ts';

type Account = Answer<'setCredential'>;

/** Creates the account, or seals a new version of its credential for the server as it is now. */
export async function setCredential(
  tx: Tx,
  caller: Caller,
  keyring: Keyring,
  at: { readonly server_id: string; readonly username: string },
  credential: Credential,
): Promise<Account> {
  using parsed = readCredential(credential, '/credential');
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [at.server_id]);
  const server = await findServer(tx, at.server_id);
  await putCredential(tx, caller, keyring, server, at.username, parsed.value);
  const account = await findAccount(tx.sql, server.id, at.username);
  if (account === undefined) throw new Error('the account is there: it was just sealed');
  return { ...account, usable: true };
}

/** A credential that is wiped when its scope ends. */
export function readCredential(
  credential: Credential,
  pointer: string,
): Disposable & { readonly value: ParsedCredential } {
  const parsed = parseCredential(credential);
  if (!parsed.ok) {
    const { detail, next } = CREDENTIAL_PROBLEMS[parsed.reason];
    const errors = [{ pointer: `${pointer}/${credential.type}`, code: parsed.reason, detail }];
    throw new Refusal('invalid_request', detail, { next, errors });
  }
  const { value } = parsed;
  return { value, [Symbol.dispose]: () => value.secret.wipe() };
}

/**
 * @returns what changed, a line each: nothing when the same credential is sealed for the
 * server as it is. The administration lock is held and the server's revision bumped.
 */
export async function putCredential(
  tx: Tx,
  caller: Caller,
  keyring: Keyring,
  server: ServerRecord,
  username: string,
  credential: ParsedCredential,
): Promise<string[]> {
  checkUsername(username);
  const found = await findAccount(tx.sql, server.id, username);
  const account = found ?? (await createAccount(tx, caller, server, username, credential.type));
  const newest = found && (await newestSecret(tx.sql, found.id));
  const team = await findTeam(tx.sql);
  if (team === undefined) throw new Error('there is no team');
  const context = (version: number, revision: number): SealContext => ({
    purpose: 'account_secret',
    team: team.id,
    account_id: account.id,
    server_identity_revision: revision,
    version,
  });
  if (newest?.server_identity_revision === server.identity_revision) {
    const present = open(
      keyring,
      context(newest.version, newest.server_identity_revision),
      newest.sealed,
    );
    if (present.ok && isSame(present.secret, credential.secret)) return [];
  }
  const version = (newest?.version ?? 0) + 1;
  const sealedFor = context(version, server.identity_revision);
  await insertSecret(tx.sql, {
    account_id: account.id,
    version,
    server_identity_revision: server.identity_revision,
    sealed: json(seal(keyring, sealedFor, credential.secret, tx.ids.random)),
    created_at: tx.now,
  });
  if (found !== undefined) {
    await setAccountCredential(tx.sql, account.id, credential.type);
    await tx.audit(
      eventBy(
        caller,
        'pam.server_account.update',
        [refTo('server_account', { id: account.id, name: username }), refTo('server', server)],
        { credential_type: credential.type, version },
      ),
    );
  }
  await tx.signal({ kind: 'server', id: server.id });
  return [
    ...(found === undefined ? [`account added: ${username}`] : []),
    `credential of ${username}: a new ${credential.type.replace('_', ' ')} is sealed`,
  ];
}

/** Ends the secret that was opened, too. */
function isSame(present: Secret, given: Secret): boolean {
  using opened = present;
  const [a, b] = [opened.expose(), given.expose()];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A vaulted account is nobody's own: whoever had its name would log in as it, and it as him. */
export async function createAccount(
  tx: Tx,
  caller: Caller,
  server: { readonly id: string; readonly name: string },
  username: string,
  credential: AccountRecord['credential'],
): Promise<{ readonly id: string; readonly username: string }> {
  checkUsername(username);
  if (await isPersonsUnixName(tx.sql, username))
    refuseUsername('state_conflict', 'is, or was, the name of a person’s own account');
  const account = { id: tx.ids.uuid(), username };
  await insertAccount(tx.sql, { ...account, server_id: server.id, credential, created_at: tx.now });
  await tx.audit(
    eventBy(
      caller,
      'pam.server_account.create',
      [refTo('server_account', { id: account.id, name: username }), refTo('server', server)],
      { credential_type: credential },
    ),
  );
  await tx.signal({ kind: 'server', id: server.id });
  return account;
}

function checkUsername(username: string): void {
  if (!isUnixName(username)) refuseUsername('invalid_request', 'is not usable as a login');
}

function refuseUsername(code: 'invalid_request' | 'state_conflict', detail: string): never {
  throw new Refusal(code, `The username ${detail}.`, {
    errors: [{ pointer: '/username', code: 'username', detail }],
  });
}

export async function deleteAccount(
  tx: Tx,
  caller: Caller,
  hooks: InventoryHooks,
  at: { readonly server_id: string; readonly username: string },
): Promise<void> {
  await bumpRevisions(tx.sql, [at.server_id]);
  const server = await findServer(tx, at.server_id);
  const account = server.accounts.find(({ username }) => username === at.username);
  if (account === undefined) throw new Refusal('not_found', 'There is no such account.');
  await removeAccount(tx, caller, hooks, server, account);
  await tx.signal({ kind: 'server', id: server.id });
}

/** The server's revision is bumped already. */
export async function removeAccount(
  tx: Tx,
  caller: Caller,
  hooks: InventoryHooks,
  server: ServerRecord,
  account: AccountRecord,
): Promise<void> {
  await markAccountDeleted(tx.sql, account.id, tx.now);
  await tx.audit(
    eventBy(caller, 'pam.server_account.remove', [
      refTo('server_account', { id: account.id, name: account.username }),
      refTo('server', server),
    ]),
  );
  await hooks.accountRemoved(tx, account.id, caller);
}
