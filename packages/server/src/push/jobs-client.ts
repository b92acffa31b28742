import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { PRIVATE, pinned, type Resolve } from '../notifications/index.ts';
import { isPublicAddress } from '../platform/networks.ts';
import type { Outcome, PushSettings, Told } from './model.ts';

const WHOLE_MS = 10_000;
const MAX_ANSWER = 1024 * 1024;
const MAX_HEADERS = 16_384;
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

interface Target {
  readonly url: string;
  readonly token: string;
}

export type Tell = (target: Target, told: Told, signal: AbortSignal) => Promise<Outcome>;

/** Tells a target by SCIM 2.0: finds its group and its user by name, and patches the one with the other. */
export function createTell(settings: PushSettings, resolve: Resolve = systemLookup): Tell {
  return async (target, told, signal) => {
    try {
      return await tell((call) => send(target, call, { settings, resolve, signal }), told);
    } catch (error) {
      if (error instanceof Unusable) return failed(error.message, error.permanent, error.forget);
      return failed(reasonOf((error as { code?: unknown }).code));
    }
  };
}

interface Call {
  readonly method: 'GET' | 'PATCH';
  readonly path: string;
  readonly body?: object;
}
interface Answer {
  readonly status: number;
  readonly text: string;
}
type Send = (call: Call) => Promise<Answer>;

class Unusable extends Error {
  readonly permanent: boolean;
  readonly forget: boolean;

  constructor(message: string, { permanent = false, forget = false } = {}) {
    super(message);
    this.permanent = permanent;
    this.forget = forget;
  }
}

const failed = (error: string, permanent = false, forget = false): Outcome => ({
  result: 'failed',
  error,
  permanent,
  forget,
});

async function tell(send: Send, told: Told): Promise<Outcome> {
  const { operation, group, login } = told;
  const remote_group = told.remote_group ?? (await find(send, 'Groups', 'displayName', group));
  if (remote_group === null) throw new Unusable(`the target has no group ${group}`);
  const remote_user = told.remote_user ?? (await find(send, 'Users', 'userName', login));
  // Whom it does not know is in none of its groups.
  if (remote_user === null && operation === 'remove')
    return { result: 'told', remote_group, remote_user };
  if (remote_user === null) throw new Unusable(`the target has no user ${login}`);
  const change =
    operation === 'add'
      ? { op: 'add', path: 'members', value: [{ value: remote_user }] }
      : { op: 'remove', path: `members[value eq ${JSON.stringify(remote_user)}]` };
  const { status } = await send({
    method: 'PATCH',
    path: `/Groups/${encodeURIComponent(remote_group)}`,
    body: { schemas: [PATCH_OP], Operations: [change] },
  });
  if (status === 404) throw new Unusable('the target answered 404', { forget: true });
  refuseUnlessGood(status);
  return { result: 'told', remote_group, remote_user };
}

/** Exactly one of that name; null: none. */
async function find(
  send: Send,
  resource: 'Users' | 'Groups',
  attribute: string,
  name: string,
): Promise<string | null> {
  const query = new URLSearchParams({
    filter: `${attribute} eq ${JSON.stringify(name)}`,
    ...(resource === 'Groups' ? { excludedAttributes: 'members' } : {}),
  });
  const { status, text } = await send({ method: 'GET', path: `/${resource}?${query}` });
  refuseUnlessGood(status);
  const list = resourcesOf(text);
  if (list.length === 0) return null;
  if (list.length > 1) throw new Unusable(`the target has ${list.length} of the name ${name}`);
  const { id } = (list[0] ?? {}) as { id?: unknown };
  if (typeof id !== 'string' || id === '' || id.length > 500 || /^\.{1,2}$/.test(id))
    throw new Unusable('the target answered without an id');
  return id;
}

function resourcesOf(text: string): unknown[] {
  try {
    const { Resources = [] } = JSON.parse(text) as { Resources?: unknown };
    if (Array.isArray(Resources)) return Resources;
  } catch {}
  throw new Unusable('the target did not answer a list of SCIM');
}

/** It says of this call that it is no good; the same one will not be better later. */
const REFUSES = new Set([400, 405, 410, 413, 415, 422, 501]);

function refuseUnlessGood(status: number): void {
  if (status >= 200 && status < 300) return;
  const redirect = status >= 300 && status < 400 ? '; a redirect is not followed' : '';
  throw new Unusable(`the target answered ${status}${redirect}`, {
    permanent: REFUSES.has(status),
  });
}

interface World {
  readonly settings: PushSettings;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
}

/** As webhooks are sent: an address is looked up once and checked, and nothing is followed. */
async function send(target: Target, { method, path, body }: Call, world: World): Promise<Answer> {
  const url = new URL(target.url + path);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const allowed = world.settings.private_hosts.includes(url.hostname);
  if (url.protocol !== 'https:' && !allowed) throw new Unusable('the target is not https');
  // An address in the URL itself is never looked up.
  if (isIP(host) !== 0 && !allowed && !isPublicAddress(host)) throw coded(PRIVATE);
  const payload = body === undefined ? '' : JSON.stringify(body);
  const { request: open } = url.protocol === 'https:' ? https : http;
  return await new Promise((answered, fail) => {
    const request = open(url, {
      method,
      headers: {
        accept: 'application/scim+json',
        authorization: `Bearer ${target.token}`,
        'user-agent': 'Postern',
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/scim+json',
              'content-length': Buffer.byteLength(payload),
            }),
      },
      lookup: pinned(world.resolve, allowed),
      agent: false,
      maxHeaderSize: MAX_HEADERS,
      signal: world.signal,
    });
    const late = setTimeout(() => request.destroy(coded('ETIMEDOUT')), WHOLE_MS);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) request.destroy(coded('EMSGSIZE'));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        answered({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('close', () => {
      clearTimeout(late);
      fail(coded('ECONNRESET'));
    });
    request.end(payload);
  });
}

const coded = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

function reasonOf(code: unknown): string {
  if (code === PRIVATE) return 'the target’s address is private; scim.private_hosts permits that';
  if (code === 'ETIMEDOUT') return 'the target did not answer within 10 s';
  const why = typeof code === 'string' && /^[A-Z_0-9]{1,60}$/.test(code) ? code : 'no reason given';
  return `the target could not be reached (${why})`;
}
