/** INBOX, which comes into being when it is first needed: by a delivery, or by a session that opens the maildrop. */

import { INBOX } from '../../kernel/mailbox-name.ts';
import type { MailboxCreated } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import type { MailboxRow } from '../../store/tables.ts';
import { created, mailboxNamed } from './mailboxes.ts';

export type Inbox = {
  readonly mailbox: number;
  readonly row: Pick<MailboxRow, 'uidValidity' | 'uidNext' | 'modSeq'>;
  /** To be made first, if it is missing. */
  readonly created: readonly MailboxCreated[];
};

/** @param now  milliseconds since 1970 */
export function inboxOf(view: View, account: string, now: number): Inbox {
  const found = mailboxNamed(view, account, INBOX);
  if (found) return { ...found, created: [] };
  const [made] = created(view, account, [INBOX], now);
  const { mailbox, uidValidity } = made!;
  return { mailbox, row: { uidValidity, uidNext: 1, modSeq: 1 }, created: [made!] };
}
