export { startMessages } from './jobs.ts';
export { type MessageKind, type NewMessage, sendLater } from './service.ts';
