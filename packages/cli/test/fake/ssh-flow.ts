import { vi } from 'vitest';
import type { SshEnd, SshPort } from '../../src/ssh/port.ts';
import type { FakeService } from './service.ts';
import { ANA, accessRequest, id, type method, REQUEST_TYPE, SERVER, session } from './things.ts';

export const HOST_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINLZX5Rxa9/cUNKgMrFe9dOZd1xhR8tQLVZ6wJ1cJc7N';

/** The answers of a service for one person's way to `opa-demo-linux`. */
export function sshFlow(service: () => FakeService) {
  return { resolves, raises, opens };

  function resolves(...methods: ReturnType<typeof method>[]): void {
    service().on('createSessionNonce', nonceAnswer);
    service().on('resolve', ({ body }) => ({
      body: {
        servers: body.names[0] === SERVER.name ? [SERVER] : [],
        unresolved_names: body.names.filter((n) => n !== SERVER.name),
        user_access_methods: body.names[0] === SERVER.name ? methods : [],
      },
    }));
  }

  function raises(): void {
    service()
      .on('getRequestType', () => ({ body: REQUEST_TYPE }))
      .on('createAccessRequest', () => ({ status: 201, body: accessRequest() }));
  }

  function opens(): void {
    service().on('openSession', openAnswer);
  }
}

const nonceAnswer = () => ({
  status: 201,
  body: { nonce: 'nonce-1', user_id: ANA.user.id, expires_in_seconds: 60 },
});

export const openAnswer = () => ({
  status: 201,
  body: {
    session: session(),
    gateway: { host: '127.0.0.1', port: 2022, username: id(60), host_keys: [HOST_KEY] },
  },
});

/** An SSH client that ends like this. */
export const ending = (end: SshEnd) => {
  const run = vi.fn<SshPort['run']>(async () => end);
  return { ssh: { run }, run };
};
