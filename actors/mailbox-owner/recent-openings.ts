/**
 * When each maildrop was opened last, so that its owner can hold a least interval between two openings wherever in the
 * cluster they are asked for. In memory, for one tenure, and longer than the account's actor: the next owner begins afresh,
 * which lets one opening through early and never holds one up.
 */
import type { Clock } from '../../kernel/clock.ts';

export type RecentOpenings = {
  /** Was it opened less than so long ago? */
  isTooSoon(account: string, leastIntervalMs: number): boolean;
  /** It has just been opened; that is remembered for so long. */
  note(account: string, leastIntervalMs: number): void;
  /** How many are kept. */
  size(): number;
};

/** With fewer entries than this it is not worth looking for old ones. */
const FEW = 1_000;

export function recentOpenings(clock: Pick<Clock, 'monotonic'>): RecentOpenings {
  const openings = new Map<string, { readonly atMs: number; readonly untilMs: number }>();
  let pruneAt = FEW;

  /** Looked at once for each doubling: what is kept is at most twice what is recent. */
  const prune = (nowMs: number): void => {
    for (const [account, { untilMs }] of openings) if (untilMs <= nowMs) openings.delete(account);
    pruneAt = Math.max(FEW, 2 * openings.size);
  };

  return {
    isTooSoon(account, leastIntervalMs) {
      const last = openings.get(account);
      return last !== undefined && clock.monotonic() - last.atMs < leastIntervalMs;
    },
    note(account, leastIntervalMs) {
      const nowMs = clock.monotonic();
      if (openings.size >= pruneAt) prune(nowMs);
      openings.set(account, { atMs: nowMs, untilMs: nowMs + leastIntervalMs });
    },
    size: () => openings.size,
  };
}
