import type { GroupSource } from '@postern/shared';

/** One thing that makes a group privileged. */
export interface PrivilegedUse {
  readonly group_id: string;
  readonly kind: 'role' | 'approver' | 'principal';
  /** Of the role, the request type or the policy. */
  readonly name: string;
}

const WORDS = {
  role: 'role',
  approver: 'approves requests of type',
  principal: 'needs no request under policy',
} as const;

/** For an admin: `role pam_admin`. */
export const wordsOf = ({ kind, name }: PrivilegedUse): string => `${WORDS[kind]} ${name}`;

/** Where members came from that no admin put there one by one. */
export type UndirectedSource = GroupSource | 'request';

/** What the check of a group's sources rests on, read while its row is held. */
export interface SourceFacts {
  readonly uses: readonly PrivilegedUse[];
  readonly named: readonly GroupSource[];
  /** Pushed in from outside: its members come by scim, today's and tomorrow's. */
  readonly pushed: boolean;
  /** Sources of the rows that live now; `request`: one whose type may put nobody into it. */
  readonly live: readonly UndirectedSource[];
}

/** The sources that a privileged group has and may not have. Of any other group: none. */
export function unnamedSources({ uses, named, pushed, live }: SourceFacts): UndirectedSource[] {
  if (uses.length === 0) return [];
  const had = new Set<UndirectedSource>([...live, ...(pushed ? (['scim'] as const) : [])]);
  return [...had].filter((source) => source === 'request' || !named.includes(source)).sort();
}

/** Of a request type, what decides whether it may put people into a privileged group. */
export interface RequestDemand {
  /** Missing in versions that were published before there was such a field. */
  readonly grants_role?: boolean;
  readonly steps: readonly { readonly needs: People }[];
}

/** How many distinct people a step asks for; the shape of a request type's `needs`. */
export type People =
  | { readonly any: number }
  | { readonly all: readonly People[] }
  | { readonly either: readonly People[] };

/**
 * The fewest people who could approve a request: nobody serves two leaves of a step, nor
 * two steps. A tree without a branch counts as nobody.
 */
export const fewestPeople = (steps: RequestDemand['steps']): number =>
  sum(steps.map(({ needs }) => fewestOf(needs)));

function fewestOf(need: People): number {
  if ('any' in need) return need.any;
  if ('all' in need) return sum(need.all.map(fewestOf));
  return need.either.length === 0 ? 0 : Math.min(...need.either.map(fewestOf));
}

const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);

/**
 * Why a request of this type may put nobody into a group that these uses make privileged.
 * Who gets a role or a say in approvals is agreed to by two people besides himself; for what
 * a policy gives to members, one is enough, as it is for a single access.
 */
export function whyNotInto(
  demand: RequestDemand,
  uses: readonly Pick<PrivilegedUse, 'kind'>[],
): 'grants_role' | 'two_people' | undefined {
  if (uses.length === 0) return undefined;
  if (demand.grants_role !== true) return 'grants_role';
  const decides = uses.some(({ kind }) => kind !== 'principal');
  return decides && fewestPeople(demand.steps) < 2 ? 'two_people' : undefined;
}
