/** INBOX, which comes into being when it is first needed: by a delivery, or by a session that opens the maildrop. */
import type { MailboxCreated } from '../../store/change.ts';
import type { View } from '../../store/key-value.ts';
import { accounts, type MailboxRow, mailboxes, mailboxNames } from '../../store/tables.ts';

/** RFC 9051 §5.1: the one mailbox that every account has. */
const INBOX = 'INBOX';

export type Inbox = {
  readonly mailbox: number;
  readonly row: Pick<MailboxRow, 'uidValidity' | 'uidNext' | 'modSeq'>;
  /** To be made first, if it is missing. */
  readonly created: readonly MailboxCreated[];
};

/**
 * UIDVALIDITY is the time in seconds, but always above every one that the account has had, so that no client takes
 * another mailbox's UIDs for this one's (RFC 9051 §2.3.1.1).
 * @param now  milliseconds since 1970
 */
export function inboxOf(view: View, account: string, now: number): Inbox {
  const mailbox = mailboxNames.get(view, account, INBOX);
  const row = mailbox === undefined ? undefined : mailboxes.get(view, account, mailbox);
  if (mailbox !== undefined && row) return { mailbox, row, created: [] };
  const known = accounts.get(view, account);
  const uidValidity = Math.max((known?.lastUidValidity ?? 0) + 1, Math.floor(now / 1000));
  const made = (known?.lastMailbox ?? 0) + 1;
  return {
    mailbox: made,
    row: { uidValidity, uidNext: 1, modSeq: 1 },
    created: [{ type: 'MailboxCreated', account, mailbox: made, name: INBOX, uidValidity }],
  };
}
