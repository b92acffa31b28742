import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { LEGAL_PAIRS } from '../../src/requests/machine.ts';
import { SESSION_PAIRS } from '../../src/sessions/model.ts';
import { finishOverdue } from '../../src/sessions/service-lease.ts';
import { approvedFor, methodFor, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { LONGEST_SESSION, must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';

onBoth('changes of state', (kit) => {
  const demo = withDemo(kit);

  describe('of access requests', () => {
    it('the database knows exactly the pairs of the code', async () => {
      const rows = await sql<{ from_state: string; to_state: string }>`
        select from_state, to_state from access_request_transitions`.execute(kit.db.sql);
      const stored = rows.rows.map((row) => `${row.from_state} → ${row.to_state}`);
      const coded = LEGAL_PAIRS.map(([from, to]) => `${from ?? 'new'} → ${to}`);
      expect(stored.sort()).toEqual([...coded].sort());
    });

    it('the database refuses another pair, a second row for a place, and a changed row', async () => {
      const { id } = await approvedFor(demo);
      const row = { request_id: id, at: kit.clock.now(), actor_id: null };
      const insert = (seq: number, from_state: string, to_state: string) =>
        kit.db.sql
          .insertInto('access_request_history')
          .values({ ...row, seq, from_state, to_state })
          .execute();
      await expect(insert(90, 'denied', 'approved')).rejects.toThrow(/foreign key/);
      await expect(insert(1, 'pending', 'denied')).rejects.toThrow(/duplicate key/);
      await expect(
        kit.db.sql.updateTable('access_request_history').set({ to_state: 'denied' }).execute(),
      ).rejects.toThrow(/never changed/);
      await expect(kit.db.sql.deleteFrom('access_request_history').execute()).rejects.toThrow(
        /never changed/,
      );
      await demo.service.call(demo.tokens.ellis, 'POST', `/access_requests/${id}/drop`);
    });
  });

  it('of sessions: those of the table all occur, and no other', async () => {
    await sql`create table seen_changes (from_state text, to_state text)`.execute(kit.db.sql);
    await sql`create function note_change() returns trigger language plpgsql as $$
      begin
        if old.state <> new.state then insert into seen_changes values (old.state, new.state); end if;
        return new;
      end $$`.execute(kit.db.sql);
    await sql`create trigger note_changes after update on sessions
      for each row execute function note_change()`.execute(kit.db.sql);

    const request = await approvedFor(demo);
    const open = async () => {
      await demo.gateway.renew(live);
      const method = { ...(await methodFor(demo, 'ellis')) };
      const { response, key } = await openAs(demo.service, demo.tokens.ellis!, method);
      return { id: (must(response).session as { id: string }).id, key };
    };
    const live: string[] = [];
    const admitted = async () => {
      const { id, key } = await open();
      must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
      return id;
    };
    const report = (id: string, body: unknown) =>
      demo.gateway.call('POST', `/gateway/sessions/${id}/events`, body);

    const ended = await admitted();
    const done = {
      type: 'ended',
      reason: 'client_closed',
      exit_status: 0,
      recording_sha256: null,
      detail: null,
    };
    for (const body of [{ type: 'login' }, done, done, { type: 'login' }])
      must(await report(ended, body));
    const terminated = await admitted();
    await demo.service.call(demo.tokens.ellis, 'POST', `/sessions/${terminated}/terminate`);
    must(await report(terminated, done));
    const abandoned = await open();
    kit.clock.advance(61);
    await kit.transact((tx) => finishOverdue(tx, LONGEST_SESSION));
    must(await report(abandoned.id, done));
    const lost = await admitted();
    kit.clock.advance(16);
    await demo.gateway.renew([]);
    must(await report(lost, done));
    const cut = await admitted();
    await demo.service.call(demo.tokens.dana, 'POST', `/access_requests/${request.id}/revoke`, {});
    must(await report(cut, done));

    const { rows } = await sql<{ from_state: string; to_state: string }>`
      select distinct from_state, to_state from seen_changes`.execute(kit.db.sql);
    const seen = rows.map((row) => `${row.from_state} → ${row.to_state}`);
    expect(seen.sort()).toEqual(SESSION_PAIRS.map(([from, to]) => `${from} → ${to}`).sort());
  });
});
