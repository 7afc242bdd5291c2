/**
 * The store on disk: one LMDB environment in a directory of its own.
 *
 * What was seen with strace (lmdb 3.5 with the options below) is one `writev` of the new pages, one `fdatasync`, one
 * write of the meta page on a descriptor opened O_DSYNC, and only then the promise: a resolved commit is on the disk.
 * The writes run off the event loop; reads look through the memory map and copy out what they give.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type Database, open, type RootDatabase, type Transaction } from 'lmdb';
import { copyDatabase, DATA_FILE, isDatabaseFile, syncPath } from '../kernel/database-copy.ts';
import { causeOf, freeOctets, hasNoRoom, type PageCounts } from '../kernel/disk-room.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import { apply, inParts } from './apply.ts';
import { decode, encode } from './codec.ts';
import { convertFromFormat1 } from './convert.ts';
import { afterPrefix, decodeKey, encodeKey, justAfter } from './key.ts';
import type { View } from './key-value.ts';
import { keyOf, overlay, type Writes } from './overlay.ts';
import { type Applied, type JournalRecord, misfit, NOTHING_APPLIED } from './record.ts';
import { mustLeave, openReserve, type Reserve } from './reserve.ts';
import {
  type CommitRefusal,
  type CreateRefusal,
  type Identity,
  type OpenRefusal,
  type Store,
  StoreFault,
} from './store.ts';
import { FORMAT_VERSION } from './tables.ts';

const IDENTITY = Buffer.from('identity');
const APPLIED = Buffer.from('applied');

/**
 * `head` holds the identity and how far the store is, by a version that a transaction can compare; `state` holds what
 * the journal made, and is equal in all replicas.
 */
type Environment = { readonly root: RootDatabase; readonly head: Database<Buffer, Buffer>; readonly state: Database };

/** A store of which copies can be taken, and which can be looked at for long, while it goes on being written to. */
export type LmdbStore = Store & {
  /** About what a copy takes, in octets. */
  sizeOctets(): number;
  /** Copies what is committed by now, or a little more, to `data.mdb` in a directory that it makes; see kernel/database-copy.ts. */
  copyTo(directory: string): Promise<void>;
  /**
   * The state of one moment for as long as it is needed: the file grows by what is freed meanwhile. `close` waits for its
   * release, so whoever has one must hear when it is to stop.
   */
  snapshot(): Snapshot;
};
export type Snapshot = { readonly view: View; readonly applied: Applied; release(): void };

/**
 * Makes an empty store. It is made aside, under a name nobody has, and moved into place: an interrupted creation leaves
 * nothing that could be taken for a store, and nothing is ever removed.
 * @param path  the directory to make; its parents are made too
 */
export async function createLmdbStore(
  path: string,
  mailHost: string,
  storeId: string = randomUUID(),
): Promise<Result<Identity, CreateRefusal>> {
  if (existsSync(path)) return refuse({ kind: 'exists', path });
  const identity: Identity = { storeId, mailHost, formatVersion: FORMAT_VERSION };
  await mkdir(dirname(resolve(path)), { recursive: true, mode: 0o700 });
  const aside = await mkdtemp(`${resolve(path)}.unfinished-`); // mode 0700
  const { root, head } = openEnvironment(aside);
  await head.put(IDENTITY, encode(identity), 0);
  await head.put(APPLIED, encode(NOTHING_APPLIED), NOTHING_APPLIED.number);
  await root.close();
  await syncPath(aside);
  await rename(aside, path);
  await syncPath(dirname(resolve(path)));
  return accept(identity);
}

