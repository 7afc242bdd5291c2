/**
 * An IMAP session's services over the bus: an authenticator says who it is, owners open sessions for the mailboxes that they have,
 * and the directory is looked at once more in the turn in which the log-in is answered (grant.ts).
 */
import { BusError } from '../../cluster/bus/bus.ts';
import type { Account } from '../../cluster/directory/account.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { AccountSessions } from '../account-sessions.ts';
import { grantFault, refusalOf } from '../authenticator/grant.ts';
import type { DefaultQuota } from '../authenticator/recipient.ts';
import type { GuestTicketAnswer, Verified } from '../authenticator/requests.ts';
import { saslprep } from '../authenticator/saslprep.ts';
import type {
  Accounts,
  Credentials,
  KnownAccount,
  LogIn,
  OwnerSession,
  QuotaLimits,
  Services,
  SessionServices,
  Usage,
} from '../imap/services.ts';
import type { UsageAnswer } from '../mailbox-owner/requests.ts';
import { MailboxSession, type OpenRefused } from '../mailbox-session.ts';
import type { Caller } from '../session.ts';
import type { ChangeListener, ChangeWatch } from './change-watch.ts';
import { type DefaultMailbox, makeDefaultMailboxes } from './default-mailboxes.ts';
import { askAuthenticator, type Front, leave, verify } from './front.ts';

export type ImapServicesOptions = {
  readonly front: Front;
  readonly watch: ChangeWatch;
  /** Those of all protocols on this node. */
  readonly accountSessions?: AccountSessions;
  /** What accounts may hold that have no limits of their own; 0: unlimited. */
  readonly quota: DefaultQuota;
  /** For an account that has none but INBOX. */
  readonly defaultMailboxes: readonly DefaultMailbox[];
  /** All that the cluster has, as far as this node knows. */
  readonly mailHosts: () => readonly string[];
  /** A new operation's name, unique for ever. */
  readonly nextOperation: () => string;
};

export function imapServices(options: ImapServicesOptions): Services {
  const accountSessions = options.accountSessions ?? new AccountSessions(0);
  const accounts = accountsOf(options);
  return { begin: (caller) => new ImapServicesOfSession({ ...options, accountSessions }, accounts, caller) };
}

function accountsOf({ front: { directory }, quota }: ImapServicesOptions): Accounts {
  const known = (account: Account | undefined) => account && knownAccount(account, quota);
  return {
    named: (name) => known(directory.find(name)),
    byId: (id) => known(directory.findById(id)),
    *all() {
      for (const account of directory.accounts()) yield knownAccount(account, quota);
    },
  };
}

function knownAccount({ name, id, kind, mailHost, settings }: Account, defaults: DefaultQuota): KnownAccount {
  const isShared = kind === 'shared';
  const quotaOctets = settings.quotaOctets ?? (isShared ? 0 : defaults.octets);
  const quotaMessages = settings.quotaMessages ?? (isShared ? 0 : defaults.messages);
  return {
    ...{ name, id, mailHost, isShared },
    quota: { ...(quotaOctets > 0 && { quotaOctets }), ...(quotaMessages > 0 && { quotaMessages }) },
    ...(settings.sizeLimitOctets && { sizeLimitOctets: settings.sizeLimitOctets }),
  };
}

type Shared = ImapServicesOptions & { readonly accountSessions: AccountSessions };

class ImapServicesOfSession implements SessionServices {
  readonly accounts: Accounts;
  readonly #options: Shared;
  readonly #caller: Caller;
  /** Sessions with owners so far: names each. A log-in that is refused may still end late, so each has its own. */
  #opened = 0;
  #verified: Verified | undefined;
  /** By mailHost; one that could not be opened, or has ended, is opened anew when it is asked for again. */
  readonly #owners = new Map<string, Promise<Result<MailboxSession, 'unavailable'>>>();
  /** Of those, the ones that stand. */
  readonly #open = new Map<string, MailboxSession>();
  /** On other mailHosts: being opened. */
  readonly #opening = new Set<MailboxSession>();
  /** The account id whose place it has taken there. */
  #entered: string | undefined;
  #unwatch: (() => void) | undefined;
  #hasLeft = false;

