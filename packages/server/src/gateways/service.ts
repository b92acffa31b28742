import { createHash } from 'node:crypto';
import {
  type Answer,
  type Body,
  type IncomingHeaders,
  parsePublicKey,
  parseSignature,
  plus,
  printable,
  SIGNATURE_NONCE_LIFE,
  seconds,
  toRfc3339,
  verifyRequest,
} from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, SYSTEM, userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { cutSessions, type GatewayCaller } from '../sessions/index.ts';
import {
  childRows,
  disableRow,
  findGateway,
  forgetNonces,
  type GatewayRow,
  insertCode,
  insertGateway,
  listGatewayRows,
  lockGateway,
  rememberNonce,
  takeCode,
} from './store.ts';

const CODE_LIFE = seconds(15 * 60);

type View = Answer<'disableGateway'>;
const describe = (row: GatewayRow): View => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  state: row.state,
  host: row.host,
  port: row.port,
  host_keys: row.host_keys,
  enrolled_at: toRfc3339(row.enrolled_at),
  last_lease_at: row.last_lease_at === null ? null : toRfc3339(row.last_lease_at),
});

const ref = (row: Pick<GatewayRow, 'id' | 'name'>): EventReference => ({
  type: 'gateway',
  id: row.id,
  name: row.name,
});

export const listGateways = async (tx: Tx): Promise<View[]> =>
  (await listGatewayRows(tx.sql)).map(describe);

const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex');

export async function createCode(tx: Tx, caller: Caller, name: string) {
  const code = `pgc_${tx.ids.random(32).toString('base64url')}`;
  await insertCode(tx.sql, {
    hash: hashOf(code),
    name,
    created_by: caller.user_id,
    expires_at: plus(tx.now, CODE_LIFE),
  });
  await tx.audit({
    type: 'pam.gateway.code.create',
    actor: userRef(caller),
    targets: [{ type: 'gateway', id: null, name }],
    outcome: SUCCESS,
  });
  return { code, expires_in_seconds: CODE_LIFE };
}

/** Disabling cuts its sessions at once and refuses its calls from now on. */
export async function disableGateway(
  tx: Tx,
  actor: EventReference,
  id: string,
  why: 'gateway_disabled' | 'gateway_stopped' = 'gateway_disabled',
): Promise<View> {
  const row = await disableRow(tx.sql, id);
  if (row === undefined) throw new Refusal('not_found', 'There is no such gateway.');
  await cutSessions(tx, { gateway_id: id }, why);
  await tx.audit({ type: 'pam.gateway.disable', actor, targets: [ref(row)], outcome: SUCCESS });
  await tx.signal({ kind: 'gateway', id });
  return describe(row);
}

/** @throws Refusal `not_permitted` for a code that is wrong, used or too old */
export async function enrolWithCode(tx: Tx, input: Body<'enrollGateway'>): Promise<GatewayRow> {
  const code = await takeCode(tx.sql, hashOf(input.code), tx.now);
  if (code === undefined)
    throw new Refusal('not_permitted', 'The code is wrong, was used, or is too old.', {
      next: 'Make a new one: sft-admin gateways enroll-code',
    });
  return enrol(tx, { ...input, kind: 'enrolled', name: printable(code.name) });
}

/** A child's keys die with it, and so do its connections. */
export const childEnded = (tx: Tx, id: string): Promise<View> =>
  disableGateway(tx, SYSTEM, id, 'gateway_stopped');

/** The child of this service: the one of an earlier start is disabled first. */
export async function enrolChild(
  tx: Tx,
  child: {
    name: string;
    public_key: string;
    host_keys: readonly string[];
    host: string;
    port: number;
  },
): Promise<GatewayRow> {
  for (const old of await childRows(tx.sql, child.name)) await childEnded(tx, old.id);
  return enrol(tx, { ...child, kind: 'child' });
}

async function enrol(
  tx: Tx,
  input: {
    name: string;
    kind: GatewayRow['kind'];
    public_key: string;
    host_keys: readonly string[];
    host: string;
    port: number;
  },
): Promise<GatewayRow> {
  const lines = [input.public_key, ...input.host_keys].map((line) => {
    const key = parsePublicKey(line);
    if (!key.ok) throw new Refusal('invalid_request', 'A key is not a plain OpenSSH public key.');
    return key.value;
  });
  const [own, ...hostKeys] = lines;
  if (own?.type !== 'ssh-ed25519')
    throw new Refusal('invalid_request', 'A gateway signs with an Ed25519 key.');
  const row = await insertGateway(tx.sql, {
    id: tx.ids.uuid(),
    name: input.name,
    kind: input.kind,
    state: 'ACTIVE',
    public_key: own.line,
    host_keys: json(hostKeys.map((key) => key.line)),
    host: input.host,
    port: input.port,
    enrolled_at: tx.now,
  });
  if (row === undefined)
    throw new Refusal('state_conflict', 'A gateway with this key is enrolled already.');
  await tx.audit({
    type: 'pam.gateway.enroll',
    actor: SYSTEM,
    targets: [ref(row)],
    outcome: SUCCESS,
    details: { kind: row.kind, host: row.host, port: row.port },
  });
  return row;
}

export interface SignedCall {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHeaders;
  readonly body: Uint8Array;
}

const notAGateway = () =>
  new Refusal('unauthenticated', 'The call is not signed by an enrolled gateway.', {
    next: 'Enrol the gateway: posternd gateway --code CODE',
  });

/**
 * Who signed the call (RFC 9421), each signature once. In a transaction of its own, so that
 * the nonce stays used whatever becomes of the call.
 */
export async function authenticateGateway(tx: Tx, call: SignedCall): Promise<GatewayCaller> {
  const parsed = parseSignature(call.headers);
  if (!parsed.ok || !UUID.test(parsed.value.keyid)) throw notAGateway();
  const row = await findGateway(tx.sql, parsed.value.keyid);
  if (row?.state !== 'ACTIVE') throw notAGateway();
  const key = parsePublicKey(row.public_key);
  if (!key.ok) throw notAGateway();
  const { key: keyObject } = key.value;
  const verified = verifyRequest({ ...call, keyid: row.id, key: keyObject, now: tx.now });
  if (!verified.ok) throw notAGateway();
  if (!(await rememberNonce(tx.sql, row.id, verified.value.nonce, tx.now))) throw notAGateway();
  await forgetNonces(tx.sql, plus(tx.now, seconds(-SIGNATURE_NONCE_LIFE)));
  return { gateway_id: row.id, name: row.name };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Still enrolled, read in the transaction that acts. */
export async function requireActive(tx: Tx, gateway: GatewayCaller): Promise<void> {
  if ((await findGateway(tx.sql, gateway.gateway_id))?.state !== 'ACTIVE') throw notAGateway();
}

/** As {@link requireActive}, for what gives something out: disabling waits for it, or has happened. */
export async function lockActive(tx: Tx, gateway: GatewayCaller): Promise<void> {
  if ((await lockGateway(tx.sql, gateway.gateway_id))?.state !== 'ACTIVE') throw notAGateway();
}
