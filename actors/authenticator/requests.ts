/** What is asked of authenticators on `auth.<op>`, and what they answer. Plain data. */

import type { Service } from '../../cluster/directory/account.ts';
import type { Result } from '../../kernel/result.ts';

export type Proof =
  | { readonly mechanism: 'PLAIN'; readonly secret: string }
  /** RFC 1939 §7: the greeting's timestamp with its angle brackets; the digest in lower-case hex. */
  | { readonly mechanism: 'APOP'; readonly timestamp: string; readonly digest: string };

export type VerifyRequest = {
  readonly service: Exclude<Service, 'DEFAULT'>;
  /** As the client sent it: bare names get the default domain, letters are folded. */
  readonly name: string;
  readonly proof: Proof;
  /** The session that asks, unique for ever. */
  readonly session: string;
};

/** A log-in that was right when verified; nothing is granted until `grant` has looked once more (grant.ts). */
export type Verified = {
  readonly account: string;
  /** `Account.id`: what tickets name and owners store mail under. */
  readonly accountId: string;
  readonly mailHost: string;
  readonly credentialRevision: number;
  /** The account's version that was verified against: what NEWPASS compares with. */
  readonly version: number;
  /** It was one by IMAP of an administrator's: the ticket says so too. */
  readonly administers?: true;
  /** Signed; names account, service, session, rights, credential revision and expiry. */
  readonly ticket: string;
};

/** `bad-credentials` is also said of unknown, disabled and evaded accounts: the client can't tell, the log can. */
export type VerifyRefusal = 'bad-credentials' | 'unavailable';

export type RecipientRequest = { readonly localPart: string; readonly domain: string };
export type Recipient = {
  readonly account: string;
  /** `Account.id`: what `deliver` names. */
  readonly accountId: string;
  readonly mailHost: string;
  /** The limits that hold for the account, its own or the configuration's, for the owner to hold the delivery against. */
  readonly quotaOctets?: number;
  readonly quotaMessages?: number;
  readonly sizeLimitOctets?: number;
  /** The mailbox that the address names, and whether it is refused where INBOX can't stand in (mailbox-owner/requests.ts). */
  readonly folder?: string;
  readonly mustExist?: boolean;
};
export type RecipientRefusal = 'no-such-user' | 'disabled' | 'unavailable';

/** A ticket for a session that is logged in to work on another mailHost too: in mailboxes of others, by its rights on them. */
export type GuestTicketRequest = {
  /** That of the log-in; it may have expired. */
  readonly ticket: string;
  /** The session that will be opened with it. */
  readonly session: string;
  readonly mailHost: string;
};
export type GuestTicketAnswer = Result<{ readonly ticket: string }, 'ticket-refused' | 'unavailable'>;

/** A ticket for an LMTP session to deliver into a mailHost's accounts. */
export type DeliveryTicketRequest = { readonly session: string; readonly mailHost: string };

export type ChangePasswordRequest = {
  readonly account: string;
  /** The version that the session authenticated with. */
  readonly version: number;
  readonly ticket: string;
  readonly newSecret: string;
  /** Unique to this change, for ever. */
  readonly operation: string;
};
export type ChangePasswordRefusal = 'conflict' | 'not-allowed' | 'unavailable' | 'unknown';

/** `reason` is for the connection log of the node that asked, never for its client: it tells who has an account. */
export type VerifyAnswer = Result<Verified, VerifyRefusal> & { readonly reason?: string };
export type RecipientAnswer = Result<Recipient, RecipientRefusal>;
export type DeliveryTicketAnswer = Result<{ readonly ticket: string }, 'unavailable'>;
export type ChangePasswordAnswer = Result<null, ChangePasswordRefusal>;