  constructor(options: Shared, accounts: Accounts, caller: Caller) {
    this.#options = options;
    this.accounts = accounts;
    this.#caller = caller;
  }

  async logIn({ name: given, proof }: Credentials, signal: AbortSignal): Promise<LogIn> {
    // As for POP3 (RFC 6856 §2.2): a name that SASLprep refuses is no account's; asked for as it stands, it takes as long.
    const name = saslprep(given) ?? given;
    const session = this.#nextId();
    const { front, accountSessions } = this.#options;
    const answer = await verify(front, { service: 'IMAP', name, proof, session }, signal);
    if (answer === undefined) return refuse('unavailable');
    if (!answer.ok) return answer;
    const { accountId } = answer.value;
    if (this.#hasLeft) return refuse('unavailable');
    if (!accountSessions.enter(accountId)) return refuse('too-many-sessions');
    this.#entered = accountId;
    let isOpen = false;
    try {
      const opened = await this.#openOwn(session, answer.value, signal);
      isOpen = opened.ok;
      return opened;
    } finally {
      if (!isOpen) this.#giveBack();
    }
  }

  async #openOwn(session: string, verified: Verified, signal: AbortSignal): Promise<LogIn> {
    const { front, watch } = this.#options;
    const { mailHost, ticket } = verified;
    const opening = new MailboxSession(front, { session, mailHost, ticket, purpose: 'mailboxes' });
    const abandon = () => void opening.close();
    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) abandon();
    try {
      const granted = await this.#granted(opening, verified);
      if (!granted.ok || signal.aborted || this.#hasLeft) {
        abandon();
        return granted.ok ? refuse('unavailable') : granted;
      }
      if (front.servesHere?.(mailHost) === false) front.statistics?.of('imap').did('sessions-forwarded');
      this.#verified = verified;
      this.#owners.set(mailHost, Promise.resolve(accept(opening)));
      this.#open.set(mailHost, opening);
      this.#unwatch = watch.watch(mailHost, verified.accountId, () => {}); // so that it stands when a mailbox is selected
      return granted;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Ends with the last look, and nothing is awaited after it. */
  async #granted(opening: MailboxSession, verified: Verified): Promise<LogIn> {
    const { front, defaultMailboxes } = this.#options;
    const { directory, freshenTimeoutMs } = front;
    const opened = await opening.open();
    if (!opened.ok) return this.#notOpened(opened.refusal, verified);
    await makeDefaultMailboxes(opening, verified.accountId, defaultMailboxes, front.log);
    if (!directory.isFresh()) await directory.freshen(freshenTimeoutMs);
    const fault = grantFault(directory, 'IMAP', verified);
    const { account, accountId, mailHost, administers = false } = verified;
    if (fault === undefined) return accept({ account, accountId, mailHost, isAdministrator: administers });
    front.log.info('log-in refused at the last look', { account, session: opening.id, fault });
    return { ...refuse(refusalOf(fault)), reason: fault };
  }

