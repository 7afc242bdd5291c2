/**
 * What an LMTP session asks of the house. Whoever composes the node implements it over the bus; the machine knows only
 * these words. A rejected promise is a fault, answered as temporary (RFC 5321 §4.2.1) and logged.
 */
import type { Result } from '../../kernel/result.ts';
import type { Path } from '../../protocols/lmtp/command.ts';
import type { Recipient, RecipientRefusal } from '../authenticator/requests.ts';
import type { Caller } from '../session.ts';

export type Services = {
  /** One object for each session, made when it begins; told nothing of its end. */
  begin(caller: Caller): SessionServices;
};

export type SessionServices = {
  /** Whose mailbox a forward-path is. `domain` is '' for a bare `Postmaster` (RFC 5321 §4.5.1). */
  resolve(forwardPath: Path, signal: AbortSignal): Promise<Resolved>;
  /**
   * Reads the content to its end, then delivers to each recipient or says why not.
   * @returns one outcome a recipient, in their order; an accepted one is durable (RFC 2033 §4.2)
   * @throws what the content's iteration throws; nothing may then have been delivered
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<readonly Outcome[]>;
};

export type Resolved = Result<Recipient, RecipientRefusal>;

/** A recipient that was accepted, and the path that it was named by. */
export type Accepted = Recipient & { readonly forwardPath: Path };

export type Delivery = {
  /** What the client called itself in LHLO. */
  readonly clientDomain: string;
  /** null is the null reverse-path (RFC 5321 §4.5.5). */
  readonly reversePath: Path | null;
  /** RFC 6531 §3.4: paths and header section may hold more than ASCII. */
  readonly smtputf8: boolean;
  /** The message came under TLS, or through a unix socket. */
  readonly secured: boolean;
  /** At least one; the same account may be named twice and then has two outcomes (RFC 2033 §4.2). */
  readonly recipients: readonly Accepted[];
  /** CRLF line ends, the last one too, screened; each piece valid only until the next is pulled. May be returned from early. */
  readonly content: AsyncIterable<Uint8Array>;
};

/** Where the message went: told to the client, so that its log and ours can be joined. */
export type Receipt = { readonly mailHost: string; readonly sequence: number };
/** `no-such-user` and `disabled`: since it was resolved. `too-large-for-user`: it takes no message of this size. */
export type DeliveryRefusal = 'over-quota' | 'too-large-for-user' | 'full' | RecipientRefusal;
export type Outcome = Result<Receipt, DeliveryRefusal>;
