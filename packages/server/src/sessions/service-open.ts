import { createHash } from 'node:crypto';
import type { OpenedSession, OpenSession } from '@postern/shared';
import { parsePublicKey, plus, seconds, verifySessionProof } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { useProofFor } from '../mfa/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import {
  approvalUsed,
  bestAllowed,
  type Evaluation,
  evaluateFresh,
  isRecorded,
  isWanted,
  proofUsed,
} from '../policy/index.ts';
import { ADMISSION_TIME, LEASE_TIME, NONCE_LIFE, sessionEnd } from './model.ts';
import { sessionTargets } from './service-cut.ts';
import { describeSession } from './service-view.ts';
import type { SessionWorld } from './service-world.ts';
import {
  hasEnded,
  insertNonce,
  insertSession,
  keyWasUsed,
  liveGateway,
  lockApproval,
  takeNonce,
  targetOf,
} from './store.ts';

export async function makeNonce(tx: Tx, caller: Caller) {
  const nonce = tx.ids.random(32).toString('base64url');
  await insertNonce(tx.sql, {
    nonce,
    user_id: caller.user_id,
    expires_at: plus(tx.now, NONCE_LIFE),
  });
  return { nonce, user_id: caller.user_id, expires_in_seconds: NONCE_LIFE };
}

const badProof = () =>
  new Refusal('invalid_request', 'The proof does not show that you hold this fresh key.', {
    next: 'Make a new Ed25519 key, ask for a new nonce, and sign again.',
  });

const usedKey = () =>
  new Refusal('invalid_request', 'This key has served a session before.', {
    next: 'Make a new key for each session.',
  });

/**
 * Opens a session for a fresh key whose holder signed for exactly this. It opens nothing
 * yet: the gateway must have it admitted within 60 s, and everything is evaluated again.
 */
export async function openSession(
  tx: Tx,
  world: SessionWorld,
  caller: Caller,
  input: OpenSession,
  clientAddress: string,
): Promise<OpenedSession> {
  world.clock.assertSafe();
  const publicKey = await provenKey(tx, world, caller, input);
  await lockDeciding(tx.sql, [caller.user_id, input.server_id]);
  const evaluation = await evaluateFresh(tx, {
    user_id: caller.user_id,
    server_id: input.server_id,
    client_address: clientAddress,
    login: { token_id: caller.token_id, session_id: null },
    binding: caller.binding,
  });
  const method = bestAllowed(evaluation?.methods ?? [], input);
  if (evaluation === undefined || method === undefined) throw whyNot(evaluation, input);
  const used = approvalUsed(method);
  if (used !== null) await refuseEnded(tx, used.request_id);
  if (method.access_credential.type === 'principal_account')
    throw new Refusal(
      'unavailable',
      'Principal accounts need SSH certificates, which this service does not sign yet.',
      {
        next: 'Pick a vaulted account.',
      },
    );
  const target = await targetOf(tx.sql, input.server_id);
  if (target === undefined || target.host_keys.length === 0)
    throw new Refusal('host_key_mismatch', 'No host key of the server is pinned.', {
      next: `An administrator pins it: sft-admin servers trust ${evaluation.server.hostname}`,
    });
  const gateway = await liveGateway(tx.sql, plus(tx.now, seconds(-LEASE_TIME)));
  if (gateway === undefined)
    throw new Refusal('unavailable', 'No gateway is running.', {
      next: 'An operator starts one: posternd serve, or posternd gateway',
    });
  const row = await insertSession(tx.sql, {
    id: tx.ids.uuid(),
    state: 'opening',
    user_id: caller.user_id,
    token_id: caller.token_id,
    server_id: input.server_id,
    server_identity_revision: evaluation.server.identity_revision,
    identity: method.identity,
    credential_type: method.access_credential.type,
    account_id: method.access_credential.account_id,
    privilege: method.privilege,
    admin_level: false,
    channels: json(method.channels),
    recorded: isRecorded(method),
    rule_ids: json(method.rule_ids),
    request_id: used?.request_id ?? null,
    gateway_id: gateway.id,
    public_key: publicKey,
    client_address: clientAddress,
    opened_at: tx.now,
    admit_before: plus(tx.now, ADMISSION_TIME),
    expires_at: sessionEnd(tx.now, method.session_until, world.longestSession),
  });
  if (row === undefined) throw usedKey();
  const proof = proofUsed(method);
  // Its row is locked by this: of two opens at once one finds it used, and opens nothing.
  if (proof !== null) await useProofFor(tx, proof, row);
  await tx.audit({
    type: 'pam.session.open',
    actor: userRef(caller),
    targets: await sessionTargets(tx, row),
    outcome: SUCCESS,
    request_id: row.request_id,
    rule_ids: row.rule_ids,
    session_id: row.id,
    client_address: clientAddress,
    details: {
      public_key_sha256: createHash('sha256').update(publicKey).digest('hex'),
      ...(proof === null ? {} : { mfa_proof_id: proof.id }),
    },
  });
  // Its gateway reaches the target meanwhile.
  await tx.signal({ kind: 'session', id: row.id });
  return {
    session: await describeSession(tx, row),
    gateway: {
      host: gateway.host,
      port: gateway.port,
      username: row.id,
      host_keys: gateway.host_keys,
    },
  };
}

