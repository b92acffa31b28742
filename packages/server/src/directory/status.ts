export type UserStatus = 'ACTIVE' | 'DISABLED' | 'DELETED';

/** DELETED is the end: a re-created person is another user, with nothing of this one. */
const LEGAL: Readonly<Record<UserStatus, readonly UserStatus[]>> = {
  ACTIVE: ['DISABLED', 'DELETED'],
  DISABLED: ['ACTIVE', 'DELETED'],
  DELETED: [],
};

export const mayBecome = (from: UserStatus, to: UserStatus): boolean => LEGAL[from].includes(to);
