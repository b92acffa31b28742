import type { AccessMethod, AccessRequest, Answer, Session } from '@postern/shared';
import type { Person } from '../world/people.ts';
import { restOf } from '../world/rest.ts';
import { connectSsh, execSsh, type OpenedByRest, openByRest } from '../world/ssh-session.ts';
import { answered, Broken, call, insist, read, type Site } from './site.ts';

/** What is done in one loop. */
export interface Plan {
  readonly decide: 'approve' | 'deny' | 'approve twice at once' | 'approve against deny';
  readonly end: 'keep' | 'drop' | 'revoke';
}

/** One engineer's request, decision, connection and end, whatever is killed meanwhile. */
export async function walk(site: Site, engineer: Person, plan: Plan): Promise<void> {
  const resolved = await call<Answer<'resolve'>>(site, engineer, 'POST', '/resolve', {
    body: { names: ['opa-demo-linux'] },
  });
  const method = resolved.body.user_access_methods.find((m) => m.identity === 'pamadmin1');
  if (method === undefined) throw new Broken('the engineer has no method any more');
  await isRefused(site, engineer, method);
  const { body: raised } = await call<AccessRequest>(site, engineer, 'POST', '/access_requests', {
    body: newRequest(method),
  });
  site.journal.saw(raised);
  const decided = await decide(site, raised.id, plan.decide);
  if (decided.state === 'denied') return isRefused(site, engineer, method);
  if (decided.state !== 'approved') throw new Broken(`the request is ${decided.state}`);
  const session = await connect(site, engineer, method, raised.id);
  await isSpent(session);
  if (plan.end === 'keep') return;
  await end(site, engineer, raised.id, plan.end);
  await isRefused(site, engineer, method);
}

function newRequest(method: AccessMethod) {
  const condition = method.conditionals.find((c) => c.type === 'access_request');
  if (condition?.type !== 'access_request') throw new Broken('the method asks for no approval');
  return {
    request_type_id: condition.request_type.id,
    target: {
      type: 'server_access',
      server_id: method.server_id,
      identity: method.identity,
      access_credential: method.access_credential,
    },
    answers: { justification: 'rotate the logs' },
  };
}

/** Votes until the request is decided. Of votes for one and the same card, one may count. */
async function decide(site: Site, id: string, how: Plan['decide']): Promise<AccessRequest> {
  const { dana, ana } = site.people;
  const yes = [dana, 'approve'] as const;
  const votes = {
    approve: [yes],
    deny: [[dana, 'deny'] as const],
    'approve twice at once': [yes, yes],
    'approve against deny': [yes, [ana, 'deny'] as const],
  }[how];
  for (;;) {
    const request = await read(site, dana, id);
    if (request.state !== 'pending') return request;
    const cast = await Promise.allSettled(
      votes.map(async ([by, decision]) => {
        site.beat();
        const reply = await restOf(site.service(), by.token)<AccessRequest>(
          'POST',
          `/access_requests/${id}/decisions`,
          {
            body: { decision, step: 0, comment: 'as agreed' },
            headers: { 'if-match': `"${request.etag}"` },
          },
        );
        return answered(reply, [200, 409, 412]);
      }),
    );
    for (const vote of cast)
      if (vote.status === 'rejected' && vote.reason instanceof Broken) throw vote.reason;
    const counted = cast.flatMap((vote) =>
      vote.status === 'fulfilled' && vote.value.status === 200 ? [vote.value.body] : [],
    );
    if (counted.length > 1) throw new Broken(`request ${id} was decided twice`);
    for (const answer of counted) site.journal.saw(answer);
    await site.up();
  }
}

const LOGIN_MS = 20_000;
const PATIENCE_MS = 90_000;

/** Opens sessions until a command has run in one: a session whose login was cut off is lost. */
async function connect(
  site: Site,
  engineer: Person,
  method: AccessMethod,
  requestId: string,
): Promise<OpenedByRest> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const opened = await insist(site, 'POST /sessions', async () => {
      const made = await openByRest(site.service(), engineer, method);
      answered(made.reply, [201]);
      return made;
    });
    const { session } = opened.reply.body;
    if (session.request_id !== requestId) throw new Broken('opened by another approval');
    site.journal.opened.set(session.id, session);
    site.beat();
    try {
      await inTime(runOnce(opened, session, site.witness));
      site.journal.ran.add(session.id);
      return opened;
    } catch (error) {
      if (Date.now() > end) throw new Broken(`no session was admitted in time, last: ${error}`);
    }
    await new Promise((done) => setTimeout(done, 300));
    await site.up();
  }
}

async function runOnce(opened: OpenedByRest, session: Session, witness: string): Promise<void> {
  const client = await connectSsh(opened);
  try {
    const ran = await execSsh(client, `echo ${session.id} >> ${witness} && echo done`);
    if (ran.code !== 0 || ran.stdout.toString() !== 'done\n')
      throw new Error(`the command ended with ${ran.code}: ${ran.stderr}`);
  } finally {
    client.end();
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('the login hangs')), LOGIN_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A session is admitted once: its key opens nothing a second time. */
async function isSpent(opened: OpenedByRest): Promise<void> {
  const client = await connectSsh(opened).catch(() => undefined);
  if (client === undefined) return;
  client.end();
  throw new Broken(`session ${opened.reply.body.session.id} was admitted twice`);
}

/** Without an approval in force no session is opened. */
async function isRefused(site: Site, engineer: Person, method: AccessMethod): Promise<void> {
  await insist(site, 'POST /sessions', async () => {
    const { reply } = await openByRest(site.service(), engineer, method);
    answered(reply, [403]);
  });
}

async function end(
  site: Site,
  engineer: Person,
  id: string,
  how: 'drop' | 'revoke',
): Promise<void> {
  const by = how === 'drop' ? engineer : site.people.dana;
  const reply = await call<AccessRequest>(site, by, 'POST', `/access_requests/${id}/${how}`, {
    ...(how === 'revoke' ? { body: { reason: 'no longer needed' } } : {}),
    // 409: it was ended by an earlier try whose answer never came.
    expected: [200, 409],
  });
  if (reply.status === 200) site.journal.saw(reply.body);
  const request = await read(site, engineer, id);
  const wanted = how === 'drop' ? 'ended' : 'revoked';
  if (request.state !== wanted) throw new Broken(`${how}: the request is ${request.state}`);
}
