/** CLOSE and UNSELECT: RFC 9051 §6.4.1, §6.4.2. */
import type { BareKeyword, CommandOf } from '../../../protocols/imap/command.ts';
import type { ImapSession } from '../imap-session.ts';
import { done, type Handler } from '../outcome.ts';
import { type SelectedMailbox, selectedBy } from '../selected-mailbox.ts';

/**
 * Expunges, and tells nothing of it. Without the right nothing is expunged and no error is given, and so in a mailbox opened by
 * EXAMINE (RFC 4314 §4, RFC 9051 §6.4.1). Nor is there a HIGHESTMODSEQ (RFC 7162 §3.2.8).
 */
export const close: Handler<CommandOf<BareKeyword>> = async (_, session) => {
  const mailbox = selectedBy(session);
  session.deselect();
  const wasWhole = await expungeAll(mailbox, session);
  const text = wasWhole ? 'CLOSE completed' : 'closed, but not all messages could be expunged';
  return { ...done(text), become: 'authenticated' };
};

export const unselect: Handler<CommandOf<BareKeyword>> = async (_, session) => {
  session.deselect();
  return { ...done('UNSELECT completed'), become: 'authenticated' };
};

async function expungeAll({ view, owner, ref }: SelectedMailbox, session: ImapSession): Promise<boolean> {
  if (view.readOnly || !view.rights.includes('e')) return true;
  for (;;) {
    const expunged = await owner.change('expunge', { ref, uids: null });
    if (expunged.ok && expunged.value.more) continue;
    if (expunged.ok || expunged.refusal === 'no-permission' || expunged.refusal === 'no-such-mailbox') return true;
    session.log.warn('CLOSE did not expunge', { session: session.id, refusal: expunged.refusal });
    return false;
  }
}
