/**
 * How long a front goes on asking when nobody answers for a mailHost: pauses that grow, until it is over
 * (docs/architecture.md, "Front during failover").
 */
import { type Clock, pause } from '../kernel/clock.ts';

export type Patience = {
  /** Waits a little, longer each time; false, at once, when patience is over or the signal aborted. */
  rest(): Promise<boolean>;
};

/** An owner's restart takes about a second: begin well below it, and don't ask much more often than it can change. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Says when to ask again, not how long an answer may take: who may not be asked a second time still gets a whole attempt.
 * @param patienceMs  may be Infinity: then only the signal ends it
 */
export function patience(
  clock: Clock,
  patienceMs: number,
  {
    signal,
    longestPauseMs = LONGEST_PAUSE_MS,
  }: { readonly signal?: AbortSignal; readonly longestPauseMs?: number } = {},
): Patience {
  const end = clock.monotonic() + patienceMs;
  let pauseMs = FIRST_PAUSE_MS;
  const leftMs = () => Math.max(0, end - clock.monotonic());
  return {
    async rest() {
      if (signal?.aborted || leftMs() === 0) return false;
      try {
        await pause(clock, Math.min(pauseMs, leftMs()), signal);
      } catch {
        return false; // aborted: nothing else rejects a pause
      }
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      return true;
    },
  };
}
