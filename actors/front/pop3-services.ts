/**
 * A POP3 session's services over the bus: an authenticator says who it is, the owner of the mailHost opens and locks the
 * maildrop, and the directory is looked at once more in the turn in which the log-in is answered (grant.ts).
 */
import { accept, refuse } from '../../kernel/result.ts';
import { AccountSessions } from '../account-sessions.ts';
import { grantFault, refusalOf } from '../authenticator/grant.ts';
import type { Verified } from '../authenticator/requests.ts';
import { saslprep } from '../authenticator/saslprep.ts';
import { MailboxSession, type OpenRefused } from '../mailbox-session.ts';
import type { Credentials, Expunged, LogIn, Retrieved, Services, SessionServices } from '../pop3/services.ts';
import type { Caller } from '../session.ts';
import { type Front, leave, verify } from './front.ts';

/**
 * @param loginDelayMs  the least time between two log-ins of an account, which its owner holds; 0: none
 * @param accountSessions  those of all protocols on this node
 */
export const pop3Services = (
  front: Front,
  loginDelayMs = 0,
  accountSessions: AccountSessions = new AccountSessions(0),
): Services => ({
  begin: (caller) => new Pop3Session(front, caller, loginDelayMs, accountSessions),
});

class Pop3Session implements SessionServices {
  readonly #front: Front;
  readonly #caller: Caller;
  readonly #loginDelayMs: number;
  /** Log-ins tried: each opens a session of its own at the owner, for one refused may still end late. */
  #tries = 0;
  #session: MailboxSession | undefined;
  readonly #accountSessions: AccountSessions;
  /** The account id whose place it has taken there. */
  #entered: string | undefined;

  constructor(front: Front, caller: Caller, loginDelayMs: number, accountSessions: AccountSessions) {
    this.#accountSessions = accountSessions;
    this.#front = front;
    this.#caller = caller;
    this.#loginDelayMs = loginDelayMs;
  }

  async logIn({ name: given, proof }: Credentials, signal: AbortSignal): Promise<LogIn> {
    // RFC 6856 §2.2: a name that SASLprep refuses is no account's; it is asked for as it stands, and takes as long.
    const name = saslprep(given) ?? given;
    const session = `${this.#caller.session}.${++this.#tries}`;
    const answer = await verify(this.#front, { service: 'POP', name, proof, session }, signal);
    if (answer === undefined) return refuse('unavailable');
    if (!answer.ok) return answer;
    const { accountId } = answer.value;
    if (!this.#accountSessions.enter(accountId)) return refuse('too-many-sessions');
    this.#entered = accountId;
    let isOpen = false;
    try {
      const opened = await this.#open(session, answer.value, signal);
      isOpen = opened.ok;
      return opened;
    } finally {
      if (!isOpen) this.#giveBack();
    }
  }

  #giveBack(): void {
    if (this.#entered !== undefined) this.#accountSessions.leave(this.#entered);
    this.#entered = undefined;
  }

  async #open(session: string, verified: Verified, signal: AbortSignal): Promise<LogIn> {
    const { mailHost, ticket } = verified;
    const identity = { session, mailHost, ticket, purpose: 'maildrop', leastIntervalMs: this.#loginDelayMs } as const;
    const opening = new MailboxSession(this.#front, identity);
    const abandon = () => void opening.close();
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
    try {
      const listing = await this.#listing(opening, verified);
      if (listing.ok && this.#front.servesHere?.(mailHost) === false) this.#counted?.did('sessions-forwarded');
      if (listing.ok && !signal.aborted) this.#session = opening;
      else abandon();
      return listing;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Ends with the last look, and nothing is awaited after it. */
  async #listing(opening: MailboxSession, verified: Verified): Promise<LogIn> {
    const { directory, freshenTimeoutMs } = this.#front;
    const opened = await opening.open();
    if (!opened.ok) return this.#notOpened(opened.refusal, verified);
    if (opened.value.maildrop === undefined) throw new Error('an owner opened a maildrop session without a maildrop');
    const entries = await opening.list();
    if (!entries.ok) return refuse('unavailable');
    if (!directory.isFresh()) await directory.freshen(freshenTimeoutMs);
    const fault = grantFault(directory, 'POP', verified);
    const { uidValidity } = opened.value.maildrop;
    const { account, accountId } = verified;
    if (fault === undefined) return accept({ account, accountId, uidValidity, entries: entries.value });
    this.#front.log.info('log-in refused at the last look', { account, session: opening.id, fault });
    return { ...refuse(refusalOf(fault)), reason: fault };
  }

  #notOpened(refusal: OpenRefused, verified: Verified): LogIn {
    if (refusal === 'in-use' || refusal === 'too-soon') return refuse(refusal);
    // A ticket was right when it was signed: what it vouched for has changed since, most likely.
    const fault = refusal === 'ticket-refused' ? grantFault(this.#front.directory, 'POP', verified) : undefined;
    if (fault === undefined) return { ...refuse('unavailable'), reason: refusal };
    return { ...refuse(refusalOf(fault)), reason: fault };
  }

  async retrieve(uid: number, signal: AbortSignal): Promise<Retrieved> {
    const session = this.#opened();
    const abandon = () => void session.close(); // aborted only when the connection is over
    signal.addEventListener('abort', abandon, { once: true });
    try {
      const fetched = await session.fetch(uid);
      if (fetched.ok) this.#counted?.did('messages-retrieved');
      if (fetched.ok) return accept({ body: fetched.value.body });
      return refuse(fetched.refusal === 'gone' ? 'gone' : 'unavailable');
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Seen through even when the client vanishes: it has said QUIT (RFC 1939 §6). */
  async expunge(uids: readonly number[]): Promise<Expunged> {
    const done = await this.#opened().quit(uids);
    if (done.ok) {
      this.#counted?.did('messages-removed', uids.length);
      this.#giveBack();
      return accept(null);
    }
    return refuse(done.refusal === 'lock-lost' ? 'lock-lost' : 'unavailable');
  }

  async leave(): Promise<void> {
    this.#giveBack();
    if (this.#session !== undefined) await leave(this.#front, this.#session);
  }

  get #counted() {
    return this.#front.statistics?.of('pop3');
  }

  #opened(): MailboxSession {
    if (this.#session === undefined) throw new Error('no maildrop is open');
    return this.#session;
  }
}
