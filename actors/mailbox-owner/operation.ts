/**
 * Operations as `decide` takes them: what was asked, with everything that is not in the store (time, who is gone, what a
 * ticket said) already inside, so that deciding is a function of these and nothing else.
 */
import type { Result } from '../../kernel/result.ts';
import type { Front } from '../../store/tables.ts';
import type { Admission } from './admission.ts';
import type { Delivered, DeliverRecipient, MailboxEdit, MailboxRefusal, Maildrop, OpenRequest } from './requests.ts';

/** `now`, here and below: milliseconds since 1970. */
export type Open = {
  readonly type: 'open';
  readonly session: string;
  readonly purpose: OpenRequest['purpose'];
  readonly front: Front;
  readonly admission: Admission;
  /** Admitted only to go on with a session that lives, by a ticket that may have expired. */
  readonly again: boolean;
  /** The session that holds the maildrop, when its front is known to be gone. */
  readonly abandoned: string | null;
  readonly now: number;
};
export type OpenedSession = {
  readonly account: string | null;
  readonly counter: number;
  readonly maildrop: (Maildrop & { readonly mailbox: number }) | null;
};

export type Stage = {
  readonly type: 'stage';
  readonly session: string;
  readonly stage: string;
  readonly index: number;
  readonly bytes: Uint8Array;
};

export type Deliver = {
  readonly type: 'deliver';
  readonly session: string;
  readonly counter: number;
  readonly content: DeliverContent;
  readonly recipients: readonly DeliverRecipient[];
  readonly now: number;
};
/** The hash was computed here over these octets; for a stage over those of that body, which can only grow. */
export type DeliverContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array; readonly sha256: string }
  | {
      readonly kind: 'staged';
      readonly stage: string;
      readonly body: number;
      readonly sizeOctets: number;
      readonly sha256: string;
    };

export type Quit = {
  readonly type: 'quit';
  readonly session: string;
  readonly counter: number;
  readonly lock: number;
  readonly uids: readonly number[];
  readonly now: number;
};
export type Close = { readonly type: 'close'; readonly session: string; readonly now: number };
/** Ends those of these sessions that still belong to that front, which is gone. */
export type Sweep = {
  readonly type: 'sweep';
  readonly sessions: readonly { readonly session: string; readonly front: Front }[];
  readonly now: number;
};
export type BeginEpoch = { readonly type: 'begin-epoch' };
/** Removes at most so many chunks of bodies that nothing names. */
export type Collect = { readonly type: 'collect'; readonly mostChunks: number };
/** Forgets at most so many ended sessions whose time has come. */
export type Forget = { readonly type: 'forget'; readonly now: number; readonly most: number };
/** One change to an account's mailboxes; see requests.ts. */
export type ChangeMailboxes = {
  readonly type: 'change-mailboxes';
  readonly account: string;
  readonly withInbox: boolean;
  readonly edit: MailboxEdit;
  readonly now: number;
};
/** Removes at most so many messages of a mailbox that was deleted, and with the last of them the mailbox. */
export type Clear = {
  readonly type: 'clear';
  readonly account: string;
  readonly mailbox: number;
  readonly most: number;
};
/** Removes an account's mail, at most so many messages and the like at once; 0: only if it has none, and no mailbox but INBOX. */
export type DropAccount = {
  readonly type: 'drop-account';
  readonly account: string;
  readonly most: number;
  readonly now: number;
};

/** Is there more of the same to do? */
export type More = { readonly more: boolean };

export type OwnerOperation =
  | Open
  | Stage
  | Deliver
  | Quit
  | Close
  | Sweep
  | BeginEpoch
  | Collect
  | Forget
  | ChangeMailboxes
  | Clear
  | DropAccount;

export type Answers = {
  readonly open: Result<OpenedSession, 'in-use' | 'session-ended' | 'ticket-refused'>;
  readonly stage: Result<null, 'unknown-handle' | 'unavailable'>;
  readonly deliver: Result<Delivered, 'unknown-handle' | 'stale' | 'stage-missing'>;
  readonly quit: Result<null, 'unknown-handle' | 'stale' | 'lock-lost'>;
  readonly close: Result<null, never>;
  readonly sweep: Result<readonly string[], never>;
  readonly 'begin-epoch': Result<null, never>;
  readonly collect: Result<More, never>;
  readonly forget: Result<More, never>;
  /** `going`: the number of a deleted mailbox that has more messages than one step removes; the rest is for `clear`. */
  readonly 'change-mailboxes': Result<{ readonly going: number | null }, MailboxRefusal>;
  readonly clear: Result<More, never>;
  readonly 'drop-account': Result<More & { readonly ended: readonly string[] }, never>;
};
export type Answer<O extends OwnerOperation> = Answers[O['type']];

/** About what the operation holds in memory while it waits, in octets. */
export function operationOctets(operation: OwnerOperation): number {
  switch (operation.type) {
    case 'stage':
      return 500 + operation.bytes.length;
    case 'deliver':
      return operation.recipients.reduce(
        (sum, { trace }) => sum + 200 + trace.length,
        500 + (operation.content.kind === 'inline' ? operation.content.bytes.length : 0),
      );
    case 'quit':
      return 500 + 8 * operation.uids.length;
    default:
      return 500;
  }
}

/**
 * Does it give room back, or is it needed for that and takes little? Such an operation is tried without the mail of its
 * batch when that found the disk full: the store keeps a reserve for it (store/reserve.ts).
 */
export const needsLittle = ({ type }: OwnerOperation): boolean => type !== 'deliver' && type !== 'stage';
