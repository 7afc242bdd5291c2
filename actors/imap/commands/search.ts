/** SEARCH and UID SEARCH: RFC 9051 §6.4.4, RFC 3501 §6.4.4; RFC 4731 for RETURN, RFC 5182 for SAVE, RFC 7162 §3.1.5 for MODSEQ. */
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { done, type Handler } from '../outcome.ts';
import { extendedSearch, find, modSeqTold, orderedOf, save } from '../searching.ts';
import { selectedBy } from '../selected-mailbox.ts';

export const search: Handler<CommandOf<'SEARCH'>> = async (command, session, signal) => {
  const { uid, returns } = command;
  const mailbox = selectedBy(session);
  const { numbers: numbering } = mailbox.view;
  const found = await find(command, session, mailbox, signal);
  if (!found.ok) {
    // RFC 5182 §2.1: a NO empties what was saved, a BAD leaves it.
    if (returns?.includes('SAVE') && found.refusal.status === 'NO') mailbox.view.saved = new Uint32Array(0);
    return found.refusal;
  }
  const { numbers, modSeq, told } = found.value;
  // RFC 9051 §6.4.4: without RETURN the answer is as with RETURN (ALL), and in IMAP4rev1 the old one.
  if (returns === undefined && session.isRev1) {
    const list = [...(uid ? numbering.uidsOf(numbers) : numbering.sequencesOf(numbers))];
    return done('SEARCH completed', [...told, { type: 'SEARCH', numbers: list, modSeq }]);
  }
  const ends = [numbers[0]?.[0], numbers.at(-1)?.[1]].map((each) => each && numbering.uid(each));
  const wanted = returns ?? ['ALL'];
  save(mailbox, wanted, numbers, ends);
  const highest = await modSeqTold(mailbox, wanted, modSeq, ends);
  const response = extendedSearch(command, wanted, orderedOf(mailbox, numbers, uid), highest);
  return done('SEARCH completed', response === undefined ? told : [...told, response]);
};
