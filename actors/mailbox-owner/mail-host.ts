/**
 * One mailHost on this node, from waiting for its lease to giving it back: runs `mailHostMachine` with tenures. A lost
 * lease is waited for again; a store that failed ends it, since it must be opened anew: that is the supervisor's to do.
 */
import { createActor, fromPromise } from 'xstate';
import type { Lease, Leases } from '../../cluster/leases/ownership.ts';
import { timersOf } from '../machine-clock.ts';
import { mailHostMachine } from './machine.ts';
import { createTenure, type Tenure, type TenureInspection, type TenureParts } from './tenure.ts';

export type MailHostParts = Omit<TenureParts, 'lease'> & { readonly leases: Pick<Leases, 'acquire'> };

export type MailHost = {
  /** How it ended: `failed` with the fault's words when its store or its lease can't be had as they are. */
  readonly ended: Promise<{ readonly how: 'stopped' } | { readonly how: 'failed'; readonly fault: string }>;
  /** Resolves when this node serves the mailHost; never when it ends before. */
  readonly served: Promise<void>;
  /** Drains, gives the lease back, and resolves when all of it is done. The store stays open: it is its opener's. */
  stop(): Promise<void>;
  inspect(): MailHostInspection;
};
export type MailHostInspection = {
  readonly mailHost: string;
  readonly state: string;
  readonly tenure: TenureInspection | null;
};

export function startMailHost(parts: MailHostParts): MailHost {
  const { store, leases, clock, log } = parts;
  const { mailHost, storeId } = store.identity;
  let lease: Lease | undefined;
  let tenure: Tenure | undefined;
  let leaving: Promise<void> | undefined;

  const leave = async (): Promise<void> => {
    const [ending, given] = [tenure, lease];
    tenure = undefined;
    lease = undefined;
    await ending?.stop();
    await given?.release();
  };

  const machine = mailHostMachine.provide({
    actors: {
      acquireLease: fromPromise(async ({ signal }) => {
        const acquired = await leases.acquire(mailHost, store.applied().epoch, storeId, signal);
        if (signal.aborted) {
          await acquired.release(); // it came when nobody waited for it any more
          throw signal.reason;
        }
        lease = acquired;
        tenure = createTenure({ ...parts, lease });
        return lease.epoch;
      }),
      beginEpoch: fromPromise(() => tenure!.begin()),
      watch: fromPromise(() => tenure!.over),
      // A STOP may come while the lease's loss or a fault is being dealt with: it waits for the same end.
      leave: fromPromise(() => {
        leaving ??= leave().finally(() => {
          leaving = undefined;
        });
        return leaving;
      }),
    },
  });
  const actor = createActor(machine, { input: { mailHost }, clock: timersOf(clock) });
  const served = new Promise<void>((resolve) => {
    actor.subscribe((snapshot) => {
      log.info('mailHost', { mailHost, state: String(snapshot.value), epoch: snapshot.context.epoch });
      if (snapshot.matches('serving')) resolve();
    });
  });
  const ended: MailHost['ended'] = new Promise((resolve) => {
    actor.subscribe({
      complete: () => {
        const { value, context } = actor.getSnapshot();
        if (value === 'failed') log.error('mailHost failed', { mailHost, fault: context.fault });
        resolve(value === 'failed' ? { how: 'failed', fault: context.fault ?? '' } : { how: 'stopped' });
      },
    });
  });
  actor.start();
  return {
    ended,
    served,
    async stop() {
      actor.send({ type: 'STOP' });
      await ended;
    },
    inspect: () => ({
      mailHost,
      state: String(actor.getSnapshot().value),
      tenure: tenure?.inspect() ?? null,
    }),
  };
}
