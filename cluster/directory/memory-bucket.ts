/**
 * The bucket in memory: one server, several clients, and the faults a network has. For tests and the simulator.
 *
 * Deliveries to a client go through that client's clock, so that a node whose clock stands still (a stopped process) hears
 * nothing until it goes on, and then everything at once, old news first.
 */
import type { Clock } from '../../kernel/clock.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { type Bucket, BucketFault, type Entry, type WatchEvent } from './bucket.ts';

export type Snapshot = { readonly last: number; readonly entries: readonly Entry[] };

export type MemoryBucketServer = {
  client(clock: Clock, faults?: Partial<Faults>): MemoryBucketClient;
  /** Writes as a stranger would, without regard for any revision. */
  raw(key: string, value: Uint8Array | undefined): number;
  entry(key: string): Entry | undefined;
  snapshot(): Snapshot;
  /** Becomes what it was at the snapshot; every client's connection breaks, as when the server restarts. */
  restore(snapshot: Snapshot): void;
};

export type Faults = {
  /** Milliseconds that each message takes, either way. */
  latencyMs(): number;
  /** What happens to the next write: done as asked; done, and its acknowledgement lost; lost before it was done. */
  fate(key: string): 'done' | 'ack-lost' | 'lost';
};

export type MemoryBucketClient = Bucket & { cut(): void; mend(): void; isCut(): boolean };

type Watcher = { push(event: WatchEvent): void; fail(): void };

export function memoryBucketServer(): MemoryBucketServer {
  const entries = new Map<string, Entry>();
  const watchers = new Set<Watcher>();
  let last = 0;

  const store = (key: string, value: Uint8Array | undefined): number => {
    const entry = { key, revision: ++last, value };
    entries.set(key, entry);
    for (const watcher of watchers) watcher.push({ kind: 'entry', entry });
    return entry.revision;
  };

  const write = (key: string, value: Uint8Array, expected: number): Result<number, 'conflict'> =>
    (entries.get(key)?.revision ?? 0) === expected ? accept(store(key, value)) : refuse('conflict');

  const client = (clock: Clock, faults: Partial<Faults> = {}): MemoryBucketClient => {
    const latencyMs = faults.latencyMs ?? (() => 0);
    const mine = new Set<Watcher>();
    let isCut = false;
    let cuts = 0;
    let closed = false;

    /** One message; what is under way when the connection is cut is lost. Order is kept by `busyUntil`. */
    const lane = () => {
      let busyUntil = 0;
      return (then: () => void) => {
        const cut = cuts;
        busyUntil = Math.max(busyUntil, clock.monotonic() + latencyMs());
        clock.after(busyUntil - clock.monotonic(), () => {
          if (cut === cuts && !isCut) then();
        });
      };
    };
    const toServer = lane();
    const toClient = lane();

    const exchange = <T>(what: string, timeoutMs: number, ask: (answer: (value: T) => void) => void): Promise<T> =>
      new Promise((resolve, reject) => {
        if (isCut || closed) return reject(new BucketFault('unavailable', what));
        const timer = clock.after(timeoutMs, () => reject(new BucketFault('unknown', what)));
        toServer(() =>
          ask((value) =>
            toClient(() => {
              timer.cancel();
              resolve(value);
            }),
          ),
        );
      });

    return {
      write: (key, value, expected, timeoutMs) =>
        exchange(`write ${key}`, timeoutMs, (answer) => {
          const fate = faults.fate?.(key) ?? 'done';
          if (fate === 'lost') return;
          const result = write(key, value, expected);
          if (fate === 'done') answer(result);
        }),
      read: (key, timeoutMs) =>
        exchange<Entry | undefined>(`read ${key}`, timeoutMs, (answer) => answer(entries.get(key))).catch((error) => {
          throw error instanceof BucketFault ? new BucketFault('unavailable', `read ${key}`) : error;
        }),
      async *watch(after, signal) {
        if (isCut || closed) throw new BucketFault('unavailable', 'watch');
        const queue: (WatchEvent | 'failed')[] = [];
        let wake = () => {};
        const deliver = lane();
        const arrive = (event: WatchEvent | 'failed') => {
          queue.push(event);
          wake();
        };
        const watcher: Watcher = {
          push: (event) => deliver(() => arrive(event)),
          fail: () => arrive('failed'),
        };
        const onAbort = () => wake();
        signal.addEventListener('abort', onAbort, { once: true });
        mine.add(watcher);
        toServer(() => {
          const old = [...entries.values()].filter(({ revision }) => revision > after);
          for (const entry of old.sort((a, b) => a.revision - b.revision)) watcher.push({ kind: 'entry', entry });
          watcher.push({ kind: 'caught-up' });
          watchers.add(watcher);
        });
        try {
          while (!signal.aborted) {
            const event = queue.shift();
            if (event === 'failed') throw new BucketFault('unavailable', 'watch');
            if (event) yield event;
            else
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
          }
        } finally {
          signal.removeEventListener('abort', onAbort);
          mine.delete(watcher);
          watchers.delete(watcher);
        }
      },
      cut() {
        isCut = true;
        cuts++;
        for (const watcher of mine) {
          watchers.delete(watcher);
          clock.after(0, () => watcher.fail());
        }
      },
      mend() {
        isCut = false;
      },
      isCut: () => isCut,
      async close() {
        closed = true;
        for (const watcher of mine) watcher.fail();
      },
    };
  };

  const clients = new Set<MemoryBucketClient>();
  return {
    client(clock, faults) {
      const made = client(clock, faults);
      clients.add(made);
      return made;
    },
    raw: store,
    entry: (key) => entries.get(key),
    snapshot: () => ({ last, entries: [...entries.values()] }),
    restore(snapshot) {
      entries.clear();
      for (const entry of snapshot.entries) entries.set(entry.key, entry);
      last = snapshot.last;
      for (const client of clients) {
        if (client.isCut()) continue;
        client.cut();
        client.mend();
      }
    },
  };
}
