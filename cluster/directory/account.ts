/**
 * An account as the directory keeps it. Plain data; sealed with the cluster key wherever it is stored or sent.
 */

/** Which listener a credential is for; DEFAULT serves those that have none of their own. */
export type Service = 'DEFAULT' | 'POP' | 'IMAP' | 'PWD';

/** `active` all; `noaccess` delivery only; `disabled` and `deleted` nothing. */
export type AccountStatus = 'active' | 'noaccess' | 'disabled' | 'deleted';

/** What is kept of one password. Base64 where it is octets. */
export type Credential = {
  /** The account's `version` at which this password was set: what a cache, a ticket and a grant must still match. */
  readonly revision: number;
  /** RFC 5802 §3 with SHA-256 (RFC 7677). */
  readonly scram: {
    readonly iterations: number;
    readonly salt: string;
    readonly storedKey: string;
    readonly serverKey: string;
  };
  /** The password itself, for the mechanisms that need it (APOP, RFC 1939 §7); absent when the operator keeps none. */
  readonly plain?: string;
};

export type Settings = {
  /** What it may hold; absent: what the configuration says, 0: unlimited. */
  readonly quotaOctets?: number;
  readonly quotaMessages?: number;
  /** The largest message that it takes; absent or 0: any. */
  readonly sizeLimitOctets?: number;
  /** May the user change the password by poppwd; default true. */
  readonly passwordChange?: boolean;
};

export type Account = {
  /** `user@domain`, lower case. */
  readonly name: string;
  /**
   * Opaque, unique to this creation for ever (the operation that created it). Mail is stored under the id, so that an
   * account made anew under an old name does not find the old one's mail, and a rename moves none. Owners know only ids.
   */
  readonly id: string;
  /** The home of a domain's shared mailboxes: it has no password, lets nobody in and has no INBOX. Absent: a user's account. */
  readonly kind?: 'shared';
  readonly mailHost: string;
  /** Set aside between two mailHosts (actors/authenticator/move-account.ts): nothing is accepted for it just now. */
  readonly movingFrom?: string;
  readonly status: AccountStatus;
  readonly credentials: Readonly<Partial<Record<Service, Credential>>>;
  readonly settings: Readonly<Settings>;
  /** The name that it had before, at which version it was copied from there, and the version here that the copy got. */
  readonly renamedFrom?: { readonly name: string; readonly version: number; readonly at: number };
  /** Grows with each change and is never used again, not even after the account was deleted and made anew. */
  readonly version: number;
  /** The operation that wrote this version: how a changer whose answer was lost recognises its own work. */
  readonly changedBy: string;
  /** A tombstone: the account is gone, its version stays. */
  readonly deleted?: true;
  /** Tombstones only: what has another name since; absent: it was deleted. */
  readonly renamedTo?: string;
};

/** The credential that `service` checks: its own, or DEFAULT only when it has none. Shared mailboxes have none, whatever stands there. */
export const credentialFor = ({ kind, credentials }: Account, service: Service): Credential | undefined =>
  kind === 'shared' ? undefined : (credentials[service] ?? credentials.DEFAULT);
