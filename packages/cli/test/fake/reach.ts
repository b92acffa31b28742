import { afterEach, beforeEach, expect } from 'vitest';
import { FakeGateway } from './gateway.ts';
import { bundled } from './process.ts';
import { FakeService, TEAM, TOKEN } from './service.ts';
import { ANA, approved, id, SERVER, session } from './things.ts';

export interface Reach {
  readonly service: () => FakeService;
  readonly gateway: () => FakeGateway;
  readonly env: () => Record<string, string>;
}

/** A service at which `opa-demo-linux` is approved already, and the gateway that it names. */
export function reach(): Reach {
  let service: FakeService;
  let gateway: FakeGateway;
  let port = 0;
  bundled();
  beforeEach(async () => {
    service = await new FakeService().start();
    gateway = await new FakeGateway().start();
    port = gateway.port;
    service
      .on('resolve', () => ({
        body: {
          servers: [SERVER],
          unresolved_names: [],
          user_access_methods: [approved('pamadmin1', 20)],
        },
      }))
      .on('createSessionNonce', () => ({
        status: 201,
        body: { nonce: 'nonce-1', user_id: ANA.user.id, expires_in_seconds: 60 },
      }))
      .on('openSession', () => ({
        status: 201,
        body: {
          session: session(),
          gateway: {
            host: '127.0.0.1',
            port,
            username: id(60),
            host_keys: [gateway.hostKey],
          },
        },
      }))
      .on('getSession', () => ({ body: session() }));
  });
  afterEach(async () => {
    await gateway.stop();
    await service.stop();
    expect(service.breaches).toEqual([]);
  });
  return {
    service: () => service,
    gateway: () => gateway,
    env: () => ({ SFT_URL: service.url, SFT_TEAM: TEAM, SFT_TOKEN: TOKEN }),
  };
}
