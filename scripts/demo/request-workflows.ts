import { join } from 'node:path';
import type { AccessRequest, Answer, Problem } from '@postern/shared';
import { ROOT } from '../../e2e/world/run.ts';
import { during, heading, remark } from './screen.ts';
import { call, ended, type } from './typist.ts';
import type { DemoWorld } from './world.ts';

const HOST = 'opa-demo-linux';

/** Everything between "raised" and "decided": steps, people, time. */
export async function workflows(world: DemoWorld): Promise<void> {
  await types(world);
  await nobodyCould(world);
  await severalSteps(world);
  await standInAndDenial(world);
  await escalationAndExtension(world);
}

async function types(world: DemoWorld): Promise<void> {
  heading('Sam writes two request types and the policy that uses them');
  await type(world, 'sam', 'sft-admin', ['apply', '-f', join(ROOT, 'examples/request-workflows')]);
  await type(world, 'sam', 'sft-admin', ['request-types', 'list']);
  await type(world, 'sam', 'sft-admin', ['request-types', 'show', 'Change approval']);
}

async function nobodyCould(world: DemoWorld): Promise<void> {
  heading('A requester whom nobody could approve: Dana has no manager');
  await type(world, 'pat', 'sft-admin', ['groups', 'add', 'linux-users', 'dana']);
  await type(world, 'sam', 'sft-admin', ['request-types', 'lint']);
  await type(world, 'dana', 'sft', raising('pamadmin1', 'try', 'standard'), 77);
  await type(world, 'pat', 'sft-admin', ['groups', 'remove', 'linux-users', 'dana']);
}

async function severalSteps(world: DemoWorld): Promise<void> {
  heading('Manager, then two of linux-approvers and the owner');
  const id = idIn(
    await type(world, 'ellis', 'sft', raising('pamadmin1', 'new logrotate', 'standard')),
  );
  await type(world, 'dana', 'sft-admin', ['requests', 'show', id]);
  await type(world, 'dana', 'sft-admin', ['approve', id, '--reason', 'planned']);
  remark('Dana counts in the first step only; the second needs three other people.');
  await type(world, 'ana', 'sft-admin', ['approve', id]);
  await type(world, 'ana', 'sft-admin', ['approve', id], 77);
  await type(world, 'sam', 'sft-admin', ['approve', id, '--reason', 'my servers']);
  await type(world, 'bo', 'sft-admin', ['approve', id]);
  await type(world, 'ellis', 'sft', [
    'ssh',
    HOST,
    '--account',
    'pamadmin1',
    '--',
    'echo "I am $LOGNAME"',
  ]);
  await type(world, 'ellis', 'sft', ['request', 'show', id]);
  await type(world, 'ellis', 'sft', ['drop', id]);
}

async function standInAndDenial(world: DemoWorld): Promise<void> {
  heading('The same by REST: Pat stands in for Dana; then Ana denies, and that ends it');
  await type(world, 'dana', 'sft-admin', [
    'delegate',
    '--to',
    'pat',
    '--until',
    '8h',
    '--reason',
    'on leave',
  ]);
  const evaluated = await call<Answer<'resolve'>>(world, 'ellis', 'POST', '/resolve', {
    body: { names: [HOST] },
    expected: 200,
    shown: ({ user_access_methods: list }) =>
      list.map(({ identity, allowed }) => ({ identity, allowed })),
  });
  const wish = bodyFor(evaluated, 'pamadmin1');
  const raised = await call<AccessRequest>(world, 'ellis', 'POST', '/access_requests', {
    body: wish,
    expected: 201,
    shown: brief,
  });
  const path = `/access_requests/${raised.id}`;
  const refused = await call<Problem>(world, 'pat', 'POST', `${path}/decisions`, {
    body: { decision: 'approve', step: 0 },
    etag: raised.etag,
    expected: 403,
    shown: ({ code, next }) => ({ code, next }),
  });
  remark(`The service says for whom Pat could: ${refused.next}`);
  await type(world, 'pat', 'sft-admin', ['approve', raised.id, '--for', 'dana']);
  const now = await call<AccessRequest>(world, 'ana', 'GET', path, { expected: 200, shown: brief });
  await call<AccessRequest>(world, 'ana', 'POST', `${path}/decisions`, {
    body: { decision: 'deny', step: 1, comment: 'not on a Friday' },
    etag: now.etag,
    expected: 200,
    shown: brief,
  });
  await call<Problem>(world, 'ellis', 'POST', '/access_requests', {
    body: wish,
    expected: 409,
    shown: ({ code, detail, next }) => ({ code, detail, next }),
  });
  await type(world, 'uma', 'sft-admin', ['requests', 'show', raised.id]);
}

async function escalationAndExtension(world: DemoWorld): Promise<void> {
  heading('A session runs on 90 seconds; more time is asked for, and nobody on call answers');
  const first = idIn(await type(world, 'ellis', 'sft', raising('pamadmin2', 'disk fills up')));
  await type(world, 'bo', 'sft-admin', ['approve', first]);
  // For 105 seconds: longer than the first approval.
  const watch = [
    'ssh',
    HOST,
    '--account',
    'pamadmin2',
    '--',
    'for i in 1 2 3 4 5 6 7; do echo "watching, $i"; sleep 15; done',
  ];
  const session = world.people.ellis.start('sft', watch, { input: '' });
  await session.until('watching, 1');
  const second = idIn(await type(world, 'ellis', 'sft', raising('pamadmin2', 'not done yet')));
  await during('Waiting for the step to time out (a minute)', untilEscalated(world, second));
  remark('The minute is over: the security team may answer as well.');
  await type(world, 'sam', 'sft-admin', ['requests', 'list']);
  await type(world, 'sam', 'sft-admin', ['approve', second, '--reason', 'go on']);
  remark('The session that runs has 90 seconds more; it was not cut.');
  await during('The session goes on beyond its first end', session.ended);
  await ended('ellis', 'sft', watch, session);
  await type(world, 'uma', 'sft-admin', ['log', 'search', '--request', second]);
  await type(world, 'ellis', 'sft', ['request', 'show', second]);
}

const raising = (account: string, reason: string, change?: string): string[] => [
  ...['request', 'create', HOST, '--account', account, '--reason', reason],
  ...(change === undefined ? [] : ['--answer', `change=${change}`]),
];

function idIn(text: string): string {
  const id = /Request ([0-9a-f-]{36})/.exec(text)?.[1];
  if (id === undefined) throw new Error('the client printed no request id');
  return id;
}

const brief = ({ id, state, steps, decisions }: AccessRequest) => ({
  id,
  state,
  steps: steps.map((step) => `${step.name}: ${step.state}`),
  decisions: decisions.map(
    (d) => `${d.decision} by ${d.by.name}${d.for === null ? '' : ` for ${d.for.name}`}`,
  ),
});

function bodyFor({ user_access_methods: methods }: Answer<'resolve'>, account: string) {
  const method = methods.find((m) => m.identity === account);
  const condition = method?.conditionals.find((c) => c.type === 'access_request');
  if (method === undefined || condition === undefined) throw new Error(`no way to ${account}`);
  const { server_id, identity, access_credential } = method;
  return {
    request_type_id: condition.request_type.id,
    target: { type: 'server_access', server_id, identity, access_credential },
    answers: { justification: 'another try', change: 'urgent' },
  };
}

async function untilEscalated({ people }: DemoWorld, id: string): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const ran = await people.ellis.sft('request', 'show', id, '-o', 'json');
    if (ran.stdout.includes('"group:security"')) return;
    await new Promise((done) => setTimeout(done, 1000));
  }
  throw new Error('the step was not escalated');
}
