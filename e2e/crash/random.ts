/** The same numbers for the same seed (mulberry32). */
export interface Random {
  /** A whole number of [from, to). */
  int(from: number, to: number): number;
  pick<T>(of: readonly [T, ...T[]]): T;
}

export function randomFrom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int: Random['int'] = (from, to) => from + Math.floor(next() * (to - from));
  return { int, pick: (of) => of[int(0, of.length)] ?? of[0] };
}
