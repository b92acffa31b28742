import { createDelivery, type Delivery, type DeliveryWorld } from '../../src/notifications/jobs.ts';
import type { MailSettings, MessageSettings } from '../../src/notifications/model.ts';
import { createDescribe } from '../../src/notifications/service-describe.ts';
import { declareDestinations } from '../../src/notifications/service-outbox.ts';
import type { Kit } from '../kit/index.ts';
import { SMTP_PASSWORD, SMTP_USER } from './mailbox.ts';

export const mailTo = (port: number): MailSettings => ({
  url: new URL(`smtp://${SMTP_USER}:${encodeURIComponent(SMTP_PASSWORD)}@127.0.0.1:${port}`),
  from: { name: 'Postern', address: 'postern@example.test' },
  allow_plaintext: false,
});

export interface TestDelivery extends Delivery {
  readonly lines: object[];
  readonly errors: unknown[];
  readonly attempts: string[];
}

/** Delivery on a kit's database, with nothing to decide in what it says. */
export async function delivering(
  kit: Pick<Kit, 'transact' | 'clock'>,
  settings: MessageSettings,
  more: Partial<DeliveryWorld> = {},
): Promise<TestDelivery> {
  const lines: object[] = [];
  const errors: unknown[] = [];
  const attempts: string[] = [];
  await kit.transact((tx) => declareDestinations(tx, settings));
  const delivery = createDelivery({
    team: 'demo',
    settings,
    transact: kit.transact,
    clock: kit.clock,
    describe: createDescribe({
      pendingFor: async () => ({ card: null, step: null, chat: false }),
      linkFor: async () => null,
    }),
    counted: (destination, result) => attempts.push(`${destination} ${result}`),
    log: {
      info: (facts) => lines.push(facts),
      error: (facts) => lines.push(facts),
    },
    onError: (error) => errors.push(error),
    ...more,
  });
  return { ...delivery, lines, errors, attempts };
}

export const messagesOf = (kit: Kit) =>
  kit.db.sql.selectFrom('messages').selectAll().orderBy('place').execute();