  #notOpened(refusal: OpenRefused, verified: Verified): LogIn {
    // A ticket was right when it was signed: what it vouched for has changed since, most likely.
    const { directory } = this.#options.front;
    const fault = refusal === 'ticket-refused' ? grantFault(directory, 'IMAP', verified) : undefined;
    if (fault === undefined) return { ...refuse('unavailable'), reason: refusal };
    return { ...refuse(refusalOf(fault)), reason: fault };
  }

  async owner(mailHost: string): Promise<Result<OwnerSession, 'unavailable'>> {
    for (let tries = 0; tries < 2; tries++) {
      const known = this.#owners.get(mailHost);
      if (known === undefined && this.#hasLeft) break;
      const session = await (known ?? this.#openAt(mailHost));
      if (session.ok && !session.value.isOver) return session;
      // What was known is of no use any more: whoever comes first opens another.
      if (this.#owners.get(mailHost) === known) this.#owners.delete(mailHost);
      if (known === undefined) break;
    }
    return refuse('unavailable');
  }

  #openAt(mailHost: string): Promise<Result<MailboxSession, 'unavailable'>> {
    const opening = this.#guestAt(mailHost).then((opened) => {
      if (!opened.ok && this.#owners.get(mailHost) === opening) this.#owners.delete(mailHost);
      return opened;
    });
    this.#owners.set(mailHost, opening);
    return opening;
  }

  /** On another mailHost, or on the own one after the owner ended the session there. */
  async #guestAt(mailHost: string): Promise<Result<MailboxSession, 'unavailable'>> {
    const { front } = this.#options;
    if (this.#verified === undefined) throw new Error('nobody is logged in');
    const session = this.#nextId();
    const request = { ticket: this.#verified.ticket, session, mailHost };
    const options = { timeoutMs: front.authTimeoutMs };
    const answer = await askAuthenticator<GuestTicketAnswer>(front, 'guest-ticket', request, options);
    if (!answer?.ok || this.#hasLeft) return refuse('unavailable');
    const made = new MailboxSession(front, { session, mailHost, ticket: answer.value.ticket, purpose: 'mailboxes' });
    this.#opening.add(made);
    const opened = await made.open().finally(() => this.#opening.delete(made));
    if (opened.ok && !this.#hasLeft) {
      this.#open.set(mailHost, made);
      return accept(made);
    }
    if (!opened.ok && !this.#hasLeft)
      front.log.warn('no session with an owner', { session, mailHost, refusal: opened.refusal });
    void made.close();
    return refuse('unavailable');
  }

  watch(mailHost: string, account: string, listener: ChangeListener): () => void {
    return this.#options.watch.watch(mailHost, account, listener);
  }

  mailHosts(): readonly string[] {
    return this.#options.mailHosts();
  }

  async usage({ mailHost, account }: { mailHost: string; account: string }): Promise<Result<Usage, 'unavailable'>> {
    const { bus, subjects, attemptMs: timeoutMs, log } = this.#options.front;
    try {
      const answer = (await bus.ask(subjects.mail(mailHost, 'usage'), { account }, { timeoutMs })) as UsageAnswer;
      return answer.ok ? answer : refuse('unavailable');
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      log.warn('no answer from an owner', { mailHost, operation: 'usage', failure: error.failure });
      return refuse('unavailable');
    }
  }

  async setQuota(name: string, limits: QuotaLimits): Promise<Result<null, 'no-such-account' | 'unavailable'>> {
    const { front, nextOperation } = this.#options;
    const edit = (current: Account | undefined) =>
      current && { ...current, settings: withLimits(current.settings, limits) };
    const changed = await front.directory.change(name, edit, { operation: nextOperation() });
    if (!changed.ok) return refuse('unavailable');
    return changed.value === undefined ? refuse('no-such-account') : accept(null);
  }

  vacate(keepsPlace: boolean): void {
    this.#hasLeft = true;
    if (!keepsPlace) this.#giveBack();
    for (const opening of this.#opening) void opening.close(); // and so it is not waited for
  }

  async leave(): Promise<void> {
    this.vacate(false);
    this.#unwatch?.();
    const open = [...this.#open.values()];
    this.#owners.clear();
    this.#open.clear();
    await Promise.all(open.map((session) => leave(this.#options.front, session)));
  }

  #giveBack(): void {
    if (this.#entered !== undefined) this.#options.accountSessions.leave(this.#entered);
    this.#entered = undefined;
  }

  #nextId(): string {
    return `${this.#caller.session}.${++this.#opened}`;
  }
}

function withLimits(settings: Account['settings'], { octets, messages }: QuotaLimits): Account['settings'] {
  const { quotaOctets, quotaMessages, ...rest } = settings;
  const chosen = (limit: number | null | undefined, before: number | undefined) =>
    limit === undefined ? before : (limit ?? undefined);
  const [storage, count] = [chosen(octets, quotaOctets), chosen(messages, quotaMessages)];
  return {
    ...rest,
    ...(storage !== undefined && { quotaOctets: storage }),
    ...(count !== undefined && { quotaMessages: count }),
  };
}
