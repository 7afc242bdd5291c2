/**
 * Rows of messages of the selected mailbox, page by page, in the order of their numbers: what FETCH and STORE are answered from.
 * Holds one page at a time.
 */
import { accept, type Result } from '../../kernel/result.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { MessageEntry } from '../mailbox-owner/message-requests.ts';
import { type NumberRanges, slicesOf } from './numbering.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

export type Rows = Result<readonly MessageEntry[], ReadFailure>;

/** Messages named in one request: their UIDs may take as many ranges. */
const MOST_NAMED = 2_000;

/**
 * Those of the messages that are still there.
 * @param most  rows in a page
 * @returns pages until one is refused, which is the last then
 */
export async function* pagesOf(
  mailbox: SelectedMailbox,
  numbers: NumberRanges,
  options: { readonly most?: number; readonly structure?: boolean } = {},
): AsyncGenerator<Rows> {
  const most = options.most ?? MOST_NAMED;
  for (const slice of slicesOf(numbers, MOST_NAMED)) {
    let uids: UidRanges = mailbox.view.numbers.spans(slice);
    for (let more = true; more; ) {
      const page = await rowsOf(mailbox, uids, most, options.structure === true);
      yield page.ok ? accept(page.value.entries) : page;
      if (!page.ok) return;
      more = page.value.more;
      uids = above(uids, page.value.entries.at(-1)?.uid ?? 0);
    }
  }
}

/** All of them, in memory: for few. */
export async function allOf(mailbox: SelectedMailbox, uids: UidRanges): Promise<Rows> {
  const rows: MessageEntry[] = [];
  for (let rest = uids; rest.length > 0; ) {
    const page = await rowsOf(mailbox, rest, MOST_NAMED, false);
    if (!page.ok) return page;
    rows.push(...page.value.entries);
    if (!page.value.more) break;
    rest = above(rest, rows.at(-1)?.uid ?? 0);
  }
  return accept(rows);
}

const rowsOf = ({ owner, ref }: SelectedMailbox, uids: UidRanges, limit: number, structure: boolean) =>
  owner.read('messages', { ref, uids, limit, with: { structure } });

/** What of the ranges lies above a UID. */
const above = (uids: UidRanges, last: number): UidRanges =>
  uids.flatMap(([from, to]) => (to <= last ? [] : [[Math.max(from, last + 1), to] as const]));
