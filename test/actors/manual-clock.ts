/** A clock that stands until it is moved, and a way to wait for what depends on it without ever sleeping. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.ts';

export type ManualClock = Clock & {
  advance(ms: number): void;
  /** Waits for the promise; whenever nothing moves by itself any more, the clock goes on to the next timer. */
  until<T>(promise: Promise<T>): Promise<T>;
};

/** Enough turns of the loop for what is under way to come to rest; nothing here waits for the outer world. */
const TURNS = 3;

export function manualClock(startMs = 1_000_000): ManualClock {
  let now = startMs;
  let order = 0;
  const timers = new Map<number, { readonly at: number; readonly then: () => void }>();
  const nextTimer = () => [...timers].sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  const fire = (id: number) => {
    const timer = timers.get(id)!;
    timers.delete(id);
    now = Math.max(now, timer.at);
    timer.then();
  };
  return {
    monotonic: () => now,
    wall: () => now,
    after(ms, then) {
      const id = ++order;
      timers.set(id, { at: now + Math.max(0, ms), then });
      return { cancel: () => void timers.delete(id) };
    },
    advance(ms) {
      const end = now + ms;
      for (let next = nextTimer(); next !== undefined && next[1].at <= end; next = nextTimer()) fire(next[0]);
      now = end;
    },
    async until(promise) {
      let isSettled = false;
      const settle = () => {
        isSettled = true;
      };
      promise.then(settle, settle);
      for (;;) {
        for (let i = 0; i < TURNS && !isSettled; i += 1) await turn();
        if (isSettled) return await promise;
        const next = nextTimer();
        if (next === undefined) throw new Error('nothing will ever settle this');
        fire(next[0]);
      }
    },
  };
}
