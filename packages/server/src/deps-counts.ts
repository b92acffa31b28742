import type { Delivery } from './notifications/index.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Pusher } from './push/index.ts';

export function countMessages(metrics: Metrics, delivery: () => Delivery | undefined) {
  const count = (state: 'waiting' | 'dead') => () => delivery()?.counts()[state] ?? 0;
  metrics.gauge('postern_messages_waiting', 'Messages not delivered yet', count('waiting'));
  metrics.gauge('postern_messages_dead', 'Messages given up', count('dead'));
  const add = metrics.counter('postern_message_attempts_total', 'Attempts to deliver a message', [
    'destination',
    'result',
  ]);
  return (destination: 'mail' | 'webhook', result: 'delivered' | 'failed') =>
    add({ destination, result });
}

export function countPushes(metrics: Metrics, pusher: () => Pusher | undefined) {
  const count = (state: 'waiting' | 'dead') => () => pusher()?.counts()[state] ?? 0;
  metrics.gauge('postern_pushes_waiting', 'Group pushes not made yet', count('waiting'));
  metrics.gauge('postern_pushes_dead', 'Group pushes given up', count('dead'));
  const add = metrics.counter('postern_push_attempts_total', 'Attempts to push a group', [
    'result',
  ]);
  return (result: 'told' | 'failed') => add({ result });
}
