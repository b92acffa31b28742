export { type Pusher, startPushes } from './jobs.ts';
export type { PushSettings } from './model.ts';
export { registerPushRoutes } from './routes.ts';
