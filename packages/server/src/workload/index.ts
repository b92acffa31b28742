export type { Job } from './job.ts';
export { registerWorkloadRoutes } from './routes.ts';
export type { WorkloadSettings } from './routes-fetch.ts';
export { type Behind, jobOfToken, peopleBehind } from './service-jobs.ts';
