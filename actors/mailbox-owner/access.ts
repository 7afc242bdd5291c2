/**
 * Who asks, and what of: every read of a session of purpose `mailboxes` begins here, so that nothing is told of a mailbox on
 * which its account has no right any more, nor of one that was deleted or made anew under the same name.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { View } from '../../store/key-value.ts';
import type { MailboxRow } from '../../store/tables.ts';
import type { Handles, Holding } from './handles.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import { mailboxOf } from './mailboxes.ts';
import { type Asker, lacking, rightsFor } from './rights.ts';

/** The session that a handle stands for, if it is one of purpose `mailboxes`. */
export function askerOf(handles: Handles, handle: string): (Asker & Pick<Holding, 'session'>) | undefined {
  const holding = handles.find(handle);
  return holding && isOfMailboxes(holding) ? holding : undefined;
}

const isOfMailboxes = (holding: Holding): holding is Holding & Asker =>
  holding.purpose === 'mailboxes' && holding.account !== null;

export type Opened = { readonly row: MailboxRow; readonly rights: string };

/** The mailbox, if the account has the right on it. */
export function opened(
  view: View,
  asker: Asker,
  ref: MailboxRef,
  right: string,
): Result<Opened, 'no-such-mailbox' | 'no-permission'> {
  const found = mailboxOf(view, ref);
  if (!found) return refuse('no-such-mailbox');
  const rights = rightsFor(view, asker, ref.account, ref.mailbox);
  return rights.includes(right) ? accept({ row: found.row, rights }) : refuse(lacking(rights));
}

/** RFC 4314 §4: MYRIGHTS; who has none of these is told that there is no such mailbox. */
export const mayKnow = (rights: string): boolean => /[lrikxa]/.test(rights);
