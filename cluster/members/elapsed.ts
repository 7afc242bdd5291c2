/**
 * How long ago something was, for whoever must not believe too little: the larger of monotonic and wall clock, because the
 * monotonic clock stands still while a machine is suspended (docs/architecture.md, "Freshness").
 *
 * Whoever must not believe too much (how long another node's key has stood unchanged) asks the monotonic clock alone.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Service } from '../bus/bus.ts';

export type Moment = { readonly monotonic: number; readonly wall: number };

export const momentOf = (clock: Clock): Moment => ({ monotonic: clock.monotonic(), wall: clock.wall() });

export const elapsedMs = (clock: Clock, since: Moment): number =>
  Math.max(clock.monotonic() - since.monotonic, clock.wall() - since.wall);

/**
 * Resolves true as soon as `holds()`, looked at now and at each call that `subscribe` promises; false after `timeoutMs`,
 * which may be infinite. Rejects with the signal's reason when it is aborted first.
 */
export function waitUntil(
  clock: Clock,
  subscribe: (listener: () => void) => Service,
  holds: () => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (holds()) return Promise.resolve(true);
  if (timeoutMs <= 0) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const end = () => {
      timer?.cancel();
      void subscription.stop();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      end();
      reject(signal!.reason);
    };
    const subscription = subscribe(() => {
      if (!holds()) return;
      end();
      resolve(true);
    });
    const timer: Timer | undefined =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(timeoutMs, () => {
            end();
            resolve(holds());
          });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Settles with the promise, or rejects with the signal's reason, whichever comes first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
