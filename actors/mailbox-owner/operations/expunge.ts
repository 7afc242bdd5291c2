/** expunge: messages with \Deleted go, of some UIDs or of all (RFC 9051 §6.4.3, §6.4.9); needs the right `e` (RFC 4314 §4). */
import { refuse } from '../../../kernel/result.ts';
import { FLAG } from '../../../store/flags.ts';
import type { View } from '../../../store/key-value.ts';
import { rangesWith } from '../../../store/uid-bits.ts';
import { countIn, piecesOf, uidsIn } from '../../../store/uid-ranges.ts';
import type { Decision } from '../decide.ts';
import { mailboxOf } from '../mailboxes.ts';
import { done, type OutcomeOf, once } from '../once.ts';
import type { Answers, Expunge } from '../operation.ts';
import { lacking, rightsFor } from '../rights.ts';
import { MOST_EXPUNGED_AT_ONCE } from './limits.ts';

export function expunge(view: View, operation: Expunge): Decision<Answers['expunge']> {
  return once(view, operation, (asker): OutcomeOf<'expunge'> => {
    const { account, mailbox } = operation.ref;
    const found = mailboxOf(view, operation.ref);
    if (!found) return refuse('no-such-mailbox');
    const rights = rightsFor(view, asker, account, mailbox);
    if (!rights.includes('e')) return refuse(lacking(rights));
    const marked = rangesWith(view, account, mailbox, { set: FLAG.deleted }, operation.uids ?? undefined);
    const [uids = []] = piecesOf(marked, MOST_EXPUNGED_AT_ONCE);
    if (uids.length === 0) return done({ modSeq: found.row.modSeq, uids, more: false });
    const modSeq = found.row.modSeq + 1;
    const more = countIn(marked) > MOST_EXPUNGED_AT_ONCE;
    return done({ modSeq, uids, more }, { type: 'Expunged', account, mailbox, uids: [...uidsIn(uids)], modSeq });
  });
}
