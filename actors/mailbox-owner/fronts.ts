/**
 * Which fronts are gone? A session goes with the front that holds it, but a registration that has not reached this node's
 * mirror yet looks like one that was withdrawn: so a front counts as gone when it was registered and is no more, or was
 * still not seen a grace period after it was first asked for.
 */
import type { Members } from '../../cluster/directory/directory.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Front } from '../../store/tables.ts';

/** Longer than a mirror lags behind, shorter than a user waits for a maildrop whose front died before this owner began. */
export const FRONT_GRACE_MS = 3_000;

export type Fronts = {
  isGone(front: Front): boolean;
  /** Calls back whenever a front may have become gone. */
  onGone(listener: () => void): void;
  stop(): Promise<void>;
};

export function watchFronts(members: Members, clock: Clock): Fronts {
  const seen = new Set<string>();
  /** Fronts that were asked for and never seen: since when, and the timer that asks again. */
  const unseen = new Map<string, { readonly since: number; readonly timer: Timer }>();
  const listeners: (() => void)[] = [];
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const note = () => {
    for (const front of members.list()) {
      const name = nameOf(front);
      seen.add(name);
      unseen.get(name)?.timer.cancel();
      unseen.delete(name);
    }
  };
  const subscription = members.onChange(() => {
    note();
    tell();
  });
  note();

  const isGoneUnseen = (name: string): boolean => {
    const since = unseen.get(name)?.since;
    if (since === undefined) {
      unseen.set(name, { since: clock.monotonic(), timer: clock.after(FRONT_GRACE_MS, tell) });
      return false;
    }
    return clock.monotonic() - since >= FRONT_GRACE_MS;
  };
  return {
    isGone(front) {
      // A mirror that has no node at all, not even this one, is being loaded: it says nothing of anybody.
      if (members.isRegistered(front.me, front.startId) || members.list().length === 0) return false;
      return seen.has(nameOf(front)) || isGoneUnseen(nameOf(front));
    },
    onGone: (listener) => void listeners.push(listener),
    async stop() {
      for (const { timer } of unseen.values()) timer.cancel();
      await subscription.stop();
    },
  };
}

const nameOf = ({ me, startId }: Front): string => `${startId} ${me}`;
