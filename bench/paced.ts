/**
 * Runs one operation so many times a second, whether or not the ones before have ended, and measures how long each took from
 * when it was due: what clients see who do not wait for each other, and do not come more seldom when the server is slow.
 */
import { type Measured, summed } from './load.ts';

export type Pace = {
  readonly perSecond: number;
  /** One operation; throws when it failed. `number` counts from 0. */
  readonly operation: (number: number) => Promise<void>;
};

export type Paced = {
  /** Begins no more, waits for those under way, and tells what all came to. */
  end(): Promise<Measured>;
};

export function pace({ perSecond, operation }: Pace): Paced {
  const latencies: number[] = [];
  const underWay = new Set<Promise<void>>();
  let errors = 0;
  let firstError: string | undefined;
  let begun = 0;
  const from = performance.now();
  const one = async (dueMs: number): Promise<void> => {
    try {
      await operation(begun++);
      latencies.push(performance.now() - dueMs);
    } catch (error) {
      errors++;
      firstError ??= String(error);
    }
  };
  const timer = setInterval(() => {
    for (let dueMs = from + (begun * 1000) / perSecond; dueMs <= performance.now(); dueMs += 1000 / perSecond) {
      const running = one(dueMs);
      underWay.add(running);
      void running.then(() => underWay.delete(running));
    }
  }, 5);
  return {
    async end() {
      clearInterval(timer);
      const seconds = (performance.now() - from) / 1000;
      await Promise.all(underWay);
      return summed(latencies, seconds, { errors, firstError });
    },
  };
}
