/** What messages that were found are sorted and threaded by, as their owner knows it: RFC 5256 §3. */
import { accept, type Result } from '../../kernel/result.ts';
import type { SortKeys, SortRow } from '../../mime/sort-keys.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import { type NumberRanges, slicesOf } from './numbering.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

const MOST_NAMED = 5_000;

/** What a message lacks, or was not asked for. */
const NOTHING: SortKeys = {
  cc: '',
  from: '',
  to: '',
  displayFrom: '',
  displayTo: '',
  baseSubject: '',
  isReplyOrForward: false,
  sent: undefined,
  messageId: undefined,
  references: [],
  inReplyTo: undefined,
};

/** In the order of the mailbox; those that are gone are left out. */
export async function sortRows(
  { owner, ref, view }: SelectedMailbox,
  numbers: NumberRanges,
  keys: readonly (keyof SortKeys)[],
): Promise<Result<SortRow[], ReadFailure>> {
  const rows: SortRow[] = [];
  for (const slice of slicesOf(numbers, MOST_NAMED)) {
    let uids: UidRanges = view.numbers.spans(slice);
    for (let more = true; more; ) {
      const page = await owner.read('sort-keys', { ref, uids, keys });
      if (!page.ok) return page;
      for (const { uid, arrivalMs, sizeOctets, keys: values } of page.value.entries) {
        const sequence = view.numbers.sequence(uid);
        if (sequence > 0) rows.push({ sequence, arrivalMs, sizeOctets, keys: { ...NOTHING, ...values } });
      }
      const last = page.value.entries.at(-1)?.uid ?? 0;
      more = page.value.more;
      uids = uids.flatMap(([from, to]) => (to <= last ? [] : [[Math.max(from, last + 1), to] as const]));
    }
  }
  return accept(rows);
}
