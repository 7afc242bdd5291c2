/**
 * One thing waited for: settled once, by its answer, its time limit, its signal, or a bus that closes.
 */
import type { Clock } from '../../kernel/clock.ts';
import { BusError } from './bus.ts';

export type Waiting<T> = {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
};

export type WaitOptions = {
  readonly clock: Clock;
  readonly subject: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when settled: to forget what led here. */
  readonly onSettled?: () => void;
};

/** Rejects by itself with BusError `timeout` after `timeoutMs`, and with the signal's own reason when that is aborted. */
export function waiting<T>({ clock, subject, timeoutMs, signal, onSettled }: WaitOptions): Waiting<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  let isSettled = false;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  const settle = (then: () => void) => {
    if (isSettled) return;
    isSettled = true;
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
    onSettled?.();
    then();
  };
  const onAbort = () => settle(() => reject(signal!.reason));
  const timer = clock.after(timeoutMs, () => settle(() => reject(new BusError('timeout', subject))));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return {
    promise,
    resolve: (value) => settle(() => resolve(value)),
    reject: (reason) => settle(() => reject(reason)),
  };
}

/** Counts what runs, and tells when nothing does any more. */
export class Running {
  #count = 0;
  #waiters: (() => void)[] = [];

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }
}
