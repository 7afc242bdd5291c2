/**
 * Room on the disk, for those who keep an LMDB database there. LMDB reports a short write to a full disk as EIO, as it does
 * a broken disk, so the disk itself has to be asked before a failed commit is called temporary; and a transaction that
 * fails half-way is best not begun. Knows lmdb only by what it reports: it opens no database.
 */
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const ENOSPC = 28;
const EIO = 5;
const EDQUOT = 122;
const MDB_MAP_FULL = -30792;

/** Filesystems keep some room back, and others write too: with less than this to spare a disk counts as full. */
const SPARE_OCTETS = 1024 * 1024;
const PROBE_OCTETS = 64 * 1024;

/** What lmdb's `getStats` tells of one tree. */
export type PageCounts = { treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
type Stats = PageCounts & { root: PageCounts; free: PageCounts; pageSize: number; lastPageNumber: number };

/**
 * What a database file has in pages that nothing uses. Two of the others are the meta pages.
 * @param databases  every named database in it
 */
export function freeOctets(databases: readonly { getStats(): object }[]): number {
  const each = databases.map((database) => database.getStats() as Stats);
  const { root, free, pageSize, lastPageNumber } = each[0]!;
  let pages = lastPageNumber + 1 - 2;
  for (const { treeBranchPageCount, treeLeafPageCount, overflowPages } of [...each, root, free]) {
    pages -= treeBranchPageCount + treeLeafPageCount + overflowPages;
  }
  return pages * pageSize;
}

/** lmdb rejects a commit with a general error that carries a promise of the cause, which must not be left unheard. */
export async function causeOf(error: unknown): Promise<unknown> {
  if (error instanceof Error && 'commitError' in error) {
    try {
      await error.commitError;
    } catch (cause) {
      return cause;
    }
  }
  return error;
}

/**
 * Was it for want of room?
 * @param directory  where the database is
 * @param cause  what the failed commit was rejected with
 * @param neededOctets  about what the commit would have written
 */
export async function hasNoRoom(directory: string, cause: unknown, neededOctets: number): Promise<boolean> {
  const code = codeOf(cause);
  if (code === ENOSPC || code === EDQUOT || code === MDB_MAP_FULL) return true;
  if (code !== EIO) return false;
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < neededOctets + SPARE_OCTETS) return true;
  return !(await canWrite(directory, Math.max(PROBE_OCTETS, Math.min(neededOctets, 16 * SPARE_OCTETS))));
}

/** A user's or project's quota does not show in statfs: only a write does. */
async function canWrite(directory: string, octets: number): Promise<boolean> {
  const path = join(directory, 'room-probe');
  const file = await open(path, 'w', 0o600);
  try {
    const piece = Buffer.alloc(PROBE_OCTETS);
    for (let written = 0; written < octets; written += PROBE_OCTETS) await file.writeFile(piece);
    await file.sync();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return false;
    throw error;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** lmdb gives numbers: errno, or LMDB's own below zero. */
function codeOf(cause: unknown): number | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
}
