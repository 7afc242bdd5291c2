/**
 * What has changed since a client was here last: RFC 7162 §3.2.5.1 (SELECT with QRESYNC), §3.1.4.1 (FETCH with CHANGEDSINCE)
 * and §3.2.6 (VANISHED). Only finds out which messages; the mailbox's view stays as it is.
 */
import { accept, type Result } from '../../kernel/result.ts';
import { intersected, type UidRange, type UidRanges, united } from '../../store/uid-ranges.ts';
import type { Changes, ChangesPlace } from '../mailbox-owner/message-requests.ts';
import { MAX_UID, type NumberRanges, uidsOfBlocks } from './numbering.ts';
import { allBlocks, type ReadFailure, type SelectedMailbox } from './selected-mailbox.ts';

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
 * @param matchedUid  up to here the client knows what is gone, and is not told (RFC 7162 §3.2.5.2)
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
    const gone =
      page.value.vanished === null ? await absent(mailbox, page.value, matchedUid) : accept(page.value.vanished);
    if (!gone.ok) return gone;
    vanished = united([...vanished, ...gone.value]);
    at = page.value.next ?? undefined;
  } while (at !== undefined);
  return accept({
    changed: view.numbers.among(intersected(united(found), uids)),
    // A client that has the right number for a message knows of all that vanished below it: RFC 7162 §3.2.5.2.
    vanished: intersected(intersected(vanished, view.numbers.gaps()), intersected(uids, [[matchedUid + 1, MAX_UID]])),
  });
}

/**
 * Where the owner has forgotten: every UID that was given and is not there, since one that vanished before is told again without
 * harm (RFC 7162 §3.2.6); one that came and was not told yet is there.
 */
async function absent(
  { owner, ref }: SelectedMailbox,
  { present, uidNext }: Changes,
  matchedUid: number,
): Promise<Result<UidRanges, ReadFailure>> {
  const there = present === undefined ? accept([]) : await allBlocks(owner, ref, present);
  if (!there.ok) return there;
  const gone: UidRange[] = [];
  let after = matchedUid;
  for (const uid of [...uidsOfBlocks(there.value).filter((each) => each > matchedUid && each < uidNext), uidNext]) {
    if (uid > after + 1) gone.push([after + 1, uid - 1]);
    after = uid;
  }
  return accept(gone);
}
