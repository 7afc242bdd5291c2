/**
 * What owners publish on `changed.<mailHost>.<account>` (cluster/subjects.ts) when a commit stands: that something changed,
 * not what. Events may be lost, with an owner that dies between commit and publish, or on the way; nothing rests on any one
 * of them. A listener whose last known mod-sequence is not `before`, or that hears a new epoch or was cut off, asks for the
 * changes since the one it knows (message-requests.ts), as it does when it is.
 */
export type ChangeEvent = MessagesChanged | MailboxesChanged | OwnerChanged;

/** Messages of one mailbox came, went or have other flags: one event for all that a commit did to it. */
export type MessagesChanged = {
  readonly kind: 'messages';
  readonly epoch: number;
  readonly account: string;
  readonly mailbox: number;
  /** The mailbox's mod-sequence before the commit, and after it. */
  readonly before: number;
  readonly modSeq: number;
};
/** Mailboxes were made, deleted or renamed, or what may be done with them, subscriptions or annotations changed. */
export type MailboxesChanged = { readonly kind: 'mailboxes'; readonly epoch: number; readonly account: string };
/**
 * Published on `changed.<mailHost>` itself, for all accounts: an owner begins. What the one before it committed and did not
 * say is found by asking for the changes.
 */
export type OwnerChanged = { readonly kind: 'owner'; readonly epoch: number };
