import { afterAll, afterEach, beforeEach, vi } from 'vitest';
import { browserLoginOf } from '../../src/login/index.ts';
import type { OidcSettings } from '../../src/upstream/index.ts';
import { withDemo } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { Browser } from '../login/browser.ts';
import { CLIENT_ID, CLIENT_SECRET, type FakeProvider, startFakeProvider } from './fake-provider.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const settingsFor = (issuer: string): Mutable<OidcSettings> => ({
  name: 'Example ID',
  issuer,
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  scopes: ['openid', 'profile', 'email'],
  claims: {
    login: 'preferred_username',
    name: 'name',
    email: 'email',
    attributes: { department: 'dept' },
    groups: { claim: 'groups', attribute: 'idp_groups', only: ['Ops', 'DBA'] },
  },
  acr: { phr: ['urn:phr'], any: [] },
  amr: { phr: ['hwk'], any: ['otp', 'mfa'] },
  jit: true,
  private_hosts: ['127.0.0.1'],
});

/** What stands around a test: somebody new at the provider, and a browser that has nothing yet. */
export interface Scene {
  provider: FakeProvider;
  settings: Mutable<OidcSettings>;
  browser: Browser;
  /** Another one for each test. */
  n: number;
}

/** The demo world with a hand-made provider, for the suite around it. */
export function withUpstream(kit: Kit) {
  const scene = { n: 0 } as Scene;
  const demo = withDemo(kit, undefined, async () => {
    scene.provider = await startFakeProvider();
    scene.settings = settingsFor(scene.provider.issuer);
    return scene.settings;
  });
  afterAll(async () => {
    await scene.provider?.stop();
  });
  beforeEach(() => {
    const { provider, settings } = scene;
    scene.browser = new Browser(demo);
    scene.n += 1;
    const n = scene.n;
    provider.mischief = {};
    provider.person = { sub: `sub-${n}`, preferred_username: `oidc${n}`, name: `Person ${n}` };
    settings.jit = true;
    kit.clock.advance(1);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const begin = async (next = '', of = scene.browser): Promise<string> => {
    const said = await of.get(`/login/oidc${next}`);
    if (said.statusCode !== 303) throw new Error(`${said.statusCode} ${said.body}`);
    return String(said.headers.location);
  };
  const back = (location: string, of = scene.browser) =>
    of.get(pathOf(scene.provider.visit(location)));
  return {
    scene,
    demo,
    begin,
    back,
    logIn: async (next?: string, of = scene.browser) => back(await begin(next, of), of),
    loginOf: (of = scene.browser) => kit.transact((tx) => browserLoginOf(tx, of.cookie)),
    userNamed: async (login: string) => {
      const found = await demo.service.call(demo.tokens.pat, 'GET', `/users?login=${login}`);
      return (must(found).list as { id: string; name: string; email: string | null }[])[0];
    },
    link: (by: string, id: string, subject: string, issuer = scene.provider.issuer) =>
      demo.service.call(demo.tokens[by], 'PUT', `/users/${id}/identity`, { issuer, subject }),
    events: (type: string) =>
      kit.db.sql
        .selectFrom('audit_events')
        .selectAll()
        .where('type', '=', type)
        .orderBy('id')
        .execute(),
  };
}

export const pathOf = ({ pathname, search }: URL): string => pathname + search;
