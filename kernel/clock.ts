/**
 * Time as an argument. Nothing below bin/ asks the machine for the time or sets a timer except through a Clock,
 * so that a test or a simulator can hold time still and move it.
 */
export type Timer = { cancel(): void };

export type Clock = {
  /** Milliseconds on a clock that never goes back; it may stand still while the machine is suspended. */
  monotonic(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump. */
  wall(): number;
  /** Calls `then` once, after `ms` milliseconds. The timer does not keep the process alive. */
  after(ms: number, then: () => void): Timer;
};

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal!.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
