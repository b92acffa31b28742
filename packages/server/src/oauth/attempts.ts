/** How often one person may give a code that nothing waits under, and in which time. */
const MOST = 10;
const WINDOW_MS = 600_000;
const MOST_PEOPLE = 10_000;

export interface Attempts {
  /** Whether this person may try another code. */
  may(user_id: string): boolean;
  failed(user_id: string): void;
}

/**
 * Counts wrong codes of each person, in this process: ten in ten minutes, of 2.5 × 10^10.
 * Who has logged in is in it at most once, so it does not outgrow the people there are.
 */
export function createAttempts(monotonic: () => number): Attempts {
  const failures = new Map<string, number[]>();
  const recent = (user_id: string): number[] =>
    (failures.get(user_id) ?? []).filter((at) => monotonic() - at < WINDOW_MS);
  return {
    may: (user_id) => recent(user_id).length < MOST,
    failed: (user_id) => {
      if (failures.size >= MOST_PEOPLE)
        for (const known of [...failures.keys()])
          if (recent(known).length === 0) failures.delete(known);
      failures.set(user_id, [...recent(user_id), monotonic()]);
    },
  };
}
