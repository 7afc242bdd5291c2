/**
 * How long another node's key has stood unchanged, by this node's own observation.
 *
 * Only time in which this node itself heard its own heartbeats counts, by the monotonic clock alone: a node that slept, or
 * whose own connection was away, must not find all others dead when it wakes. Whoever acts on it does so by compare-and-set
 * on the revision observed, so a wrong guess costs an attempt and never a live node its key.
 */
import type { Clock } from '../../kernel/clock.ts';

export type Observation = {
  /** The key has a new record. */
  changed(key: string): void;
  /** This node heard itself; a gap above `gapMs` since it last did starts all observations anew. */
  alive(): void;
  /** Nothing can be observed until `alive` again. */
  pause(): void;
  /** 0 while nothing can be observed. */
  unchangedMs(key: string): number;
};

export function createObservation(clock: Clock, gapMs: number): Observation {
  const changedAt = new Map<string, number>();
  let watchingSince: number | undefined;
  let aliveAt = Number.NEGATIVE_INFINITY;
  return {
    changed(key) {
      changedAt.set(key, clock.monotonic());
    },
    alive() {
      const now = clock.monotonic();
      if (watchingSince === undefined || now - aliveAt > gapMs) watchingSince = now;
      aliveAt = now;
    },
    pause() {
      watchingSince = undefined;
    },
    unchangedMs(key) {
      const now = clock.monotonic();
      if (watchingSince === undefined || now - aliveAt > gapMs) return 0;
      return now - Math.max(watchingSince, changedAt.get(key) ?? watchingSince);
    },
  };
}
