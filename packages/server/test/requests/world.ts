import { type Instant, instant, plus, seconds } from '@postern/shared';
import { type DecideInput, decide, type Outcome } from '../../src/requests/decide.ts';
import type {
  Account,
  ApproverSet,
  Delegation,
  Eligibility,
  Need,
  RequestFacts,
  Roster,
  Step,
  Vote,
} from '../../src/requests/model.ts';
import { setKey } from '../../src/requests/needs.ts';

export const RAISED: Instant = instant(Date.UTC(2026, 0, 5, 9));
export const BEFORE: Instant = plus(RAISED, seconds(-3600));
export const AFTER: Instant = plus(RAISED, seconds(60));
export const NOW: Instant = plus(RAISED, seconds(600));

export const manager: ApproverSet = { kind: 'manager' };
export const group = (name: string): ApproverSet => ({ kind: 'group', id: name, name });
export const user = (name: string): ApproverSet => ({ kind: 'user', id: name, name });
export const any = (n: number, ...of: ApproverSet[]): Need => ({ any: n, of });
export const all = (...needs: Need[]): Need => ({ all: needs });
export const either = (...needs: Need[]): Need => ({ either: needs });

export const step = (needs: Need, rest: Partial<Step> = {}): Step => ({
  name: 'Server manager',
  needs,
  timeout: seconds(86_400),
  on_timeout: 'expire',
  escalate_after: null,
  remind_after: seconds(1800),
  ...rest,
});

export const human = (id: string, rest: Partial<Account> = {}): Account => ({
  id,
  name: id,
  kind: 'human',
  active: true,
  owners: [],
  ...rest,
});

export const service = (id: string, owners: string[], rest: Partial<Account> = {}): Account =>
  human(id, { kind: 'service', owners, ...rest });

export const member = (user_id: string, rest: Partial<Eligibility> = {}): Eligibility => ({
  user_id,
  made_by: [],
  made_at: BEFORE,
  ...rest,
});

/** Accounts may be given as names (active humans), members likewise (made by the system, before raising). */
export function roster(
  accounts: readonly (string | Account)[],
  members: Record<string, readonly (string | Eligibility)[]>,
): Roster {
  const known = accounts.map((a) => (typeof a === 'string' ? human(a) : a));
  const entries = Object.entries(members).map(([name, list]): [string, Eligibility[]] => [
    name === 'manager' || name.endsWith('_owner') ? name : setKey(group(name)),
    list.map((m) => (typeof m === 'string' ? member(m) : m)),
  ]);
  return { accounts: new Map(known.map((a) => [a.id, a])), members: new Map(entries) };
}

export const request = (
  steps: readonly Step[],
  rest: Partial<RequestFacts> = {},
): RequestFacts => ({
  purpose: 'server_access',
  state: 'pending',
  requester: { id: 'rita', token_issued_by: null, made_by: [], raised_at: RAISED },
  steps,
  step: 0,
  escalated: [],
  votes: [],
  ...rest,
});

export const delegation = (
  from: string,
  to: string,
  rest: Partial<Delegation> = {},
): Delegation => ({
  from,
  to,
  starts_at: BEFORE,
  ends_at: plus(NOW, seconds(3600)),
  made_by: [from],
  made_at: BEFORE,
  ...rest,
});

export const vote = (by: string, rest: Partial<Vote> = {}): Vote => ({
  id: `vote of ${by}`,
  step: 0,
  decision: 'approve',
  by,
  for: null,
  token_issued_by: null,
  persons: [by],
  void: false,
  ...rest,
});

export const attempt = (
  facts: RequestFacts,
  people: Roster,
  actor: string,
  rest: Partial<DecideInput> = {},
): DecideInput => ({
  request: facts,
  roster: people,
  delegations: [],
  now: NOW,
  step: facts.step,
  actor,
  decision: 'approve',
  vote_id: `vote of ${actor}${rest.for_user ? ` for ${rest.for_user}` : ''} on ${facts.step}`,
  ...rest,
});

/** The request as the service would store it after an outcome. */
export function after(facts: RequestFacts, outcome: Outcome): RequestFacts {
  if (!outcome.ok) throw new Error(`refused: ${outcome.reason}`);
  const gone = new Set(outcome.void.map((v) => v.vote_id));
  return {
    ...facts,
    state: outcome.state,
    step: outcome.step,
    votes: [...facts.votes, outcome.vote].map((v) => (gone.has(v.id) ? { ...v, void: true } : v)),
  };
}

/** Lets each actor approve in turn; throws where one is refused. */
export const approvedBy = (
  facts: RequestFacts,
  people: Roster,
  ...actors: readonly string[]
): RequestFacts =>
  actors.reduce((now, actor) => after(now, decide(attempt(now, people, actor))), facts);
