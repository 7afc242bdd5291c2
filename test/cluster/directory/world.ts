/**
 * A small world for tests: one clock that moves only when told, a bucket in memory, a bus between nodes, and nodes that can
 * be cut off, stopped (as by SIGSTOP), suspended (the machine's monotonic clock stands still) and killed.
 */

import { type Bus, BusError, type Handler } from '../../../cluster/bus/bus.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import { joinBucket } from '../../../cluster/directory/init-directory.ts';
import {
  type Faults,
  type MemoryBucketClient,
  type MemoryBucketServer,
  memoryBucketServer,
} from '../../../cluster/directory/memory-bucket.ts';
import { type MemoryEntryStore, memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import {
  type ClusterOptions,
  type OpenDirectory,
  openClusterDirectory,
} from '../../../cluster/directory/open-directory.ts';
import { sealWith } from '../../../cluster/directory/seal.ts';
import { subjects } from '../../../cluster/subjects.ts';
import type { Clock } from '../../../kernel/clock.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';

/** Time stands still but in `run` and `until`. */
export function fakeClock() {
  let now = 0;
  let order = 0;
  const timers = new Set<{ at: number; order: number; then: () => void }>();
  const next = () => {
    let first: { at: number; order: number; then: () => void } | undefined;
    for (const timer of timers) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const clock: Clock = {
    monotonic: () => now,
    wall: () => 1_800_000_000_000 + now,
    after(ms, then) {
      const timer = { at: now + Math.max(0, ms), order: order++, then };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
  };
  /** Lets `ms` pass, or less when `done()`; true when it was done. */
  const until = async (done: () => boolean, ms: number): Promise<boolean> => {
    const end = now + ms;
    await settle();
    for (;;) {
      if (done()) return true;
      const timer = next();
      if (!timer || timer.at > end) break;
      timers.delete(timer);
      now = timer.at;
      timer.then();
      await settle();
    }
    now = end;
    return done();
  };
  return { ...clock, until, run: async (ms: number) => void (await until(() => false, ms)) };
}

export type FakeClock = ReturnType<typeof fakeClock>;

/** A process's own clock: stopped, its timers wait; suspended, its monotonic clock stands still too. */
export function processClock(world: FakeClock) {
  let stoppedAt: number | undefined;
  let isSuspended = false;
  let lostMs = 0;
  /** What came while the process was stopped, in order; what comes before all of it has been taken, comes after it. */
  const held: (() => void)[] = [];
  const takeHeld = () => {
    if (stoppedAt !== undefined) return;
    held.shift()?.();
    if (held.length > 0) world.after(0, takeHeld);
  };
  return {
    monotonic: () => (isSuspended ? stoppedAt! : world.monotonic()) - lostMs,
    wall: () => world.wall(),
    after: (ms: number, then: () => void) => {
      let cancelled = false;
      const timer = world.after(ms, () => {
        if (stoppedAt === undefined && held.length === 0) then();
        else held.push(() => !cancelled && then());
      });
      return {
        cancel() {
          cancelled = true;
          timer.cancel();
        },
      };
    },
    stop(suspend = false) {
      stoppedAt ??= world.monotonic();
      isSuspended = suspend;
    },
    go() {
      if (stoppedAt === undefined) return;
      if (isSuspended) lostMs += world.monotonic() - stoppedAt;
      stoppedAt = undefined;
      isSuspended = false;
      if (held.length > 0) world.after(0, takeHeld);
    },
    isStopped: () => stoppedAt !== undefined,
  };
}

export type WorldNode = OpenDirectory & {
  readonly me: string;
  readonly clock: ReturnType<typeof processClock>;
  readonly bucket: MemoryBucketClient;
  readonly store: MemoryEntryStore;
  readonly faults: Partial<Faults>;
  cut(): void;
  mend(): void;
  /** SIGKILL: nothing of it runs on; what its disk had is given back. */
  kill(): MemoryEntryStore;
};

export type NodeOptions = Partial<ClusterOptions> & {
  readonly me: string;
  readonly disk?: MemoryEntryStore;
  readonly dataId?: string;
};

export type World = {
  readonly clock: FakeClock;
  readonly server: MemoryBucketServer;
  readonly seal: ReturnType<typeof sealWith>;
  /** Everything logged at error level, by any node. */
  readonly errors: string[];
  /** Everything logged at info level. */
  readonly said: { readonly message: string; readonly fields: unknown }[];
  readonly nodes: WorldNode[];
  /** Opens a node; time must be let pass by the caller. */
  open(options: NodeOptions): Promise<WorldNode>;
  node(options: NodeOptions): Promise<WorldNode>;
  /** A node that is registered and fresh. */
  fresh(options: NodeOptions): Promise<WorldNode>;
  close(): Promise<void>;
};

export const MAX_STALE_MS = 3000;
export const CLUSTER = 'test';

export async function createWorld(
  options: { readonly latencyMs?: () => number; readonly mailHosts?: readonly string[] } = {},
): Promise<World> {
  const latencyMs = options.latencyMs ?? (() => 1);
  const clock = fakeClock();
  const server = memoryBucketServer();
  const seal = sealWith(new Uint8Array(32).fill(7));
  const errors: string[] = [];
  const nodes: WorldNode[] = [];
  let starts = 0;
  const served = new Map<string, { node: string; handler: Handler }>();
  const links = new Map<string, { isCut: boolean; clock: ReturnType<typeof processClock> }>();
  const names = subjects(CLUSTER);
  const said: { readonly message: string; readonly fields: unknown }[] = [];
  const log: Log = {
    ...silentLog,
    info: (message, fields) => void said.push({ message, fields }),
    error: (message) => void errors.push(message),
    with: () => log,
  };

  const busOf = (me: string): Pick<Bus, 'ask' | 'serve'> => ({
    ask: (subject, request, { timeoutMs, signal }) =>
      new Promise((resolve, rejectPromise) => {
        const mine = links.get(me)!;
        const onAbort = () => fail(signal!.reason);
        const reject = (error: unknown) => {
          signal?.removeEventListener('abort', onAbort);
          rejectPromise(error);
        };
        if (mine.isCut) return reject(new BusError('disconnected', subject));
        const there = served.get(subject);
        const theirs = there && links.get(there.node);
        const fail = (error: unknown) => {
          timer.cancel();
          reject(error);
        };
        const timer = mine.clock.after(timeoutMs, () => reject(new BusError('timeout', subject)));
        signal?.addEventListener('abort', onAbort, { once: true });
        if (!there || !theirs || theirs.isCut) {
          mine.clock.after(latencyMs(), () => fail(new BusError('no-responders', subject)));
          return;
        }
        theirs.clock.after(latencyMs(), async () => {
          if (theirs.isCut) return;
          const answered = await Promise.resolve(there.handler(request)).then(accept, () => refuse('fault' as const));
          mine.clock.after(latencyMs(), () => {
            if (mine.isCut || theirs.isCut) return;
            if (!answered.ok) return fail(new BusError(answered.refusal, subject));
            timer.cancel();
            signal?.removeEventListener('abort', onAbort);
            resolve(answered.value);
          });
        });
      }),
    async serve(subject, handler) {
      const entry = { node: me, handler };
      served.set(subject, entry);
      return {
        async stop() {
          if (served.get(subject) === entry) served.delete(subject);
        },
      };
    },
  });

  const mailHosts = (options.mailHosts ?? []).map((mailHost) => ({ mailHost, storeId: `store of ${mailHost}` }));
  const init = joinBucket(server.client(clock), {
    me: 'init',
    path: '',
    seal,
    clock,
    settings: { cluster: CLUSTER, maxStaleMs: MAX_STALE_MS },
    mailHosts,
  });
  await clock.until(() => false, 100);
  await init;

  const world: World = {
    clock,
    server,
    seal,
    errors,
    said,
    nodes,
    async open({ me, disk, dataId = `data of ${me}`, ...rest }) {
      const own = processClock(clock);
      const faults: Partial<Faults> = { latencyMs };
      const bucket = server.client(own, faults);
      const store = disk ?? memoryEntryStore(dataId);
      links.set(me, { isCut: false, clock: own });
      const opened = await openClusterDirectory({
        me,
        startId: `start ${++starts}`,
        mailHosts: [me],
        cluster: CLUSTER,
        subjects: names,
        store,
        bucket,
        seal,
        clock: own,
        log,
        bus: busOf(me),
        ...rest,
      });
      const link = links.get(me)!;
      const node: WorldNode = {
        ...opened,
        me,
        clock: own,
        bucket,
        store,
        faults,
        cut() {
          link.isCut = true;
          bucket.cut();
        },
        mend() {
          link.isCut = false;
          bucket.mend();
        },
        kill() {
          own.stop();
          link.isCut = true;
          bucket.cut();
          nodes.splice(nodes.indexOf(node), 1);
          return store.crash();
        },
      };
      nodes.push(node);
      return node;
    },
    node: (nodeOptions) => settled(world, world.open(nodeOptions)),
    async fresh(nodeOptions) {
      const node = await world.node(nodeOptions);
      if (!(await clock.until(() => node.directory.isFresh(), 20_000))) throw new Error(`${node.me} did not get fresh`);
      return node;
    },
    async close() {
      const closing = nodes.map((node) => {
        node.clock.go();
        return node.close();
      });
      await clock.run(60_000);
      await Promise.all(closing);
    },
  };
  return world;
}

/** Waits, in the world's time, for a promise. */
export async function settled<T>(world: { readonly clock: FakeClock }, promise: Promise<T>, ms = 60_000): Promise<T> {
  let isOver = false;
  promise.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  if (!(await world.clock.until(() => isOver, ms))) throw new Error(`not settled within ${ms} ms`);
  return promise;
}

/** An edit that sets who may log in; the "password" of these tests is a setting. */
export const edit =
  (name: string, quotaOctets: number) =>
  (current: Account | undefined): Omit<Account, 'version' | 'changedBy'> => ({
    id: current?.id ?? `id of ${name}`,
    name,
    mailHost: 'n1',
    status: 'active',
    credentials: {},
    settings: { quotaOctets },
  });
