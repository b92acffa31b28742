import { PROBLEMS } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';

/** One answer for every fault of a token or its proof, so that nothing can be learned from it. */
export const unauthenticated = (): Refusal =>
  new Refusal('unauthenticated', `${PROBLEMS.unauthenticated.title}, or the token is not valid.`, {
    next: 'Log in again: sft login',
  });
