import type { SealContext } from '../vault/index.ts';

/** A password is this person's, in this setting: another row does not open it. */
export const passwordSealedFor = (
  team: string,
  row: { readonly user_id: string; readonly version: number },
): SealContext => ({
  purpose: 'login_password',
  team,
  version: row.version,
  subject: row.user_id,
});

export const totpSealedFor = (
  team: string,
  row: { readonly user_id: string; readonly id: string },
): SealContext => ({ purpose: 'totp', team, version: 1, subject: `${row.user_id} ${row.id}` });
