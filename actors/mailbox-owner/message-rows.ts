/**
 * Rows of messages as they are looked up and told (message-requests.ts): by UIDs, as many as one answer should have.
 */
import type { View } from '../../store/key-value.ts';
import { type MessageRow, messages, structures } from '../../store/tables.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import type * as m from './message-requests.ts';

/** About so many octets an answer has: a quarter of what the bus carries. */
export const ANSWER_OCTETS = 256 * 1024;
/** Rows of messages in an answer: some milliseconds of reading. */
export const MOST_ROWS = 2_000;
const ROW_OCTETS = 80;

/** A page of rows; `structure` null: it is not kept yet. */
export type RowPage = { readonly rows: readonly PagedRow[]; readonly more: boolean };
export type PagedRow = {
  readonly uid: number;
  readonly row: MessageRow;
  readonly structure?: Uint8Array | null;
};

export const pageOf = ({ rows, more }: RowPage): m.MessagePage => ({ entries: rows.map(entryOf), more });

export function entryOf({ uid, row, structure }: PagedRow): m.MessageEntry {
  const { flags, modSeq, internalDate, saveDate, sizeOctets, trace, emailId, emailOf } = row;
  return {
    uid,
    flags,
    ...(row.keywords && { keywords: row.keywords }),
    modSeq,
    internalDate,
    saveDate,
    sizeOctets,
    traceOctets: trace.length,
    emailId,
    ...(emailOf !== undefined && { emailOf }),
    ...(structure && toldAs(structure)),
  };
}

/** One that is as large as an answer is to be read by itself. */
const toldAs = (structure: Uint8Array) =>
  structure.length <= ANSWER_OCTETS ? { structure } : { structureOctets: structure.length };

export const octetsIn = ({ row, structure }: PagedRow): number =>
  ROW_OCTETS + (row.keywords ?? []).reduce((sum, keyword) => sum + 2 + keyword.length, 0) + (structure?.length ?? 0);

/** Rows of those of the UIDs that are there, as many as an answer should have. */
export function rowsOf(view: View, ref: MailboxRef, uids: UidRanges, most: number, withStructure: boolean): RowPage {
  const rows: PagedRow[] = [];
  let size = 0;
  for (const { uid, row } of messagesIn(view, ref, uids)) {
    const structure = withStructure ? { structure: structures.get(view, row.blob) ?? null } : {};
    const paged = { uid, row, ...structure };
    size += octetsIn(paged);
    if (rows.length > 0 && (size > ANSWER_OCTETS || rows.length >= most)) return { rows, more: true };
    rows.push(paged);
  }
  return { rows, more: false };
}

/** Messages that are there, ascending: one by one where few lie between, else by one walk. */
export function* messagesIn(
  view: View,
  { account, mailbox }: Pick<MailboxRef, 'account' | 'mailbox'>,
  uids: UidRanges,
): Iterable<{ readonly uid: number; readonly row: MessageRow }> {
  for (const [from, to] of uids) {
    if (from === to) {
      const row = messages.get(view, account, mailbox, from);
      if (row) yield { uid: from, row };
      continue;
    }
    for (const { key, row } of messages.range(view, [account, mailbox], { after: [account, mailbox, from - 1] })) {
      const uid = key[2];
      if (uid > to) break;
      yield { uid, row };
    }
  }
}
