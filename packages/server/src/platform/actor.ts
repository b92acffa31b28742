import type { EventReference } from './audit.ts';

/** The service itself: timers, sweeps, what follows from a change. */
export const SYSTEM: EventReference = { type: 'system', id: null, name: 'postern' };

export const userRef = (user: { user_id: string; name: string }): EventReference => ({
  type: 'user',
  id: user.user_id,
  name: user.name,
});

export const SUCCESS = { result: 'success', reason: null } as const;
export const failure = (reason: string) => ({ result: 'failure', reason }) as const;
