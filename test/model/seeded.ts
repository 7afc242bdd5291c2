/** Chance from a seed: the same numbers for the same seed, everywhere (mulberry32). */
export type Chance = {
  /** From 0 up to, and without, `bound`. */
  below(bound: number): number;
  oneIn(n: number): boolean;
  of<T>(choices: readonly T[]): T;
  /** A chance of its own, that this one's later use does not change. */
  fork(): Chance;
};

export function seeded(seed: number): Chance {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return {
    below,
    oneIn: (n) => below(n) === 0,
    of: (choices) => choices[below(choices.length)]!,
    fork: () => seeded(next()),
  };
}
