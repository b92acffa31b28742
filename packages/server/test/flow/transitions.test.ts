import { expect, it } from 'vitest';
import { LEGAL_PAIRS } from '../../src/requests/machine.ts';
import { SESSION_PAIRS } from '../../src/sessions/model.ts';
import { onBoth } from '../kit/index.ts';

onBoth('the legal changes of state', (kit) => {
  const sorted = (pairs: readonly (readonly (string | null)[])[]) =>
    pairs.map(([from, to]) => `${from ?? 'new'} → ${to}`).sort();

  it('of a request are the same in code and in SQL', async () => {
    const rows = await kit.db.sql.selectFrom('access_request_transitions').selectAll().execute();
    expect(sorted(rows.map((r) => [r.from_state, r.to_state]))).toEqual(sorted(LEGAL_PAIRS));
  });

  it('of a session are the same in code and in SQL', async () => {
    const rows = await kit.db.sql.selectFrom('session_transitions').selectAll().execute();
    expect(sorted(rows.map((r) => [r.from_state, r.to_state]))).toEqual(sorted(SESSION_PAIRS));
  });
});