/** @param log  hears of a conversion, which takes its time */
export async function openLmdbStore(path: string, log: Log = silentLog): Promise<Result<LmdbStore, OpenRefusal>> {
  const file = join(path, DATA_FILE);
  if (!existsSync(file)) return refuse({ kind: 'missing', path });
  if (!isDatabaseFile(file)) return refuse({ kind: 'not-a-store', path });
  const environment = openEnvironment(path);
  const stored = environment.head.getBinary(IDENTITY);
  const identity = stored && decode<KeptIdentity>(stored);
  const refusal: OpenRefusal | undefined = !identity
    ? { kind: 'not-a-store', path }
    : identity.formatVersion > FORMAT_VERSION
      ? { kind: 'newer-format', path, found: identity.formatVersion, known: FORMAT_VERSION }
      : undefined;
  if (refusal || !identity) {
    await environment.root.close();
    return refuse(refusal ?? { kind: 'not-a-store', path });
  }
  const neededOctets = roomToConvert(environment, identity);
  const { bavail, bsize } = await statfs(path);
  if (neededOctets > 0 && bavail * bsize + freeOctets([environment.state, environment.head]) < neededOctets) {
    await environment.root.close();
    return refuse({ kind: 'no-room', path, neededOctets });
  }
  const converted = await convert(environment, identity, log).catch(async (fault: unknown) => {
    await environment.root.close();
    throw fault;
  });
  return accept(lmdbStore(path, environment, await openReserve(path), converted));
}

/** `converting`: it was begun to be made one of this format, and may be of neither. */
type KeptIdentity = Identity & { readonly converting?: true };

const isToBeConverted = ({ formatVersion, converting }: KeptIdentity): boolean =>
  formatVersion < FORMAT_VERSION || converting === true;

/** At most all pages of rows are written anew, once; what is freed of them is used again. */
function roomToConvert({ state }: Environment, identity: KeptIdentity): number {
  if (!isToBeConverted(identity)) return 0;
  const { treeBranchPageCount, treeLeafPageCount } = state.getStats() as PageCounts;
  return (treeBranchPageCount + treeLeafPageCount) * 4096 + 1024 * 1024;
}

/**
 * A store of an older format. It says that it is being converted before its first row is another, so that no older program
 * opens it if this is broken off; each step is on the disk before the next, and that it is done comes last.
 */
async function convert({ root, head, state }: Environment, kept: KeptIdentity, log: Log): Promise<Identity> {
  const { storeId, mailHost, formatVersion: from } = kept;
  const identity: Identity = { storeId, mailHost, formatVersion: FORMAT_VERSION };
  if (!isToBeConverted(kept)) return identity;
  await head.put(IDENTITY, encode({ ...identity, converting: true } satisfies KeptIdentity), 0);
  log.info('the store is being converted', { mailHost, from, to: FORMAT_VERSION, again: kept.converting === true });
  const view = viewOf(state);
  await convertFromFormat1(view, async (write) => {
    const pending = overlay(view);
    write(pending);
    await root.transaction(() => {
      for (const [name, value] of pending.writes) {
        if (value === undefined) state.remove(keyOf(name));
        else state.put(keyOf(name), value);
      }
    });
    root.resetReadTxn(); // or the next look may be one from before it
  });
  await head.put(IDENTITY, encode(identity), 0);
  log.info('the store was converted', { mailHost, to: FORMAT_VERSION });
  return identity;
}

/**
 * What a copy that nobody serves says of itself; leaves nothing beside it. It must be one that `copyTo` made.
 * @param path  the directory with `data.mdb`
 */
export async function inspectCopy(path: string): Promise<{ readonly identity: Identity; readonly applied: Applied }> {
  const { root, head } = openEnvironment(path, { readOnly: true });
  try {
    return {
      identity: decode<Identity>(mustBeThere(head.getBinary(IDENTITY))),
      applied: decode<Applied>(mustBeThere(head.getBinary(APPLIED))),
    };
  } finally {
    await root.close();
    await rm(join(path, 'lock.mdb'), { force: true });
  }
}

