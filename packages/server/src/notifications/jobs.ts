import type { Clock } from '../platform/clock.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Transact } from '../platform/tx.ts';
import { mailSender } from './jobs-mail.ts';
import { type Resolve, webhookSender } from './jobs-webhook.ts';
import type { Letter, MessageSettings, Outcome } from './model.ts';
import {
  buryOrphans,
  type Claimed,
  claimMessage,
  type Describe,
  declareDestinations,
  finishMessage,
  prepareMessage,
} from './service-outbox.ts';
import { countMessages } from './store-list.ts';

export interface DeliveryWorld {
  readonly team: string;
  readonly settings: MessageSettings;
  readonly transact: Transact;
  readonly clock: Clock;
  readonly describe: Describe;
  /** Counts an attempt: what it was to, and how it ended. */
  readonly counted: (destination: 'mail' | 'webhook', result: 'delivered' | 'failed') => void;
  readonly log: {
    info(facts: object, line: string): void;
    error(facts: object, line: string): void;
  };
  readonly onError: (error: unknown) => void;
  /** For tests of what a name resolves to. */
  readonly resolve?: Resolve;
}

export interface Delivery {
  /** Sends what is due now, everywhere, and waits for it. */
  send(): Promise<void>;
  /** The same, and gives up and counts what is left. */
  sweep(): Promise<void>;
  /** Those of the whole database, as of the last sweep. */
  counts(): { readonly waiting: number; readonly dead: number };
  stop(): Promise<void>;
}

type Send = (letter: Letter, address: string | null, signal: AbortSignal) => Promise<Outcome>;

/** What waits is looked for this often: retries, and what a lost hint left. */
const SWEEP_MS = 10_000;
/** A send that runs when the service stops has this long. */
const STOP_MS = 5_000;

/**
 * Sends what the outbox holds. Each destination has a lane of its own, one message at a time,
 * so that a slow one delays nobody else's; one that cannot be reached is left alone until the
 * next sweep. Nothing is sent inside a transaction.
 */
export function createDelivery(world: DeliveryWorld): Delivery {
  const { settings, transact, clock, onError } = world;
  const stopping = new AbortController();
  let counts = { waiting: 0, dead: 0 };
  const lanes = [
    ...(settings.mail === null
      ? []
      : [laneOf(world, null, mailSender(settings.mail), stopping.signal)]),
    ...settings.webhooks.map((webhook) => {
      const send = webhookSender(webhook, world.resolve);
      const signed: Send = (letter, _, signal) => send(letter, clock.now(), signal);
      return laneOf(world, webhook.name, signed, stopping.signal);
    }),
  ];
  const sendAll = async (): Promise<void> => {
    await Promise.all(lanes.map((lane) => lane.poke()));
  };
  return {
    send: sendAll,
    sweep: async () => {
      await sendAll();
      await transact(buryOrphans).catch(onError);
      counts = await transact((tx) => countMessages(tx.sql)).catch((error) => {
        onError(error);
        return counts;
      });
    },
    counts: () => counts,
    stop: async () => {
      const late = setTimeout(() => stopping.abort(), STOP_MS);
      await Promise.all(lanes.map((lane) => lane.stop()));
      clearTimeout(late);
    },
  };
}

interface Lane {
  /** Sends until nothing is due. One that is poked while it runs looks once more. */
  poke(): Promise<void>;
  stop(): Promise<void>;
}

function laneOf(
  world: DeliveryWorld,
  webhook: string | null,
  send: Send,
  signal: AbortSignal,
): Lane {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      while (!stopped && (await sendNext(world, webhook, send, signal)) === 'go on');
    } while (again && !stopped);
  };
  return {
    poke: () => {
      if (stopped) return Promise.resolve();
      again = true;
      running ??= run()
        .catch(world.onError)
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** Claim, then compose, then send, then record: a crash in between sends it again, with the same id. */
async function sendNext(
  world: DeliveryWorld,
  webhook: string | null,
  send: Send,
  signal: AbortSignal,
): Promise<'go on' | 'pause'> {
  const { transact, log, counted } = world;
  const message = await transact((tx) => claimMessage(tx, webhook));
  if (message === undefined) return 'pause';
  const outcome = await attempt(world, message, send, signal);
  if (outcome === undefined) return 'go on';
  const state = await transact((tx) => finishMessage(tx, message, outcome));
  counted(webhook === null ? 'mail' : 'webhook', outcome.result);
  const facts = {
    message_id: message.id,
    kind: message.kind,
    webhook,
    state,
    attempts: message.attempts,
  };
  if (outcome.result === 'delivered') log.info(facts, 'message delivered');
  else log.info({ ...facts, error: outcome.error }, 'message not delivered');
  return outcome.result === 'failed' && outcome.of === 'destination' ? 'pause' : 'go on';
}

/** @returns undefined when there is nothing left to say. */
async function attempt(
  { team, transact, describe, onError }: DeliveryWorld,
  message: Claimed,
  send: Send,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  try {
    const ready = await transact((tx) => prepareMessage(tx, message, describe));
    if (ready === undefined) return undefined;
    const { id, kind, request_id, created_at } = message;
    return await send(
      { id, kind, request_id, created_at, team, notice: ready.notice },
      ready.address,
      signal,
    );
  } catch (error) {
    onError(error);
    return {
      result: 'failed',
      error: 'the message could not be composed',
      of: 'message',
      permanent: false,
    };
  }
}

/** A job only says that something waits; whoever is free sends whatever is due. */
export async function startMessages(
  world: DeliveryWorld & { readonly jobs: Pick<Jobs, 'work'> },
): Promise<Delivery> {
  const { jobs, transact, settings, onError } = world;
  await transact((tx) => declareDestinations(tx, settings));
  const delivery = createDelivery(world);
  await jobs.work('message.send', async () => void delivery.send());
  const timer = setInterval(() => void delivery.sweep().catch(onError), SWEEP_MS);
  timer.unref();
  return {
    ...delivery,
    stop: async () => {
      clearInterval(timer);
      await delivery.stop();
    },
  };
}
