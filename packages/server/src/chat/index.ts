export type { SlackSettings } from './model.ts';
export { registerChatRoutes } from './routes.ts';
export { registerSlackRoutes } from './routes-slack.ts';
export { endChatLinksOf } from './service-links.ts';
