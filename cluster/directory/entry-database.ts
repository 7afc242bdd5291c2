/**
 * The LMDB environment below entry-store.ts and copied-entry-store.ts: how it is opened, and how a transaction of it ends. What
 * the library does on a full disk is met here (kernel/disk-room.ts).
 */
import { statfs } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import { causeOf, hasNoRoom } from '../../kernel/disk-room.ts';

/** What this program writes, and all that it reads. */
export const FORMAT = 'homing directory 1';
export const LOCK_FILE = 'lock.mdb';
/** Others write to the disk too: what is left below this is theirs. */
const SPARE_OCTETS = 1024 * 1024;

/** Refused before anything of it could reach the disk. */
export class NoRoom extends Error {}

export const environment = (path: string, more: { readOnly?: true } = {}): RootDatabase<unknown, string> =>
  open<unknown, string>({
    path,
    ...more,
    noSubdir: false,
    overlappingSync: false, // a resolved transaction is on the disk
    eventTurnBatching: false, // the library's own batch has a promise nobody holds: its rejection would end the process
    maxDbs: 4,
    encoding: 'binary',
  });

/**
 * One transaction, on the disk when it resolves. `transaction` would hold a thread until it can call back, and hang a
 * process that exits meanwhile.
 */
export async function batch(path: string, root: RootDatabase<unknown, string>, write: () => void): Promise<void> {
  try {
    await root.batch(write);
  } catch (error) {
    const cause = await causeOf(error);
    if (await hasNoRoom(path, cause, 0)) throw noRoom(path, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`directory: ${path}: could not be written: ${reason}`, { cause });
  }
}

/** What the disk has for us. */
export async function octetsOnDisk(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return Math.max(0, bavail * bsize - SPARE_OCTETS);
}

export const noRoom = (path: string, cause?: unknown): NoRoom =>
  new NoRoom(`directory: ${path}: no room left on the disk`, cause === undefined ? {} : { cause });
