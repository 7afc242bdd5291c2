/**
 * What an owner does when nobody asks: ends the sessions of fronts that are gone, removes what is left of deleted mailboxes
 * and bodies that nothing names, and forgets sessions that ended long ago. All of it in small operations through the same
 * writer as everything else, so that nobody waits long behind it and followers do the same.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Store } from '../../store/store.ts';
import { garbage, goingMailboxes, sessions } from '../../store/tables.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Fronts } from './fronts.ts';
import type { Sweep } from './operation.ts';
import { MOST_DELETED_AT_ONCE } from './operations/change-mailboxes.ts';
import type { Writer } from './writer.ts';

const COLLECT_DELAY_MS = 200;
/** After a refusal: the disk is full, or the writer has more to do than it can. */
const RETRY_DELAY_MS = 2_000;
/** 32 chunks are some 4 MiB, a few milliseconds of a writer's time. */
const COLLECT_CHUNKS = 32;
const FORGET_EVERY_MS = 60_000;
const FORGET_AT_ONCE = 500;
/** Sessions looked at in one turn of the event loop. */
const SWEEP_PAGE = 1_000;

export type Housekeeping = {
  /** There may be bodies to collect, or mailboxes to clear. */
  stir(): void;
  /** Resolves when what is under way is done; nothing more is begun. */
  stop(): Promise<void>;
};

export function keepHouse(options: {
  readonly store: Store;
  readonly writer: Writer;
  readonly fronts: Fronts;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each session that ended because its front is gone. */
  readonly onEnded: (sessions: readonly string[]) => void;
}): Housekeeping {
  const { store, writer, fronts, clock, log, onEnded } = options;
  const collecting = task(clock, log, 'collect', async () => {
    if (!store.read((view) => [...garbage.range(view, [], { limit: 1 })].length > 0)) return undefined;
    const collected = await writer.submit({ type: 'collect', mostChunks: COLLECT_CHUNKS });
    if (!collected.ok) return RETRY_DELAY_MS;
    return collected.value.ok && collected.value.value.more ? 0 : undefined;
  });
  const clearing = task(clock, log, 'clear', async () => {
    const [going] = store.read((view) => [...goingMailboxes.range(view, [], { limit: 1 })]);
    if (going === undefined) return undefined;
    const [account, mailbox] = going.key;
    const cleared = await writer.submit({ type: 'clear', account, mailbox, most: MOST_DELETED_AT_ONCE });
    collecting.wake(COLLECT_DELAY_MS);
    return cleared.ok ? 0 : RETRY_DELAY_MS;
  });
  const forgetting = task(clock, log, 'forget', async () => {
    const forgotten = await writer.submit({ type: 'forget', now: clock.wall(), most: FORGET_AT_ONCE });
    return forgotten.ok && forgotten.value.ok && forgotten.value.value.more ? 0 : FORGET_EVERY_MS;
  });
  const sweeping = task(clock, log, 'sweep', async () => {
    for (const gone of goneSessions(store, fronts)) {
      const swept = await writer.submit({ type: 'sweep', sessions: gone, now: clock.wall() });
      if (!swept.ok) return RETRY_DELAY_MS;
      if (!swept.value.ok || swept.value.value.length === 0) continue;
      log.info('sessions of gone fronts ended', { count: swept.value.value.length });
      onEnded(swept.value.value);
      collecting.wake(COLLECT_DELAY_MS);
    }
    return undefined;
  });

  fronts.onGone(() => sweeping.wake(0));
  sweeping.wake(0);
  const stir = (): void => {
    clearing.wake(COLLECT_DELAY_MS);
    collecting.wake(COLLECT_DELAY_MS);
  };
  stir();
  forgetting.wake(FORGET_EVERY_MS);
  return {
    stir,
    async stop() {
      await Promise.all([clearing.stop(), collecting.stop(), forgetting.stop(), sweeping.stop()]);
    },
  };
}

/** Page by page: each is read when the one before was dealt with. */
function* goneSessions(store: Store, fronts: Fronts): Iterable<Sweep['sessions']> {
  let after: [session: string] | undefined;
  do {
    const page = store.read((view) => [
      ...sessions.range(view, [], { limit: SWEEP_PAGE, ...(after !== undefined && { after }) }),
    ]);
    const gone = page.filter(({ row }) => fronts.isGone(row.front));
    if (gone.length > 0) yield gone.map(({ key, row }) => ({ session: key[0], front: row.front }));
    after = page.length < SWEEP_PAGE ? undefined : page.at(-1)!.key;
  } while (after !== undefined);
}

type Task = { wake(afterMs: number): void; stop(): Promise<void> };

/**
 * Runs `step` when woken, never twice at once; a wake while it runs makes it run again.
 * @param step  returns after how long it wants to run again; undefined: when it is woken
 */
function task(clock: Clock, log: Log, name: string, step: () => Promise<number | undefined>): Task {
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let again: number | undefined;
  let stopped = false;
  const wake = (afterMs: number): void => {
    if (stopped) return;
    if (running) again = Math.min(again ?? afterMs, afterMs);
    else if (!timer || afterMs === 0) {
      timer?.cancel();
      timer = clock.after(afterMs, run);
    }
  };
  const run = (): void => {
    timer = undefined;
    running = step()
      .catch((fault) => {
        log.error(`${name} failed`, { fault });
        return RETRY_DELAY_MS;
      })
      .then((next) => {
        running = undefined;
        const delays = [next, again].filter((delay) => delay !== undefined);
        again = undefined;
        if (delays.length > 0) wake(Math.min(...delays));
      });
  };
  return {
    wake,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
