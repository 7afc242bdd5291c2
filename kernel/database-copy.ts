/**
 * Copies of an LMDB database that others go on writing to: the file as it stood at one moment, whole and on the disk when
 * resolved. Shared by the rooms that keep such databases; knows lmdb only by the one call it needs, and opens nothing.
 *
 * What was measured (lmdb 3.5, 1.3 GB, a writer beside it): the compacting copy runs off the event loop, and the writer
 * keeps its pace; the plain one writes a gigabyte by one call, and commits wait 40 to 400 ms for it. Either reads in a
 * transaction of its own: pages that are freed meanwhile are used again only afterwards, so the file may grow.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { chmod, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

export const DATA_FILE = 'data.mdb';
/** Behind the header of the first meta page, in the machine's byte order, which is little-endian wherever lmdb is built. */
const MAGIC_AT = 24;
const MDB_MAGIC = 0xbeefc0de;

/** The part of lmdb's `RootDatabase` that is needed here. */
export type Copyable = { backup(path: string, compact: boolean): Promise<void> };

/**
 * @param directory  made for it; holds the one file `data.mdb` afterwards, mode 0600
 * @throws what lmdb or the file system said; what was begun is left to the caller to remove
 */
export async function copyDatabase(root: Copyable, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, DATA_FILE);
  try {
    await root.backup(directory, true);
  } catch (error) {
    // Pages that are neither used nor listed as free can't be left out; they do no other harm.
    if (!(error instanceof Error && error.message.includes('MDB_INCOMPATIBLE'))) throw error;
    await rm(file, { force: true }); // lmdb refuses to write over it
    await root.backup(directory, false);
  }
  await chmod(file, 0o600);
  await syncPath(file);
  await syncPath(directory);
}

/** What stands under this name, file or directory, is on the disk when resolved. */
export async function syncPath(path: string): Promise<void> {
  const opened = await open(path, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** The library is not to be shown a file that is no database: it ends the process. */
export function isDatabaseFile(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(MAGIC_AT + 4);
    return readSync(file, start, 0, start.length, 0) === start.length && start.readUInt32LE(MAGIC_AT) === MDB_MAGIC;
  } finally {
    closeSync(file);
  }
}
