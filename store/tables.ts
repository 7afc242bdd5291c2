/**
 * The tables of one mailHost: what is kept under which key. Rows are built only where changes are applied (apply.ts and
 * what it calls) and converted (convert.ts); all others read.
 *
 * Changing a row's meaning is a new FORMAT_VERSION; adding a field that may be absent, or a table, is not: what was written
 * before is read as it is (docs/adr/0018-shared-mailboxes.md).
 */
import { decode, encode } from './codec.ts';
import type { Key } from './key.ts';
import type { KeyValue, RangeOptions, View } from './key-value.ts';

/** What this program writes, and the newest it can read; an older one is converted when it is opened (convert.ts). */
export const FORMAT_VERSION = 2;

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
  /** Messages without \Seen. */
  readonly unseen: number;
  /** Messages with \Deleted, and their octets. */
  readonly deleted: number;
  readonly deletedOctets: number;
  /** Messages with a lower UID were recent to some session (RFC 3501 §2.3.2). */
  readonly recentFrom: number;
  /** Which UIDs vanished is remembered (`vanished`) for all mod-sequences above this one. */
  readonly vanishedFrom: number;
  /** Ranges remembered there, and the key of the row that takes the next; null: there is no row. */
  readonly vanishedRanges: number;
  readonly vanishedLast: VanishedKey | null;
  /** Such as `\Sent` (RFC 6154 §2). */
  readonly specialUse?: string;
  /**
   * Mod-sequences between these two, both excluded, were given out by a past that a restore did not bring back: what a
   * client knows as of one of them is not known here.
   */
  readonly lost?: { readonly above: number; readonly below: number };
};
export type VanishedKey = { readonly modSeq: number; readonly uid: number };
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
  /** Bits of flags.ts. */
  readonly flags: number;
  /** When it came into this mailbox, milliseconds since 1970 (RFC 8514). */
  readonly saveDate: number;
  /** What copies have in common: the number (`sequence`) of the message that all were copied from, in its account (RFC 8474 §5.1). */
  readonly emailId: number;
  /** That account; absent: this one. */
  readonly emailOf?: string;
  /** Its mod-sequence when it came, where it has another by now; absent: it has it still, and is not in `byModSeq`. */
  readonly cameAt?: number;
  /** As the mailbox spells them, sorted; absent: none. */
  readonly keywords?: readonly string[];
};
export type BlobRow = { readonly body: number; readonly sizeOctets: number; readonly references: number };
/** A body being put aside by a session; `parts` chunks are here. */
export type StageRow = { readonly body: number; readonly parts: number; readonly sizeOctets: number };
/** A body nothing names any more; its chunks from `from` up to `parts` are still to be removed. */
export type GarbageRow = { readonly from: number; readonly parts: number };
export type Front = { readonly me: string; readonly startId: string };
export type SessionRow = {
  readonly purpose: SessionPurpose;
  /** null: a delivery session, which has no account of its own. */
  readonly account: string | null;
  readonly front: Front;
  /** When the ticket that opened it expires, milliseconds since 1970. */
  readonly expiresAt: number;
  readonly counter: number;
  /** The reply to the operation with that counter. */
  readonly answer: unknown;
  readonly maildrop: SessionMaildrop | null;
  /** It has all rights on all mailboxes; absent: those of its account. */
  readonly administers?: true;
};
export type SessionPurpose = 'maildrop' | 'delivery' | 'mailboxes';
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
export const mailboxes = table<[account: string, mailbox: number], MailboxRow>('mailbox', 2);
/** Key: account, name; the mailbox's number. */
export const mailboxNames = table<[account: string, name: string], number>('mailbox-name');
/** Key: account, mailbox number; mailboxes without a name, whose messages are being removed. */
export const goingMailboxes = table<[account: string, mailbox: number], null>('going');
/** Key: account, mailbox number, identifier; its rights, at least one, as store/rights.ts orders them. */
export const rights = table<[account: string, mailbox: number, identifier: string], string>('rights');
/** Key: account, mailbox number; the keywords that its messages have or had, as first spelt, in the order they came. */
export const keywords = table<[account: string, mailbox: number], readonly string[]>('keywords');
/**
 * Key: account, mailbox number, mod-sequence, UID; messages whose flags changed, under the mod-sequence that they have. Those
 * that are as they came are in the order of their UIDs, and found by them (vanished.ts): an append writes no row here.
 */
