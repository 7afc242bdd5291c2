/**
 * What a POP3 session asks of the house. Whoever composes the node implements it over the bus; the machine knows only
 * these words. A rejected promise is a fault, answered as temporary (RFC 3206 §4) and logged.
 */
import type { Result } from '../../kernel/result.ts';
import type { Proof } from '../authenticator/requests.ts';
import type { Answer, Identity } from '../log-ins.ts';
import type { Caller } from '../session.ts';
import type { Listed } from './maildrop.ts';

export type Services = {
  /** One object for each session, made when it begins. */
  begin(caller: Caller): SessionServices;
};

export type SessionServices = {
  /** Verifies, then opens and locks the maildrop (RFC 1939 §4). May be asked again after a refusal. */
  logIn(credentials: Credentials, signal: AbortSignal): Promise<LogIn>;
  /**
   * A message's octets as stored. What is said of their number in the listing must hold: a body of another length breaks
   * the connection. `body` may be dropped unread, or returned from early (TOP, a client that vanished).
   */
  retrieve(uid: number, signal: AbortSignal): Promise<Retrieved>;
  /** Removes exactly these, unlocks the maildrop and ends the session, in one, all or nothing (RFC 1939 §6). */
  expunge(uids: readonly number[], signal: AbortSignal): Promise<Expunged>;
  /**
   * Unlocks the maildrop and removes nothing. Called at most once and last: when a log-in succeeded and no `expunge` did,
   * after every call has settled. A body still being read may break off now.
   */
  leave(): Promise<void>;
};

export type Credentials = {
  readonly name: string;
  readonly proof: Proof;
  /** SASL: who the client wishes to act as; absent: whoever the proof is of. Nobody may act as another here. */
  readonly authorizationId?: string;
};

/** How it was said, for the connection log: PASS and SASL's PLAIN prove the same. */
export type Attempt = Credentials & { readonly mechanism: 'PASS' | 'APOP' | 'PLAIN' };

/**
 * `in-use`: the proof was right, but another POP3 session has the maildrop (RFC 2449 §8.1.2). `too-soon`: right as well, but
 * the last log-in was less than the login delay ago (RFC 2449 §8.1.1). `too-many-sessions`: right, and the account has as many
 * on this node as it may have. `broken`: only an operator helps.
 */
export type LogInRefusal = 'bad-credentials' | 'in-use' | 'too-soon' | 'too-many-sessions' | 'unavailable' | 'broken';
export type LogIn = Answer<Listing & Identity, LogInRefusal>;
/** INBOX as it stood at log-in, ascending by UID. Sizes are octets as sent, CRLF line ends, unstuffed. */
export type Listing = { readonly uidValidity: number; readonly entries: readonly Listed[] };

export type RetrieveRefusal = 'gone' | 'unavailable';
export type Retrieved = Result<{ readonly body: AsyncIterable<Uint8Array> }, RetrieveRefusal>;

/** `lock-lost`: another session may have the maildrop by now; nothing was removed. */
export type ExpungeRefusal = 'lock-lost' | 'unavailable';
export type Expunged = Result<null, ExpungeRefusal>;
