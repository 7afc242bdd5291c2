/** Object identifiers: RFC 8474 §4 and §5. Never given twice, and the same on every node. Pure. */
import { createHash } from 'node:crypto';
import { INBOX } from '../../kernel/mailbox-name.ts';

/**
 * Outlives a change of name. The account's number of the mailbox may be given out again by a store that was restored, with
 * another UIDVALIDITY. INBOX has one of its own: renamed it stays what it was, and its messages are in a new mailbox.
 */
export const mailboxId = (
  account: string,
  { name, mailbox, uidValidity }: { readonly name: string; readonly mailbox: number; readonly uidValidity: number },
): string => `F${digest(name === INBOX ? `${account}\0${INBOX}` : `${account}\0${mailbox}\0${uidValidity}`)}`;

/** `objectid = 1*255(ALPHA / DIGIT / "_" / "-")`: an account's id is not told to others, and may hold more than that. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);
