/**
 * The mailbox-owner actors of one tenure: one for each account in use, started when a session opens its maildrop and gone
 * when it has been idle for a while. They hold no mail and decide nothing: the store is the truth, these show who uses it.
 */
import { type Actor, createActor, fromPromise } from 'xstate';
import type { Clock } from '../../kernel/clock.ts';
import type { Store } from '../../store/store.ts';
import { locks } from '../../store/tables.ts';
import { timersOf } from '../machine-clock.ts';
import { type LiveSession, mailboxOwnerMachine } from './machine.ts';

export type AccountInUse = {
  readonly account: string;
  readonly state: string;
  readonly sessions: readonly LiveSession[];
};

export type AccountsInUse = {
  opened(account: string, live: LiveSession): void;
  ended(account: string, session: string): void;
  list(): AccountInUse[];
  stop(): void;
};

/** @param passivateAfterMs  how long an account may have nothing to do before its actor goes to sleep */
export function accountsInUse(store: Store, clock: Clock, passivateAfterMs: number): AccountsInUse {
  const owners = new Map<string, Actor<typeof mailboxOwnerMachine>>();
  const machine = mailboxOwnerMachine.provide({
    delays: { passivation: passivateAfterMs },
    actors: {
      load: fromPromise(async ({ input }) => {
        const held = store.read((view) => locks.get(view, input.account));
        return held ? [{ session: held.session, lock: held.lock }] : [];
      }),
    },
  });
  const wake = (account: string): Actor<typeof mailboxOwnerMachine> => {
    const owner = createActor(machine, { input: { account }, clock: timersOf(clock) });
    owner.subscribe({ complete: () => void owners.delete(account) }); // asleep
    owners.set(account, owner);
    return owner.start();
  };
  return {
    opened: (account, live) => (owners.get(account) ?? wake(account)).send({ type: 'session.opened', live }),
    ended: (account, session) => owners.get(account)?.send({ type: 'session.ended', session }),
    list: () =>
      [...owners.values()].map((owner) => {
        const { value, context } = owner.getSnapshot();
        return { account: context.account, state: String(value), sessions: context.sessions };
      }),
    stop() {
      for (const owner of owners.values()) owner.stop();
      owners.clear();
    },
  };
}
