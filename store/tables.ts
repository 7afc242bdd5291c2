/**
 * The tables of one mailHost: what is kept under which key. Rows are built only in apply.ts; all others read.
 *
 * Changing a row's meaning is a new FORMAT_VERSION; adding a field that may be absent, or a table, is not: what was written
 * before is read as it is (docs/adr/0018-shared-mailboxes.md).
 */
import { decode, encode } from './codec.ts';
import type { Key } from './key.ts';
import type { KeyValue, RangeOptions, View } from './key-value.ts';

/** What this program writes, and the newest it can read. */
export const FORMAT_VERSION = 1;

/** The totals of one account, and the largest of each number it ever gave out: those never go back, even when it is dropped. */
export type AccountRow = {
  readonly octets: number;
  readonly messages: number;
  readonly lastUidValidity: number;
  readonly lastSequence: number;
  readonly lastLock: number;
  readonly lastMailbox: number;
};
export type MailboxRow = {
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  /** The largest mod-sequence of any message in it, also of those expunged (RFC 7162 §3.1.2.1 HIGHESTMODSEQ). */
  readonly modSeq: number;
  readonly messages: number;
  readonly octets: number;
};
export type MessageRow = {
  readonly modSeq: number;
  /** Grows by one with each message that an account receives, over all its mailboxes. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly internalDate: number;
  /** Trace and body. */
  readonly sizeOctets: number;
  readonly trace: Uint8Array;
  /** SHA-256 of the body, lower-case hex. */
  readonly blob: string;
};
export type BlobRow = { readonly body: number; readonly sizeOctets: number; readonly references: number };
/** A body being put aside by a session; `parts` chunks are here. */
export type StageRow = { readonly body: number; readonly parts: number; readonly sizeOctets: number };
/** A body nothing names any more; its chunks from `from` up to `parts` are still to be removed. */
export type GarbageRow = { readonly from: number; readonly parts: number };
export type Front = { readonly me: string; readonly startId: string };
export type SessionRow = {
  readonly purpose: 'maildrop' | 'delivery';
  /** null: a delivery session, which has no account of its own. */
  readonly account: string | null;
  readonly front: Front;
  /** When the ticket that opened it expires, milliseconds since 1970. */
  readonly expiresAt: number;
  readonly counter: number;
  /** The reply to the operation with that counter. */
  readonly answer: unknown;
  readonly maildrop: SessionMaildrop | null;
};
export type SessionMaildrop = {
  readonly lock: number;
  readonly mailbox: number;
  readonly uidValidity: number;
  readonly uidNext: number;
};
/** A session that ended: remembered until `until` (milliseconds since 1970), so that it can't be opened again. */
export type EndedRow = { readonly until: number; readonly counter: number; readonly answer: unknown };
export type LockRow = { readonly lock: number; readonly session: string; readonly front: Front };
export type NextRow = { readonly body: number };

/** Key: account. */
export const accounts = table<[account: string], AccountRow>('account');
/** Key: account, mailbox number. */
export const mailboxes = table<[account: string, mailbox: number], MailboxRow>('mailbox');
/** Key: account, name; the mailbox's number. */
export const mailboxNames = table<[account: string, name: string], number>('mailbox-name');
/** Key: account, mailbox number; mailboxes without a name, whose messages are being removed. */
export const goingMailboxes = table<[account: string, mailbox: number], null>('going');
/** Key: account, mailbox number, identifier; its rights, at least one, as store/rights.ts orders them. */
export const rights = table<[account: string, mailbox: number, identifier: string], string>('rights');
/** Key: account, mailbox number, UID. */
export const messages = table<[account: string, mailbox: number, uid: number], MessageRow>('message');
/**
 * Those of the UIDs that are there, with their rows still packed: one walk when they are most of what lies between.
 * @param uids  ascending
 */
export function* messagesAmong(
  view: View,
  account: string,
  mailbox: number,
  uids: readonly number[],
): Iterable<{ readonly uid: number; readonly packed: Uint8Array }> {
  const [first, last] = [uids[0], uids.at(-1)];
  if (first === undefined || last === undefined) return;
  if (last - first >= 4 * uids.length) {
    for (const uid of uids) {
      const packed = view.get(['message', account, mailbox, uid]);
      if (packed) yield { uid, packed };
    }
    return;
  }
  let at = 0;
  const after = ['message', account, mailbox, Math.max(0, first - 1)];
  for (const { key, value } of view.range(['message', account, mailbox], { after, limit: last - first + 1 })) {
    const uid = key[3] as number;
    if (uid > last) return;
    while (at < uids.length && uids[at]! < uid) at++;
    if (uids[at] === uid) yield { uid, packed: value };
  }
}
/** The UIDs of a mailbox, ascending, with no row unpacked; at most so many, if `most` is given. */
export const uidsOf = (view: View, account: string, mailbox: number, most?: number): number[] =>
  [...view.range(['message', account, mailbox], most === undefined ? {} : { limit: most })].map(
    ({ key }) => key[3] as number,
  );
export const unpackMessage = (packed: Uint8Array): MessageRow => decode<MessageRow>(packed);
/** Key: SHA-256 of the body, lower-case hex. */
export const blobs = table<[sha256: string], BlobRow>('blob');
/** Key: session, the stage's name. */
export const stages = table<[session: string, stage: string], StageRow>('stage');
/** Key: body. */
export const garbage = table<[body: number], GarbageRow>('garbage');
/** Key: session. */
export const sessions = table<[session: string], SessionRow>('session');
/** Key: session. */
export const endedSessions = table<[session: string], EndedRow>('ended');
/** Key: until, session; the same sessions by the time they may be forgotten. */
export const endedByTime = table<[until: number, session: string], null>('ended-by-time');
/** Key: account. */
export const locks = table<[account: string], LockRow>('lock');
/** The next number for a body; one row. */
export const next = table<[], NextRow>('next');

/** Chunks are bare octets. Key: body, index. */
export const chunks = {
  get: (view: View, body: number, index: number): Uint8Array | undefined => view.get(['chunk', body, index]),
  put: (to: KeyValue, body: number, index: number, bytes: Uint8Array): void => to.put(['chunk', body, index], bytes),
  remove: (to: KeyValue, body: number, index: number): void => to.remove(['chunk', body, index]),
  *range(view: View): Iterable<{ body: number; index: number; bytes: Uint8Array }> {
    for (const { key, value } of view.range(['chunk'])) {
      yield { body: key[1] as number, index: key[2] as number, bytes: value };
    }
  },
};

export type Table<K extends Key, Row> = {
  get(view: View, ...key: K): Row | undefined;
  put(to: KeyValue, key: K, row: Row): void;
  remove(to: KeyValue, ...key: K): void;
  /** Rows whose key begins with `prefix`, ascending. */
  range(view: View, prefix: Key, options?: { after?: K; limit?: number }): Iterable<{ key: K; row: Row }>;
};

function table<K extends Key, Row>(name: string): Table<K, Row> {
  return {
    get(view, ...key) {
      const value = view.get([name, ...key]);
      return value && decode<Row>(value);
    },
    put: (to, key, row) => to.put([name, ...key], encode(row)),
    remove: (to, ...key) => to.remove([name, ...key]),
    *range(view, prefix, { after, limit } = {}) {
      const options: RangeOptions = {
        ...(after && { after: [name, ...after] }),
        ...(limit !== undefined && { limit }),
      };
      for (const { key, value } of view.range([name, ...prefix], options)) {
        // A key below this table's name has the table's own shape: nothing else is put there.
        yield { key: key.slice(1) as unknown as K, row: decode<Row>(value) };
      }
    },
  };
}
