/** FETCH and UID FETCH: RFC 9051 §6.4.5, §6.4.9, with RFC 7162 §3.1.4 and §3.2.6. */

import { accept, type Result } from '../../../kernel/result.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import type { Range } from '../../../protocols/imap/sequence-set.ts';
import { intersected, type UidRanges, united } from '../../../store/uid-ranges.ts';
import { changedSince } from '../changed-since.ts';
import { Fetching } from '../fetching.ts';
import { noSuchNumber, someAreGone, unknownEncoding } from '../message-replies.ts';
import { MAX_UID, type NumberRanges, rangesOfSet } from '../numbering.ts';
import { done, type Ending, type Handler, wrong } from '../outcome.ts';
import * as replies from '../replies.ts';
import { enableCondstore, type ReadFailure, type SelectedMailbox, selectedBy } from '../selected-mailbox.ts';
import { numberSet } from '../view.ts';

type FetchCommand = CommandOf<'FETCH'>;

export const fetch: Handler<FetchCommand> = async (command, session) => {
  const { uid, items, changedSince: since } = command;
  if (command.vanished && !session.enabled.has('QRESYNC')) return wrong('QRESYNC was not enabled'); // RFC 7162 §3.2.6
  const mailbox = selectedBy(session);
  const numbers = mailbox.messages(command.set, uid);
  if (numbers === undefined) return noSuchNumber;
  const wantsModSeq = since !== undefined || items.some(({ item }) => item === 'MODSEQ');
  const highest = wantsModSeq ? enableCondstore(session) : [];
  const chosen = await choose(mailbox, command, numbers);
  if (!chosen.ok) return replies.refusal(chosen.refusal);
  const fetching = new Fetching(mailbox, chosen.value.numbers, {
    items,
    withUid: uid,
    ...(since !== undefined && { changedSince: since }),
  });
  return {
    ...done('FETCH completed', [...highest, ...chosen.value.told, { type: 'batch', responses: fetching.responses() }]),
    finish: async () => endingOf(fetching, mailbox, uid || since !== undefined),
  };
};

const ALL: UidRanges = [[1, MAX_UID]];

type Chosen = { readonly numbers: NumberRanges; readonly told: readonly Response[] };

/** Where only what changed is wanted, that is found first, and what vanished: told before any FETCH (RFC 7162 §3.2.6). */
async function choose(
  mailbox: SelectedMailbox,
  { set, changedSince: since, vanished }: FetchCommand,
  numbers: NumberRanges,
): Promise<Result<Chosen, ReadFailure>> {
  if (since === undefined) return accept({ numbers, told: [] });
  const { view } = mailbox;
  // Those that vanished have no number, so of a UID set all UIDs count.
  const named: UidRanges = vanished && set !== '$' ? allNamed(set, mailbox) : view.numbers.spans(numbers);
  const found = await changedSince(mailbox, since, named);
  if (!found.ok) return found;
  const { changed, vanished: gone } = found.value;
  const told: Response[] =
    vanished && gone.length > 0 ? [{ type: 'VANISHED', earlier: true, uids: numberSet(gone) }] : [];
  return accept({ numbers: changed, told });
}

/** `*` is the last that is told, and the last that ever was: it too may have vanished (RFC 7162 §3.2.6). */
const allNamed = (set: readonly Range[], { view, uidNext }: SelectedMailbox): UidRanges =>
  intersected(united([...rangesOfSet(set, view.numbers.lastUid), ...rangesOfSet(set, uidNext - 1)]), ALL);

/**
 * A message that another session expunged, and that has a number here until that may be told: RFC 2180 §4.1.3, the others are
 * told and the answer is NO. By UID it is passed over (RFC 9051 §6.4.9).
 */
function endingOf(fetching: Fetching, mailbox: SelectedMailbox, mayMiss: boolean): Ending {
  const { failure, missing } = fetching;
  if (missing > 0) mailbox.expectChanges();
  if (failure === 'unknown-cte') return unknownEncoding;
  if (failure !== undefined) return replies.refusal(failure);
  if (missing > 0 && !mayMiss) return someAreGone;
  return { status: 'OK', text: 'FETCH completed' };
}
