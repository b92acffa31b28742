import { expect, test } from 'vitest';
import { bootstrapTeam } from '../../src/directory/index.ts';
import { authenticate } from '../../src/identity/index.ts';
import { bearer } from '../../src/platform/credentials.ts';
import { onBoth } from '../kit/index.ts';

onBoth('the first start', (kit) => {
  const wish = { team: 'acme', demo: false, keyring_check: { key_ids: ['x'] } };
  const start = (more: object = {}) =>
    kit.transact((tx) => bootstrapTeam(tx, { ...wish, bootstrap_token: false, ...more }));
  let token: string | undefined;

  test('of two replicas at once one makes the team, and one token', async () => {
    const teams = await Promise.all([
      start({ bootstrap_token: true }),
      start({ bootstrap_token: true }),
    ]);
    expect(new Set(teams.map((team) => team.id)).size).toBe(1);
    const tokens = teams.map((team) => team.bootstrap_token).filter((text) => text !== undefined);
    expect(tokens).toHaveLength(1);
    token = tokens[0];
  });

  test('the token is a pam_admin’s for an hour, of an account that nobody owns', async () => {
    const caller = await kit.transact((tx) => authenticate(tx, bearer(token!)));
    expect(caller).toMatchObject({ login: 'bootstrap', type: 'service', token_issued_by: null });
    expect([...caller.roles].sort()).toEqual(['end_user', 'pam_admin']);
    expect(caller.token_expires_at - kit.clock.now()).toBe(3_600_000);
  });

  test('a database that is not empty gives no token', async () => {
    expect((await start({ bootstrap_token: true })).bootstrap_token).toBeUndefined();
    expect((await start()).keyring_check).toEqual({ key_ids: ['x'] });
  });

  test('another team, or a demo, does not start on it', async () => {
    await expect(start({ team: 'other' })).rejects.toThrow(/belongs to team acme/);
    await expect(start({ demo: true })).rejects.toThrow(/not turned into a demo/);
  });

  test('the team’s revision row is there: it is the policy set’s', async () => {
    const { id } = await start();
    const row = await kit.db.sql
      .selectFrom('revisions')
      .select('kind')
      .where('id', '=', id)
      .executeTakeFirst();
    expect(row?.kind).toBe('policy');
  });
});

onBoth('a demo', (kit) => {
  const start = (demo: boolean) =>
    kit.transact((tx) =>
      bootstrapTeam(tx, { team: 'demo', demo, keyring_check: null, bootstrap_token: false }),
    );

  test('has no bootstrap account unless one was wished for, and stays a demo', async () => {
    await start(true);
    expect(await kit.db.sql.selectFrom('users').select('login').execute()).toEqual([]);
    await expect(start(false)).rejects.toThrow(/is a demo/);
    await expect(kit.db.sql.updateTable('team').set({ demo: false }).execute()).rejects.toThrow(
      /cannot be removed/,
    );
  });
});
