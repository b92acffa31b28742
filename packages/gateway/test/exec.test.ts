import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('a command through the gateway', () => {
  test('its output and exit status come back', async () => {
    const { client, id } = await world.connect();
    const outcome = await run(client, 'echo out; echo err >&2; exit 7');
    expect(outcome).toEqual({ stdout: 'out\n', stderr: 'err\n', status: 7, signal: undefined });
    client.end();
    const ended = await world.service.ended(id);
    expect(ended).toMatchObject({ reason: 'client_closed', exit_status: 7 });
  });
});