function openEnvironment(path: string, more: { readonly readOnly?: true } = {}): Environment {
  const root = open({
    path,
    ...more,
    noSubdir: false, // a mailHost's name may have a dot in it, which would otherwise make the path a file
    maxDbs: 2,
    overlappingSync: false, // a commit is synced when it resolves
    eventTurnBatching: false, // each commit is a batch of its own; the library's own batch has a promise nobody holds
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  return {
    root,
    head: root.openDB({ name: 'head', useVersions: true, encoding: 'binary', keyEncoding: 'binary' }),
    state: root.openDB({ name: 'state', encoding: 'binary', keyEncoding: 'binary' }),
  };
}

function lmdbStore(path: string, environment: Environment, reserve: Reserve, identity: Identity): LmdbStore {
  const { root, head, state } = environment;
  let applied: Applied = decode<Applied>(mustBeThere(head.getBinary(APPLIED)));
  let standing: 'open' | 'broken' | 'closed' = 'open';
  let running: Promise<unknown> = Promise.resolve();
  /** Copies under way and snapshots not yet released: the library must not be closed beneath them. */
  const inUse = new Set<Promise<unknown>>();
  const view = viewOf(state);

  const mustBeOpen = () => {
    if (standing !== 'open') throw new StoreFault(`${path} is ${standing}`);
  };
  const broken = (message: string, cause?: unknown): StoreFault => {
    standing = 'broken';
    return new StoreFault(`${path}: ${message}`, { cause });
  };

  /**
   * Writes and the new `applied` in one transaction, on the condition, checked inside it, that the record before is
   * still the last. A record's number is given to one record of a store only, so the number stands for its hash and epoch.
   */
  const transact = async (writes: Writes, record: JournalRecord): Promise<boolean> => {
    const next: Applied = { number: record.number, epoch: record.epoch, hash: record.hash };
    const done = await head.ifVersion(APPLIED, applied.number, () => {
      for (const [name, value] of writes) {
        if (value === undefined) state.remove(keyOf(name));
        else state.put(keyOf(name), value);
      }
      head.put(APPLIED, encode(next), next.number);
    });
    if (done) applied = next;
    return done;
  };

  const commit = async (record: JournalRecord): Promise<Result<null, CommitRefusal>> => {
    mustBeOpen();
    const wrong = misfit(applied, record);
    if (wrong) throw new StoreFault(`${path}: ${wrong}`);
    const pending = overlay(view);
    for (const change of record.changes) {
      let isFirst = true;
      for (const part of inParts(change)) {
        if (!isFirst) await turn(); // nothing is committed meanwhile: the view stays as it is
        isFirst = false;
        apply(pending, part);
      }
    }
    try {
      return await commitWithReserve(pending.writes, record);
    } catch (error) {
      throw error instanceof StoreFault ? error : broken('a commit failed', error);
    }
  };

  /** @returns false when there was no room for it, and nothing was written */
  const tryTransact = async (writes: Writes, record: JournalRecord): Promise<boolean> => {
    // A transaction that fails half-way can corrupt the library's heap and so end the process: it is not begun in vain.
    const { bavail, bsize } = await statfs(path);
    if (bavail * bsize + freeOctets([state, head]) < roomFor(environment, writes)) return false;
    try {
      if (await transact(writes, record)) return true;
    } catch (error) {
      const cause = await causeOf(error);
      if (await hasNoRoom(path, cause, roomFor(environment, writes))) return false;
      throw cause;
    }
    throw broken(`record ${record.number}: another process wrote to this store`);
  };

  /** What the reserve lacks must be free in the database before mail may come again: it would use that up. */
  const commitWithReserve = async (writes: Writes, record: JournalRecord): Promise<Result<null, CommitRefusal>> => {
    const left = mustLeave(record.changes);
    const leavesEnough = () => reserve.octets() + freeOctets([state, head]) >= left + roomFor(environment, writes);
    if (left > 0 && !reserve.isWhole()) {
      await reserve.refill();
      if (!reserve.isWhole() && !leavesEnough()) return refuse('full');
    }
    if (await tryTransact(writes, record)) return accept(null);
    // A little first, then all of it.
    for (const octets of [roomFor(environment, writes), Number.POSITIVE_INFINITY]) {
      if (reserve.octets() === 0 || (left > 0 && !leavesEnough())) break;
      await reserve.giveBack(octets);
      if (!(await tryTransact(writes, record))) continue;
      await reserve.refill();
      return accept(null);
    }
    await reserve.refill();
    return refuse('full');
  };

  return {
    identity,
    applied: () => applied,
    read(look) {
      mustBeOpen();
      return look(view);
    },
    commit(record) {
      const done = running.then(() => commit(record));
      running = done.catch(() => {});
      return done;
    },
    sizeOctets() {
      mustBeOpen();
      const { lastPageNumber, pageSize } = state.getStats() as { lastPageNumber: number; pageSize: number };
      return (lastPageNumber + 1) * pageSize;
    },
    async copyTo(directory) {
      mustBeOpen();
      await until(inUse, copyDatabase(root, directory));
    },
    snapshot() {
      mustBeOpen();
      root.resetReadTxn(); // or the transaction may be one that began before the last commit
      const transaction = root.useReadTransaction();
      let release: () => void = () => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      void until(inUse, released);
      let isOver = false;
      return {
        view: viewOf(state, transaction),
        applied: decode<Applied>(mustBeThere(getWithin(head, APPLIED, transaction))),
        release() {
          if (isOver) return;
          isOver = true;
          transaction.done();
          release();
        },
      };
    },
    async close() {
      await running;
      while (inUse.size > 0) await Promise.allSettled(inUse);
      if (standing === 'closed') return;
      standing = 'closed';
      await root.close();
    },
  };
}

/** Waits for it as one of those that are under way. */
async function until(underWay: Set<Promise<unknown>>, promise: Promise<unknown>): Promise<void> {
  underWay.add(promise);
  try {
    await promise;
  } finally {
    underWay.delete(promise);
  }
}

/** The library keeps one read transaction for a turn of the event loop and renews it after each commit. */
function viewOf(state: Database, transaction?: Transaction): View {
  const within = transaction ? { transaction } : {};
  return {
    get: (key) => owned(getWithin(state, encodeKey(key), transaction)),
    *range(prefix, { after, limit } = {}) {
      const below = encodeKey(prefix);
      const start = after ? justAfter(encodeKey(after)) : below;
      const end = afterPrefix(below);
      for (const { key, value } of state.getRange({ start, end, ...(limit !== undefined && { limit }), ...within })) {
        yield { key: decodeKey(key as Uint8Array), value: owned(value as Buffer)! };
      }
    },
  };
}

/** The library takes these options, though its types do not say so. */
type ReadsWithin = { getBinary(key: Buffer, options?: { transaction?: Transaction | undefined }): Buffer | undefined };
const getWithin = (from: Database, key: Buffer, transaction?: Transaction): Buffer | undefined =>
  (from as ReadsWithin).getBinary(key, { transaction });

/** A plain Uint8Array over the copy that the library made, which for large values has a `length` of its own. */
const owned = (value: Buffer | undefined): Buffer | undefined =>
  value && Buffer.from(value.buffer, value.byteOffset, value.byteLength);

/**
 * What the pages of a transaction take at most: a path of pages for each key, but no page of the trees twice; and what is
 * written, in pages that may be half empty.
 */
function roomFor({ state }: Environment, writes: Writes): number {
  const { treeBranchPageCount, treeLeafPageCount } = state.getStats() as PageCounts;
  let octets = Math.min(4 * writes.size, 64 + treeBranchPageCount + treeLeafPageCount) * 4096;
  for (const value of writes.values()) octets += value === undefined ? 0 : value.length + Math.min(value.length, 4096);
  return octets;
}

function mustBeThere(value: Buffer | undefined): Buffer {
  if (!value) throw new StoreFault('it does not say what was applied');
  return value;
}
