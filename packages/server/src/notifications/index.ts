export { line } from './clean.ts';
export { type Delivery, startMessages } from './jobs.ts';
export { PRIVATE, pinned, type Resolve } from './jobs-webhook.ts';
export { parseMailbox } from './mailbox.ts';
export {
  type MailSettings,
  type MessageKind,
  type MessageSettings,
  WEBHOOK_FORMATS,
  type WebhookSettings,
} from './model.ts';
export { type ChatDecision, escapeMrkdwn, renderSlack } from './render-slack.ts';
export { afterFailure } from './retry.ts';
export { registerMessageRoutes } from './routes.ts';
export { type NewMessage, sendLater } from './service.ts';
export { createDescribe, type DescribePorts } from './service-describe.ts';
export { parseWebhookSecret } from './sign.ts';
