import { type Instant, instant } from '@postern/shared';
import { afterAll, beforeAll } from 'vitest';
import type { BrowserLogin } from '../../src/oauth/index.ts';
import type { Kit } from '../kit/index.ts';
import {
  demoWorld,
  startReplica,
  startService,
  type TestService,
  type Tokens,
} from '../kit/service.ts';
import { Browser, Client, newKey } from './client.ts';

/** A login page that believes a cookie: `who=<user id>`. */
const believed = (now: () => Instant) => async (_: unknown, cookies: string | undefined) => {
  const user_id = /(?:^|; )who=([0-9a-f-]{36})/.exec(cookies ?? '')?.[1];
  if (user_id === undefined) return undefined;
  const browser: BrowserLogin = {
    session_id: user_id,
    user_id,
    auth_time: now(),
    amr: ['pwd', 'otp', 'mfa'],
    mfa: 'any',
    mfa_at: now(),
    csrf: `csrf of ${user_id}`,
  };
  return browser;
};

export interface OauthWorld {
  service: TestService;
  replica: TestService;
  /** Static tokens of the demo's people. */
  tokens: Tokens;
  ids: Record<string, string>;
  /** oidc-provider reads the machine's clock, so the kit's clock is set by it. */
  client(): Promise<Client>;
  /** Somebody's browser, logged in. */
  browser(login?: string): Browser;
}

export function withOauth(kit: Kit): OauthWorld {
  const world = {} as OauthWorld;
  beforeAll(async () => {
    kit.clock.set(instant(Math.floor(performance.timeOrigin + performance.now())));
    const login = believed(() => kit.clock.now());
    world.service = await startService(kit, null, login);
    world.replica = await startReplica(kit, world.service, login);
    world.tokens = await demoWorld(kit, world.service);
    const users = await kit.db.sql.selectFrom('users').select(['id', 'login']).execute();
    world.ids = Object.fromEntries(users.map((user) => [user.login, user.id]));
  });
  afterAll(async () => {
    await world.replica?.stop();
    await world.service?.stop();
  });
  world.client = async () =>
    new Client(
      () => world.service,
      () => kit.clock.now(),
      await newKey(),
    );
  world.browser = (login) => {
    const browser = new Browser(() => world.service);
    if (login !== undefined) browser.set('who', world.ids[login] ?? '');
    return browser;
  };
  return world;
}
