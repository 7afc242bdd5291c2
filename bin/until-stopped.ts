/** How a program that serves comes to its end: by SIGTERM or SIGINT, or because a part of it was given up. */
import { CommandError } from './command-error.ts';

/** Aborted by the first SIGTERM or SIGINT, also while the node still starts. A second one does not wait. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort(new Error('stopped by a signal'));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stopping.signal;
}

/** Signals that would end a process nobody prepared for them. SIGUSR1 would open Node's debugger. */
const HARMLESS = ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const;

/** A server ends by SIGTERM and SIGINT only: these are heard, or do nothing. */
export function outlive({ SIGHUP }: { readonly SIGHUP: () => void }): void {
  process.on('SIGHUP', SIGHUP);
  for (const signal of HARMLESS) process.on(signal, () => {});
}

/** What was started; undefined when the signal, as asked, put an end to starting it. */
export const unlessStopped = <T>(started: Promise<T>, signal: AbortSignal): Promise<T | undefined> =>
  started.catch((error) => {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  });

type Stoppable = {
  /** Resolves with the fault when it can't go on; never otherwise. */
  readonly failed?: Promise<Error>;
  stop(): Promise<void>;
};

/** Waits for the signal, then for the node's own end. A node that gave up a part of itself is stopped and thrown about. */
export async function untilStopped(node: Stoppable, signal: AbortSignal = stopSignal()): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const fault = await Promise.race(node.failed ? [stopped, node.failed] : [stopped]);
  await node.stop();
  if (fault) throw new CommandError(fault.message);
}
