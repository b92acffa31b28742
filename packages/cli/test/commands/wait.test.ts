import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type AccessRequest, EXIT, instant } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { problem } from '../fake/service.ts';
import {
  ANA,
  accessRequest,
  condition,
  decided,
  detail,
  id,
  method,
  NOW,
  SERVER,
  session,
} from '../fake/things.ts';

const { service, sft } = script();

/** A clock that goes on by what is slept, and by nothing else. */
function sleepersClock() {
  let at = NOW;
  return {
    now: () => instant(at),
    sleep: async (ms: number, signal?: AbortSignal) => {
      const until = at + ms;
      await pause(1);
      if (!signal?.aborted) at = Math.max(at, until);
    },
  };
}

/** A clock on which nobody wakes by himself: there is no next poll, and no end of the time. */
const stillClock = () => ({
  now: () => instant(NOW),
  sleep: (_: number, signal?: AbortSignal) =>
    new Promise<void>((woken) => {
      if (signal?.aborted) return woken();
      signal?.addEventListener('abort', () => woken());
    }),
});

/** The service's side of one stream of events. */
class Stream {
  readonly opened = Promise.withResolvers<ServerResponse>();
  constructor() {
    service().on('accessRequestEvents', ({ headers }, response) => {
      expect(headers.accept).toBe('text/event-stream');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      this.opened.resolve(response);
      return undefined;
    });
  }
  async tell(request: AccessRequest): Promise<void> {
    (await this.opened.promise).write(`event: request\ndata: ${JSON.stringify(request)}\n\n`);
  }
}

/** What the service holds at each moment. */
function holds(first: AccessRequest): { now: AccessRequest } {
  const state = { now: first };
  service().on('getAccessRequest', () => ({ body: detail(state.now) }));
  return state;
}

/** It is approved once it was read so many times. */
function approvedAfter(reads: number): void {
  let read = 0;
  service().on('getAccessRequest', () => ({
    body: detail(++read > reads ? decided('approve') : accessRequest()),
  }));
}

describe('sft request wait', () => {
  test('approved: 0, on the event alone, without another poll', async () => {
    const state = holds(accessRequest());
    const stream = new Stream();
    const waiting = sft(`request wait ${id(50)}`, { clock: stillClock() });
    await stream.opened.promise;
    state.now = decided('approve');
    await stream.tell(state.now);
    const { exit, out } = await waiting;
    expect([exit, out]).toEqual([0, `Request ${id(50)} is approved.\n`]);
  });

  test('denied: 77, by whom and why', async () => {
    const state = holds(accessRequest());
    const stream = new Stream();
    const waiting = sft(`request wait ${id(50)}`, { clock: stillClock() });
    await stream.opened.promise;
    state.now = decided('deny', 'not \u001b[31mtoday');
    await stream.tell(state.now);
    const { exit, err } = await waiting;
    expect(exit).toBe(EXIT.refused);
    expect(err).toContain(`sft: Request ${id(50)} was denied by Dana Reyes: not \ufffd[31mtoday\n`);
  });

  test.each(['canceled', 'expired', 'revoked', 'ended'])('%s: 77', async (state) => {
    holds(accessRequest({ state }));
    const { exit, err } = await sft(`request wait ${id(50)}`);
    expect(exit).toBe(EXIT.refused);
    expect(err).toMatch(new RegExp(`^sft: Request \\S+ is ${state}\\.\n`));
  });

  test('no events at all: the polls see it', async () => {
    approvedAfter(2);
    service().on('accessRequestEvents', () => problem('unavailable', 'No events now.'));
    const { exit } = await sft(`request wait ${id(50)}`, { clock: sleepersClock() });
    expect(exit).toBe(0);
  });

  test('without a terminal: a plain line, again only when it changes', async () => {
    approvedAfter(5);
    service().on('accessRequestEvents', () => problem('unavailable', 'No events now.'));
    const { err } = await sft(`request wait ${id(50)}`, { clock: sleepersClock() });
    expect(err.match(/Waiting for Dana Reyes or 2 people in linux-approvers\n/g)).toHaveLength(1);
  });

  test('out of time: 75, and who is still needed', async () => {
    holds(accessRequest());
    service().on('accessRequestEvents', () => problem('unavailable', 'No events now.'));
    const { exit, err } = await sft(`request wait ${id(50)} --timeout 20s`, {
      clock: sleepersClock(),
    });
    expect(exit).toBe(EXIT.waiting);
    expect(err).toContain('is still waiting for Dana Reyes or 2 people in linux-approvers.\n');
    expect(err).toContain('--timeout');
  });

  test('a service that is away for a while does not end it', async () => {
    let calls = 0;
    service()
      .on('getAccessRequest', () => {
        calls++;
        if (calls === 1) return { body: detail(accessRequest()) };
        return calls < 4
          ? { status: 502, raw: 'restarting' }
          : { body: detail(decided('approve')) };
      })
      .on('accessRequestEvents', () => ({ status: 502, raw: 'restarting' }));
    const { exit, err } = await sft(`request wait ${id(50)}`, { clock: sleepersClock() });
    expect(exit).toBe(0);
    expect(err).toContain('The service cannot be reached; trying again\n');
  });

  test('away to the end of the time: 69', async () => {
    let calls = 0;
    service()
      .on('getAccessRequest', () =>
        ++calls === 1 ? { body: detail(accessRequest()) } : { status: 502, raw: 'down' },
      )
      .on('accessRequestEvents', () => ({ status: 502, raw: 'down' }));
    const { exit } = await sft(`request wait ${id(50)} --timeout 20s`, { clock: sleepersClock() });
    expect(exit).toBe(EXIT.unavailable);
  });

  test('Ctrl-C: 130, and how to go on', async () => {
    holds(accessRequest());
    const stream = new Stream();
    const { promise, resolve } = Promise.withResolvers<void>();
    let world: { interruptNow(): void } | undefined;
    const waiting = sft(`request wait ${id(50)}`, {
      clock: stillClock(),
      onWorld: (w) => {
        world = w;
        resolve();
      },
    });
    await Promise.all([promise, stream.opened.promise]);
    world?.interruptNow();
    const { exit, err } = await waiting;
    expect(exit).toBe(EXIT.interrupted);
    expect(err).toContain(`sft request cancel ${id(50)}`);
  });
});

describe('sft ssh --wait', () => {
  test('raised, waited for, approved, connected', async () => {
    const pending = condition({ pending_request_id: id(50) });
    service()
      .on('resolve', () => ({
        body: {
          servers: [SERVER],
          unresolved_names: [],
          user_access_methods: [method('pamadmin1', { conditionals: [pending] })],
        },
      }))
      .on('whoami', () => ({ body: ANA }))
      .on('createSessionNonce', () => ({
        status: 201,
        body: { nonce: 'n', user_id: ANA.user.id, expires_in_seconds: 60 },
      }))
      .on('openSession', () => ({
        status: 201,
        body: {
          session: session(),
          gateway: { host: '127.0.0.1', port: 1, username: id(60), host_keys: [] },
        },
      }));
    const state = holds(accessRequest());
    const stream = new Stream();
    const waiting = sft('ssh opa-demo-linux --wait', {
      clock: stillClock(),
      ssh: { run: async () => ({ kind: 'exited', exit: 7 }) },
    });
    await stream.opened.promise;
    state.now = decided('approve');
    await stream.tell(state.now);
    const { exit, err } = await waiting;
    expect(exit).toBe(7);
    expect(err).toContain(`Request ${id(50)} is waiting. It can be approved by Dana Reyes`);
  });
});
