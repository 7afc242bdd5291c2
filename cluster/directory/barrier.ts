/**
 * The barrier: when may a change be called done (docs/architecture.md, "The barrier").
 *
 * When every registered node has confirmed it, on its disk; or when max-stale plus a margin has passed since the commit was
 * certain, for then a node whose freshness is older has become stale by itself, and one whose freshness is newer applied a
 * heartbeat that came after the change. Time is counted by the monotonic clock alone: here it must not seem to run too fast.
 */
import type { Clock } from '../../kernel/clock.ts';
import { type Bus, BusError, type Service } from '../bus/bus.ts';
import { waitUntil } from '../members/elapsed.ts';
import type { Subjects } from '../subjects.ts';
import type { Member } from './directory.ts';
import type { Mirror } from './mirror.ts';

/** A committed record that others must have applied. */
export type Landmark = {
  readonly key: string;
  readonly revision: number;
  readonly version: number;
  readonly by: string;
};

export type AppliedRequest = Landmark & { readonly startId: string; readonly waitMs: number };
export type AppliedAnswer = { readonly applied: boolean };

export type BarrierOptions = {
  readonly me: string;
  readonly startId: string;
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly bus: Pick<Bus, 'ask' | 'serve'>;
  readonly subjects: Subjects;
  readonly retryMs: number;
};

/**
 * Has this mirror taken that very change, or one built upon it? A revision alone would not tell: a bucket that went back
 * gives out the same ones again.
 */
function hasTaken(mirror: Mirror, { key, revision, version, by }: Landmark): boolean {
  if (!mirror.isLive() || mirror.applied() < revision) return false;
  const held = mirror.get(key);
  if (!held || held.revision < revision || mirror.broken().has(key)) return false;
  const isIt = held.record.by === by && held.record.version === version;
  return isIt || (held.record.version === version + 1 && held.record.after === revision);
}

/** Answers other nodes' barriers on `node.<me>.applied`; to be served before this node registers. */
export function serveApplied(options: BarrierOptions, stopping: AbortSignal): Promise<Service> {
  const { me, startId, mirror, clock, bus, subjects } = options;
  return bus.serve(subjects.node(me, 'applied'), async (message): Promise<AppliedAnswer> => {
    const request = message as AppliedRequest;
    if (request.startId !== startId) return { applied: false };
    const moved = (listener: () => void) => mirror.onMoved(listener);
    const waitMs = Math.min(request.waitMs, 60_000);
    try {
      const isTaken = await waitUntil(clock, moved, () => hasTaken(mirror, request), waitMs, stopping);
      if (isTaken) await mirror.durable(request.key);
      return { applied: isTaken };
    } catch (error) {
      if (stopping.aborted) return { applied: false };
      throw error;
    }
  });
}

/**
 * Waits until no node acts on what was before the landmark. Rejects with the signal's reason when aborted.
 * @param certainAt  monotonic: when the commit was certain
 * @param limitMs  max-stale plus margin
 */
export async function passBarrier(
  options: BarrierOptions,
  landmark: Landmark,
  members: () => readonly Member[],
  certainAt: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { me, mirror, clock, retryMs } = options;
  const confirmed = new Set<string>();
  const asking = new Set<string>();
  const remainingMs = () => certainAt + limitMs - clock.monotonic();
  let fault: { readonly error: unknown } | undefined;
  // from here on the registrations enumerate every node that may lack it
  const canEnumerate = () => mirror.isLive() && !mirror.hasGap() && mirror.applied() >= landmark.revision;
  const isDone = () =>
    fault !== undefined ||
    remainingMs() <= 0 ||
    (canEnumerate() && members().every((member) => member.me === me || confirmed.has(nameOf(member))));

  let wake = () => {};
  const confirm = async (member: Member): Promise<void> => {
    asking.add(nameOf(member));
    try {
      if (await isApplied(options, landmark, member, remainingMs(), signal)) confirmed.add(nameOf(member));
    } finally {
      // a node that could not be asked is asked again, soon but not at once
      clock.after(confirmed.has(nameOf(member)) ? 0 : retryMs, () => {
        asking.delete(nameOf(member));
        wake();
      });
      wake();
    }
  };
  const askThose = () => {
    if (!canEnumerate()) return;
    for (const member of members()) {
      if (member.me === me || confirmed.has(nameOf(member)) || asking.has(nameOf(member))) continue;
      if (remainingMs() <= 0 || signal.aborted) return;
      confirm(member).catch((error) => {
        fault = { error };
        wake();
      });
    }
  };
  const subscribe = (listener: () => void): Service => {
    const moved = mirror.onMoved(listener);
    wake = listener;
    return {
      async stop() {
        wake = () => {};
        await moved.stop();
      },
    };
  };
  await waitUntil(
    clock,
    subscribe,
    () => {
      askThose();
      return isDone();
    },
    Math.max(remainingMs(), 0),
    signal,
  );
  if (fault) throw (fault as { error: unknown }).error;
}

const nameOf = ({ me, startId }: Member): string => `${me} ${startId}`;

async function isApplied(
  { bus, subjects }: BarrierOptions,
  landmark: Landmark,
  { me, startId }: Member,
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const request: AppliedRequest = { ...landmark, startId, waitMs };
  try {
    const answer = await bus.ask(subjects.node(me, 'applied'), request, { timeoutMs: waitMs, signal });
    return (answer as AppliedAnswer).applied === true;
  } catch (error) {
    if (error instanceof BusError || signal.aborted) return false; // unreachable, or it has no disk: time will tell
    throw error;
  }
}
