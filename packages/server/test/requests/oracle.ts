import type { ApproverSet, Need, Roster, UserId } from '../../src/requests/model.ts';

// The rules of counting once more, as slowly and plainly as they can be written, and with
// nothing taken from the code they judge: every way to place every vote is tried.

export interface OracleVote {
  readonly as: UserId;
  readonly persons: readonly UserId[];
}

/** What a tree says when each of its leaves holds so many votes. */
function holds(need: Need, counts: readonly number[], next: { leaf: number }): boolean {
  if ('any' in need) {
    const leaf = next.leaf++;
    return need.any > 0 && (counts[leaf] ?? 0) >= need.any;
  }
  const parts = ('all' in need ? need.all : need.either).map((n) => holds(n, counts, next));
  return parts.length > 0 && ('all' in need ? !parts.includes(false) : parts.includes(true));
}

function leafSets(need: Need): (readonly ApproverSet[])[] {
  if ('any' in need) return [need.of];
  const found: (readonly ApproverSet[])[] = [];
  for (const part of 'all' in need ? need.all : need.either) found.push(...leafSets(part));
  return found;
}

/** Who is behind an account: itself, or the humans who own it. */
export function behind(id: UserId, roster: Roster, depth = 0): UserId[] {
  const account = roster.accounts.get(id);
  if (account === undefined || depth > 5) return [];
  if (account.kind === 'human') return [id];
  const humans = account.owners.flatMap((owner) => behind(owner, roster, depth + 1));
  return [...new Set(humans)];
}

/** Whether `id` may answer for `set`, in a world where the requester made nothing himself. */
function mayAnswer(id: UserId, set: ApproverSet, roster: Roster, requester: UserId): boolean {
  const account = roster.accounts.get(id);
  if (account === undefined || !account.active) return false;
  const mine = behind(id, roster);
  const theirs = [requester, ...behind(requester, roster)];
  if (mine.length === 0 || mine.some((p) => theirs.includes(p)) || id === requester) return false;
  if (mine.some((p) => !roster.accounts.get(p)?.active)) return false;
  if (set.kind === 'user') return set.id === id;
  const key = set.kind === 'group' ? `group:${set.id}` : set.kind;
  const inSet = (roster.members.get(key) ?? []).some((entry) => entry.user_id === id);
  return account.kind === 'human' && inSet;
}

/** Whether the votes can be placed so that all trees hold, no vote placed twice and no person spent twice. */
export function oracleMeets(
  needs: readonly Need[],
  votes: readonly OracleVote[],
  roster: Roster,
  requester: UserId,
): boolean {
  const leaves = needs.flatMap(leafSets);
  const counts = leaves.map(() => 0);
  const spent = new Set<UserId>();
  const place = (i: number): boolean => {
    const vote = votes[i];
    if (vote === undefined) {
      const next = { leaf: 0 };
      return needs.length > 0 && needs.map((n) => holds(n, counts, next)).every(Boolean);
    }
    if (place(i + 1)) return true;
    if (vote.persons.length === 0 || vote.persons.some((p) => spent.has(p))) return false;
    for (const person of vote.persons) spent.add(person);
    const found = leaves.some((sets, leaf) => {
      if (!sets.some((set) => mayAnswer(vote.as, set, roster, requester))) return false;
      counts[leaf] = (counts[leaf] ?? 0) + 1;
      const ok = place(i + 1);
      counts[leaf] = (counts[leaf] ?? 0) - 1;
      return ok;
    });
    for (const person of vote.persons) spent.delete(person);
    return found;
  };
  return place(0);
}

/** Whether everybody who may answer, voting yes once where it helps, could meet all trees. */
export function oracleLive(needs: readonly Need[], roster: Roster, requester: UserId): boolean {
  const votes = [...roster.accounts.keys()].map((id) => ({ as: id, persons: behind(id, roster) }));
  return oracleMeets(needs, votes, roster, requester);
}