export const byModSeq = table<[account: string, mailbox: number, modSeq: number, uid: number], null>('by-modseq');
/**
 * Key: account, mailbox number, mod-sequence and UID of the first range in the row; ranges of UIDs that are gone, ascending
 * by mod-sequence: vanished.ts.
 */
export const vanished = table<[account: string, mailbox: number, modSeq: number, uid: number], VanishedRow>('vanished');
/** By mod-sequence: it, then first and last UID of each range. */
export type VanishedRow = readonly (readonly [modSeq: number, ...ranges: number[]])[];
/** Key: account, name as the client named it, be there such a mailbox or not (RFC 9051 §6.3.7). */
export const subscriptions = table<[account: string, name: string], null>('subscription');
/**
 * Annotations (RFC 5464). Key: account, mailbox number (0: not of a mailbox), entry, and the account whose own it is ('':
 * shared by all who may read it).
 */
export const annotations = octetsTable<[account: string, mailbox: number, entry: string, who: string]>('annotation');
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
  // A walk looks through all that is pending (overlay.ts): for a few messages it costs more than they do.
  if (uids.length <= 8 || last - first >= 4 * uids.length) {
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
export const unpackMessage = (packed: Uint8Array): MessageRow => decode<MessageRow>(packed);
/** Key: SHA-256 of the body, lower-case hex. */
export const blobs = table<[sha256: string], BlobRow>('blob');
/** Key: SHA-256 of the body; what mime/ makes of it, packed by whoever made it. Goes with the blob. */
export const structures = octetsTable<[sha256: string]>('structure');
/**
 * Key: account, mailbox number, kind (0: which UIDs are there; else the flag, those that have it), block: UIDs block * 4096
 * + 1 and up, one bit each (uid-bits.ts). Without octets of 0 at the end; a block without any bit is not there. They lie
 * behind their mailbox's row, in one table with it: what comes writes both, and so one page.
 */
export const uidBits = octetsTable<[account: string, mailbox: number, kind: number, block: number]>('mailbox', 4);
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

type Packing<Row> = { pack(row: Row): Uint8Array; unpack(value: Uint8Array): Row };

/** @param parts  of its keys, where two tables share a name */
function table<K extends Key, Row>(name: string, parts?: number): Table<K, Row> {
  return tableOf(name, { pack: (row) => encode(row), unpack: (value) => decode<Row>(value) }, parts);
}

/** Rows are bare octets, the store's own copy when they were read. */
function octetsTable<K extends Key>(name: string, parts?: number): Table<K, Uint8Array> {
  return tableOf(name, { pack: (row) => row, unpack: (value) => value }, parts);
}

function tableOf<K extends Key, Row>(name: string, { pack, unpack }: Packing<Row>, parts?: number): Table<K, Row> {
  return {
    get(view, ...key) {
      const value = view.get([name, ...key]);
      return value && unpack(value);
    },
    put: (to, key, row) => to.put([name, ...key], pack(row)),
    remove: (to, ...key) => to.remove([name, ...key]),
    *range(view, prefix, { after, limit } = {}) {
      const options: RangeOptions = {
        ...(after && { after: [name, ...after] }),
        ...(limit !== undefined && parts === undefined && { limit }),
      };
      let left = limit ?? Number.POSITIVE_INFINITY;
      for (const { key, value } of view.range([name, ...prefix], options)) {
        // A key below this table's name has the table's own shape, or that of the other one: nothing else is put there.
        if (parts !== undefined && key.length !== parts + 1) continue;
        if (left-- <= 0) return;
        yield { key: key.slice(1) as unknown as K, row: unpack(value) };
      }
    },
  };
}
