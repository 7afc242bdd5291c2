/**
 * What an IMAP session asks of the house. Whoever composes the node implements it over the bus (actors/front/imap-services.ts);
 * nothing else here knows the bus or the directory. A rejected promise is a fault: NO [SERVERBUG], and logged.
 */
import type { Result } from '../../kernel/result.ts';
import type { Proof } from '../authenticator/requests.ts';
import type { Answer, Identity } from '../log-ins.ts';
import type { ChangeEvent } from '../mailbox-owner/event.ts';
import type { MailboxSession } from '../mailbox-session.ts';
import type { Caller } from '../session.ts';

export type Services = {
  /** One object for each session, made when it begins. */
  begin(caller: Caller): SessionServices;
};

export type SessionServices = {
  /** Verifies, then opens a session with the owner of the account's mailboxes. May be asked again after a refusal. */
  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn>;
  /** The session with the owner of that mailHost: the own one from the log-in, others opened when first asked for. */
  owner(mailHost: string): Promise<Result<OwnerSession, 'unavailable'>>;
  /**
   * Tells what the owner publishes about an account's mailboxes, and `lost` when events may have been missed. Told in turns of
   * their own, never from within this call.
   * @returns ends it
   */
  watch(mailHost: string, account: string, listener: (event: ChangeEvent | 'lost') => void): () => void;
  /** All that there are, as far as this node knows: where others' mailboxes may be. */
  mailHosts(): readonly string[];
  /** Accounts as the directory mirrored here knows them, for names and identifiers. */
  readonly accounts: Accounts;
  /** What the account holds, by its owner. */
  usage(place: { readonly mailHost: string; readonly account: string }): Promise<Result<Usage, 'unavailable'>>;
  /** Sets or, with null, removes a limit of its own; for administrators. */
  setQuota(account: string, limits: QuotaLimits): Promise<Result<null, 'no-such-account' | 'unavailable'>>;
  /**
   * The client has gone, whatever is still under way: its account's place is free again, no session with another owner is opened,
   * and none that is being opened is waited for. Those that stand serve on until `leave`.
   * @param keepsPlace  until `leave`, for what goes on for long after its client
   */
  vacate(keepsPlace: boolean): void;
  /** Ends every session with an owner, and waits for none that is away. Called once and last, after every call has settled. */
  leave(): Promise<void>;
};

/** One session with one owner; each request is asked until patience is over (actors/owner-session.ts). */
export type OwnerSession = Pick<
  MailboxSession,
  'id' | 'mailHost' | 'isOver' | 'read' | 'change' | 'octets' | 'stage' | 'dropStages'
>;

/** The directory, read only, by names in lower case with their domain and by `Account.id`. Synchronous. */
export type Accounts = {
  named(name: string): KnownAccount | undefined;
  byId(id: string): KnownAccount | undefined;
  /** Of all domains; for administrators. */
  all(): Iterable<KnownAccount>;
};
export type KnownAccount = {
  readonly name: string;
  readonly id: string;
  readonly mailHost: string;
  /** The home of a domain's shared mailboxes, which has no INBOX. */
  readonly isShared: boolean;
  /** What it may hold, by its own settings or the configuration's; absent: any. */
  readonly quota: { readonly quotaOctets?: number; readonly quotaMessages?: number };
  /** The largest message that it takes; absent: any. */
  readonly sizeLimitOctets?: number;
};
export type Usage = { readonly octets: number; readonly messages: number };
/** null: none of its own any more; absent: as it is. */
export type QuotaLimits = { readonly octets?: number | null; readonly messages?: number | null };

export type Credentials = {
  readonly name: string;
  readonly proof: Proof;
  /** SASL: who the client wishes to act as; absent: whoever the proof is of. */
  readonly authorizationId?: string;
};
/** How it was said, for the connection log: LOGIN and SASL's PLAIN prove the same. */
export type Attempt = Credentials & { readonly mechanism: 'LOGIN' | 'PLAIN' };

/** `too-many-sessions`: the proof was right, and the account has as many sessions on this node as it may have. `broken`: only an operator helps. */
export type LogInRefusal = 'bad-credentials' | 'too-many-sessions' | 'unavailable' | 'broken';
export type LoggedIn = Identity & { readonly mailHost: string; readonly isAdministrator: boolean };
export type LogIn = Answer<LoggedIn, LogInRefusal>;
