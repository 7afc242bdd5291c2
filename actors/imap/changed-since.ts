/**
 * What has changed since a client was here last: RFC 7162 §3.2.5.1 (SELECT with QRESYNC), §3.1.4.1 (FETCH with CHANGEDSINCE)
 * and §3.2.6 (VANISHED). Only finds out which messages; the mailbox's view stays as it is.
 */
import { accept, type Result } from '../../kernel/result.ts';
import { intersected, type UidRange, type UidRanges, united } from '../../store/uid-ranges.ts';
import type { ChangesPlace } from '../mailbox-owner/message-requests.ts';
import { MAX_UID, type NumberRanges } from './numbering.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

export type Since = {
  /** Messages of the view with a higher mod-sequence. */
  readonly changed: NumberRanges;
  /** UIDs that are no messages any more, nor have a number in the view: for VANISHED (EARLIER) (RFC 7162 §3.2.10.1). */
  readonly vanished: UidRanges;
};

/** More ranges than these are not sent to the owner, who tells of all then. */
const MOST_RANGES = 1_000;

/**
 * @param uids  only of these
 * @param matchedUid  up to here the client knows what is gone: passed over where the owner has forgotten (RFC 7162 §3.2.5.2)
 */
export async function changedSince(
  mailbox: SelectedMailbox,
  since: number,
  uids: UidRanges,
  matchedUid = 0,
): Promise<Result<Since, ReadFailure>> {
  const { owner, ref, view } = mailbox;
  const found: UidRange[] = [];
  let vanished: UidRanges = [];
  let at: ChangesPlace | undefined;
  do {
    const few = uids.length <= MOST_RANGES ? { uids } : {};
    const page = await owner.read('changes', { ref, since, ...few, ...(at && { at }) });
    if (!page.ok) return page;
    for (const { uid } of page.value.changed) found.push([uid, uid]);
    // Forgotten: all that are not there, since one that vanished before is told again without harm (RFC 7162 §3.2.6).
    vanished = united([...vanished, ...(page.value.vanished ?? [[matchedUid + 1, MAX_UID]])]);
    at = page.value.next ?? undefined;
  } while (at !== undefined);
  const without = intersected(vanished, view.numbers.gaps());
  return accept({
    changed: view.numbers.among(intersected(united(found), uids)),
    vanished: intersected(without, uids),
  });
}
