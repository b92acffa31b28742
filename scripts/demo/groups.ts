import type { AccessRequestDetail } from '@postern/shared';
import { personAt, tokenOf } from '../../e2e/world/people.ts';
import { type FakeTarget, startTarget } from '../../packages/server/test/push/target.ts';
import { addRiskTiers } from './risk-tiers.ts';
import { during, heading, remark } from './screen.ts';
import { call, type } from './typist.ts';
import type { DemoWorld } from './world.ts';

const GROUP = 'PAM Linux Sysadmins';
/** How long the walk waits for the end of the day, in seconds. */
const WAIT = 60;

/** Use case 2: membership in a group by request, until a date, while the clock runs fast. */
export async function groups(world: DemoWorld): Promise<void> {
  const day = endingDay(Date.now());
  const told = await startTarget();
  try {
    await prepare(world, day.zone);
    await connect(world, told);
    const fast = await speedUp(world, Math.ceil(day.hours * 60));
    const id = await asked(fast, day.date);
    await approved(fast, id);
    await over(fast, id);
  } finally {
    await told.stop();
  }
}

async function connect(world: DemoWorld, told: FakeTarget): Promise<void> {
  heading('Another system is told of the group by SCIM; here a small server stands in for it');
  told.addUser('ellis');
  told.addGroup(GROUP);
  const target = ['scim', 'add-target', 'inventory', told.url, '--token-from-env', 'TARGET_TOKEN'];
  await type(world, 'pat', 'sft-admin', [...target, '--groups', GROUP], 0, {
    env: { TARGET_TOKEN: told.token },
  });
}

async function prepare(world: DemoWorld, zone: string): Promise<void> {
  heading('Low, medium and high risk, side by side: groups, servers, policies');
  remark(`In this walk a date ends with the day in ${zone}, which is not far from now.`);
  await addRiskTiers(world, zone, (who, args, options) =>
    type(world, who, 'sft-admin', args, 0, options),
  );
}

/** The service starts again with a fast clock; whoever acts gets a token that lasts that long. */
async function speedUp(world: DemoWorld, speed: number): Promise<DemoWorld> {
  heading(`The service is restarted, and from now on its clock runs ${speed} times as fast`);
  const people = { ...world.people };
  for (const login of ['ellis', 'dana', 'uma', 'pat'] as const)
    people[login] = personAt(
      world.service,
      world.directory,
      login,
      await tokenOf(world.service, login),
    );
  await world.service.stop();
  const service = await during(
    'Starting the service again',
    world.service.restart({ POSTERN_DEMO_CLOCK_SPEED: String(speed) }),
  );
  world.replace(service);
  return { ...world, service, people };
}

async function asked(world: DemoWorld, date: string): Promise<string> {
  heading('The catalogue, and what Ellis can reach without asking');
  await type(world, 'ellis', 'sft', ['list-servers']);
  await type(world, 'ellis', 'sft', ['request', 'catalog']);
  heading('He asks for membership until the end of the day');
  const wish = ['request', 'create', '--type', 'PAM sysadmins', '--reason', 'patch day'];
  const answers = ['--answer', `team=${GROUP}`, '--answer'];
  await type(world, 'ellis', 'sft', [...wish, ...answers, 'until=2020-01-01'], 64);
  const text = await type(world, 'ellis', 'sft', [...wish, ...answers, `until=${date}`]);
  const id = /Request ([0-9a-f-]{36})/.exec(text)?.[1];
  if (id === undefined) throw new Error('the client printed no request id');
  return id;
}

async function approved(world: DemoWorld, id: string): Promise<void> {
  heading('Dana owns the group; she approves, and he is a member at once');
  await type(world, 'dana', 'sft-admin', ['approve', id, '--reason', 'as planned', '--yes']);
  await type(world, 'ellis', 'sft', ['whoami']);
  await type(world, 'ellis', 'sft', ['list-servers']);
  remark('demo-medium opens without asking again; demo-high asks for an approval each time.');
  await type(world, 'pat', 'sft-admin', ['groups', 'members', GROUP]);
  await type(world, 'pat', 'sft-admin', ['scim', 'pushes']);
}

async function over(world: DemoWorld, id: string): Promise<void> {
  heading('The day ends');
  const request = await during(
    `Waiting for the end of the day (about ${WAIT} seconds on this clock)`,
    untilEnded(world, id),
  );
  remark(`The request is ${request.state}: ${request.end_reason}.`);
  await type(world, 'ellis', 'sft', ['list-servers']);
  await type(world, 'ellis', 'sft', ['request', 'show', id]);
  await call<AccessRequestDetail>(world, 'ellis', 'GET', `/access_requests/${id}`, {
    expected: 200,
    shown: ({ state, end_reason, memberships }) => ({ state, end_reason, memberships }),
  });
  heading('On the record: the log, filtered for the group');
  await type(world, 'uma', 'sft-admin', ['log', 'search', '--group', GROUP]);
}

async function untilEnded({ people }: DemoWorld, id: string): Promise<AccessRequestDetail> {
  for (const end = Date.now() + (WAIT + 120) * 1000; Date.now() < end; ) {
    const ran = await people.ellis.sft('request', 'show', id, '-o', 'json');
    const request = JSON.parse(ran.stdout) as AccessRequestDetail;
    if (request.state === 'ended') return request;
    await new Promise((done) => setTimeout(done, 1000));
  }
  throw new Error('the membership did not end with the day');
}

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Tokyo',
  'Pacific/Auckland',
];

/** A day that ends in 2 to 12 hours somewhere: tokens live for a day of the fast clock. */
function endingDay(now: number): { zone: string; date: string; hours: number } {
  const days = ZONES.map((zone) => {
    const parts = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(now);
    const [date = '', time = ''] = parts.split(' ');
    const [h = 0, m = 0] = time.split(':').map(Number);
    return { zone, date, hours: 24 - h - m / 60 };
  });
  const day = days.find(({ hours }) => hours > 2 && hours <= 12);
  if (day === undefined) throw new Error('no day ends in time');
  return day;
}
