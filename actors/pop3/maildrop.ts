/**
 * The maildrop as one POP3 session sees it: messages numbered from 1 when it was opened, each with its size, and marks
 * of deletion (RFC 1939 §4, §5). A snapshot: what arrives or goes meanwhile changes nothing here.
 *
 * Values are immutable; 8 octets a message, and one bit more each once something is marked.
 */

/** One message, as listed at log-in. */
export type Listed = { readonly uid: number; readonly sizeOctets: number };

export type Maildrop = {
  readonly uidValidity: number;
  /** By message number less one, ascending UIDs. */
  readonly uids: Uint32Array;
  readonly sizes: Uint32Array;
  /** One bit a message, set when it is marked as deleted; null while none is. */
  readonly marks: Uint8Array | null;
  /** Messages not marked, and their octets as they are sent, unstuffed (RFC 1939 §11). */
  readonly count: number;
  readonly octets: number;
};

export type Message = Listed & { readonly number: number };

export function maildropOf(uidValidity: number, entries: readonly Listed[]): Maildrop {
  const uids = Uint32Array.from(entries, (entry) => entry.uid);
  const sizes = Uint32Array.from(entries, (entry) => entry.sizeOctets);
  // No message of 4 GiB is ever taken; one listed here would otherwise get a wrong size.
  if (entries.some((entry) => entry.sizeOctets > 0xffff_ffff))
    throw new RangeError('a message of 4 GiB or more is listed');
  return unmarked({ uidValidity, uids, sizes });
}

export const emptyMaildrop = maildropOf(0, []);

/** How many messages there were at log-in, marked or not: the highest message number. */
export const highest = (maildrop: Maildrop): number => maildrop.uids.length;

export const isMarked = ({ marks }: Maildrop, number: number): boolean =>
  marks !== null && (marks[(number - 1) >> 3]! & (1 << ((number - 1) & 7))) !== 0;

/** The message of that number; undefined when there is none or it is marked: RFC 1939 §5 lets nothing refer to it then. */
export function message(maildrop: Maildrop, number: number): Message | undefined {
  const uid = maildrop.uids[number - 1];
  if (uid === undefined || isMarked(maildrop, number)) return undefined;
  return { number, uid, sizeOctets: maildrop.sizes[number - 1]! };
}

/** Every message not marked, in order; made one by one, as they are read. */
export function* messages(maildrop: Maildrop): Generator<Message> {
  for (let number = 1; number <= highest(maildrop); number += 1) {
    const found = message(maildrop, number);
    if (found !== undefined) yield found;
  }
}

/** Marks a message that is there and not marked yet. */
export function mark(maildrop: Maildrop, number: number): Maildrop {
  const marks = maildrop.marks?.slice() ?? new Uint8Array((highest(maildrop) + 7) >> 3);
  marks[(number - 1) >> 3]! |= 1 << ((number - 1) & 7);
  return { ...maildrop, marks, count: maildrop.count - 1, octets: maildrop.octets - maildrop.sizes[number - 1]! };
}

export const unmarkAll = (maildrop: Maildrop): Maildrop => (maildrop.marks === null ? maildrop : unmarked(maildrop));

function unmarked({ uidValidity, uids, sizes }: Pick<Maildrop, 'uidValidity' | 'uids' | 'sizes'>): Maildrop {
  const octets = sizes.reduce((sum, size) => sum + size, 0);
  return { uidValidity, uids, sizes, marks: null, count: uids.length, octets };
}

/** The UIDs of the marked messages, ascending. */
export function markedUids(maildrop: Maildrop): readonly number[] {
  const marked: number[] = [];
  if (maildrop.marks === null) return marked;
  maildrop.uids.forEach((uid, index) => {
    if (isMarked(maildrop, index + 1)) marked.push(uid);
  });
  return marked;
}

/**
 * `unique-id`, 1 to 70 characters of 0x21 to 0x7E, the same in every session and on every node, never used again
 * (RFC 1939 §7): UIDVALIDITY and UID together are just that (RFC 9051 §2.3.1.1).
 */
export const uniqueId = ({ uidValidity }: Maildrop, { uid }: Listed): string => `${uidValidity}.${uid}`;
