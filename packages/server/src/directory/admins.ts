/** Active accounts that hold pam_admin through a membership without an end. */
export interface Admins {
  readonly people: number;
  readonly service_users: number;
}

/**
 * Whether a change leaves nobody who could undo it. A service user does not stand in for
 * the last person: nobody may know where its token is. Only before the first person holds
 * the role, a service user (the bootstrap account) is enough.
 */
export function locksEverybodyOut(before: Admins, after: Admins): boolean {
  if (before.people > 0) return after.people === 0;
  return before.service_users > 0 && after.people + after.service_users === 0;
}
