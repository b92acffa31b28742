export { startGroupReviews } from './jobs.ts';
export { registerReviewRoutes } from './routes.ts';
export { putReviewTerms } from './service-terms.ts';
