/** EXPUNGE and UID EXPUNGE: RFC 9051 §6.4.3, §6.4.9, with RFC 7162 §3.2.7 and §3.2.9. What is gone the view tells. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import type { UidRanges } from '../../../store/uid-ranges.ts';
import { MOST_EXPUNGED_AT_ONCE } from '../../mailbox-owner/operations/limits.ts';
import { readOnly } from '../message-replies.ts';
import { slicesOf } from '../numbering.ts';
import { done, type Handler } from '../outcome.ts';
import * as replies from '../replies.ts';
import { highestAfterExpunge, type SelectedMailbox, selectedBy } from '../selected-mailbox.ts';

export const expunge: Handler<CommandOf<'EXPUNGE'>> = async (command, session) => {
  const mailbox = selectedBy(session);
  if (mailbox.view.readOnly) return readOnly;
  let any = false;
  for (const uids of command.uid ? named(mailbox, command) : [null]) {
    const expunged = await expungeThese(mailbox, uids);
    if (typeof expunged === 'string') return replies.refusal(expunged);
    any ||= expunged;
  }
  return done('EXPUNGE completed', [], any ? await highestAfterExpunge(mailbox) : undefined);
};

function* named(mailbox: SelectedMailbox, { set }: Extract<CommandOf<'EXPUNGE'>, { uid: true }>): Iterable<UidRanges> {
  const { numbers } = mailbox.view;
  for (const slice of slicesOf(mailbox.messages(set, true) ?? [], MOST_EXPUNGED_AT_ONCE)) yield numbers.spans(slice);
}

/** @returns whether there were any, or why not */
async function expungeThese(
  { owner, ref, view }: SelectedMailbox,
  uids: UidRanges | null,
): Promise<boolean | replies.Refusal> {
  let any = false;
  for (;;) {
    const expunged = await owner.change('expunge', { ref, uids });
    if (!expunged.ok) return expunged.refusal;
    const { uids: gone, modSeq, more } = expunged.value;
    if (gone.length > 0) view.noteOwnExpunge(gone, modSeq);
    any ||= gone.length > 0;
    if (!more) return any;
  }
}