/** The key in canonical form, once its holder has shown that he meant exactly this. */
async function provenKey(
  tx: Tx,
  world: SessionWorld,
  caller: Caller,
  input: OpenSession,
): Promise<string> {
  const key = parsePublicKey(input.public_key);
  if (!key.ok || key.value.type !== 'ssh-ed25519')
    throw new Refusal('invalid_request', 'The session key must be a plain Ed25519 public key.', {
      errors: [
        { pointer: '/public_key', code: 'invalid_key', detail: 'One line: ssh-ed25519 AAAA…' },
      ],
    });
  if (!(await takeNonce(tx.sql, input.nonce, caller.user_id, tx.now))) throw badProof();
  const proven = verifySessionProof(
    {
      team: world.team,
      user_id: caller.user_id,
      server_id: input.server_id,
      identity: input.identity,
      access_credential: input.access_credential,
      nonce: input.nonce,
      public_key: key.value.line,
    },
    input.proof,
  );
  if (!proven.ok) throw badProof();
  if (await keyWasUsed(tx.sql, key.value.line)) throw usedKey();
  return key.value.line;
}

/** A revocation that came after the evaluation's read waits for us, or is seen here. */
export async function refuseEnded(tx: Tx, requestId: string): Promise<void> {
  const approval = await lockApproval(tx.sql, requestId);
  if (!hasEnded(approval)) return;
  throw new Refusal('approval_required', 'The approval has ended.', {
    next: 'Request access again: sft ssh <host>',
  });
}

function whyNot(evaluation: Evaluation | undefined, input: OpenSession): Refusal {
  const wanted = (evaluation?.methods ?? []).filter((method) => isWanted(method, input));
  if (wanted.length === 0)
    return new Refusal('not_found', 'There is no such server, or no access to it.', {
      next: 'See what you can reach: sft list-servers',
    });
  if (wanted.every((m) => m.resource_status === 'unavailable'))
    return new Refusal('unavailable', 'The credential of this account is not available.', {
      next: 'An administrator enters it again: sft-admin accounts set',
    });
  const unmet = wanted[0]!.conditionals.filter((c) => !c.condition_is_met);
  if (unmet.some((c) => c.type === 'access_request'))
    return new Refusal(
      'approval_required',
      `Needed first: ${unmet.map((c) => c.description).join('; ')}.`,
      {
        next: 'Raise a request: sft ssh <host>',
      },
    );
  const mfa = unmet.find((c) => c.type === 'mfa');
  if (mfa?.type === 'mfa')
    return new Refusal(
      'mfa_required',
      `Needed first: ${unmet.map((c) => c.description).join('; ')}.`,
      {
        next: 'Connect in a terminal, which asks for it: sft ssh <host>',
        acr_values: mfa.acr_values,
      },
    );
  return new Refusal('not_permitted', `Not now: ${unmet.map((c) => c.description).join('; ')}.`);
}
