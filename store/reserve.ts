/**
 * Room kept for the day when the disk is full: a file beside the database. Whoever wants to delete mail must log in and
 * quit, and both write; the file's room is given back to the disk for that, bit by bit, and taken again when there is some.
 * Which commit may use it is said here too: mail may not, or the next log-in would find nothing left.
 */
import { randomBytes } from 'node:crypto';
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change } from './change.ts';

export const RESERVE_OCTETS = 4 * 1024 * 1024;
/** Given back or taken at least: less is not worth a sync. */
const STEP_OCTETS = 256 * 1024;
const PIECE_OCTETS = 64 * 1024;

export type Reserve = {
  octets(): number;
  isWhole(): boolean;
  /** Gives so many octets to the disk, and some more; all there are, if there are fewer. */
  giveBack(octets: number): Promise<void>;
  /** Takes what is missing, or as much of it as the disk has. */
  refill(): Promise<void>;
};

/**
 * How much of the reserve must be left, here or as free pages in the database, when such changes have been written. Mail
 * leaves all of it, and so does whatever else is added at a client's will, for there is no end to that. A session that will deliver leaves half: it is needed only to be told that there is no room, and
 * relays try often. What is left may use up what there is.
 */
export function mustLeave(changes: readonly Change[]): number {
  let most = 0;
  for (const change of changes) {
    if (adds(change)) return RESERVE_OCTETS;
    if (change.type === 'SessionOpened' && change.purpose === 'delivery') most = RESERVE_OCTETS / 2;
  }
  return most;
}

/** Is more there after it than what a log-in, bits of flags, and removing things need? */
function adds(change: Change): boolean {
  switch (change.type) {
    case 'FlagsChanged':
      return change.addsKeywords === true;
    case 'AnnotationSet':
      return change.value !== null;
    case 'SpecialUseSet':
      return change.specialUse !== null;
    case 'RightsSet':
      return change.rights !== '';
    case 'MailboxCreated':
      return change.name !== FIRST_MAILBOX || change.continues !== undefined;
    default:
      return ADDING.includes(change.type);
  }
}

const ADDING: readonly Change['type'][] = [
  'BlobStored',
  'ChunkStored',
  'Appended',
  'Copied',
  'StructureKept',
  'Subscribed',
  'MailboxesRenamed',
];
/** An account's first, which comes with a log-in, once. */
const FIRST_MAILBOX = 'INBOX';

/** Makes the file if there is none, as long as there is room for. */
export async function openReserve(directory: string): Promise<Reserve> {
  const path = join(directory, 'reserve');
  let octets = 0;
  const refill = async (): Promise<void> => {
    if (octets >= RESERVE_OCTETS) return;
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < Math.min(STEP_OCTETS, RESERVE_OCTETS - octets)) return;
    octets = await fill(path, RESERVE_OCTETS);
  };
  octets = await fill(path, 0);
  await refill();
  return {
    octets: () => octets,
    isWhole: () => octets >= RESERVE_OCTETS,
    refill,
    async giveBack(least) {
      const file = await open(path, 'r+');
      try {
        octets = Math.max(0, octets - Math.max(least, STEP_OCTETS));
        await file.truncate(octets);
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

/**
 * Makes the file at least so long, or as long as the disk lets it be. Its octets are random, so that a file system that
 * compresses or leaves holes keeps room for them too.
 * @returns how long it is now
 */
async function fill(path: string, octets: number): Promise<number> {
  const file = await open(path, 'a', 0o600);
  try {
    let { size } = await file.stat();
    while (size < octets) {
      const { bytesWritten } = await file.write(randomBytes(Math.min(PIECE_OCTETS, octets - size)));
      size += bytesWritten;
    }
    await file.datasync();
    return size;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')))
      throw error;
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
