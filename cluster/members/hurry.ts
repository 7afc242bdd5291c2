/** A pause that others may cut short: the next heartbeat, or the next attempt, is wanted now. */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { waitUntil } from './elapsed.ts';
import { createListeners } from './listeners.ts';

export type Hurry = {
  /** Ends the pause under way, or else the next one before it begins. */
  now(): void;
  /** Up to `ms`. Rejects with the signal's reason when it is aborted first. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
};

export function createHurry(clock: Clock, log: Log): Hurry {
  const listeners = createListeners<void>(log);
  let isWanted = false;
  return {
    now() {
      isWanted = true;
      listeners.tell();
    },
    async pause(ms, signal) {
      await waitUntil(clock, listeners.add, () => isWanted, ms, signal);
      isWanted = false;
    },
  };
}
