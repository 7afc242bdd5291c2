/**
 * The delivery sessions that a front holds open with owners, lent to one transaction at a time. A session answers one
 * numbered request after the other, and opening and ending one costs its owner a durable record each; so they are kept for
 * the next message rather than made anew for each, and ended when nobody has wanted them for a while.
 */
import type { Timer } from '../../kernel/clock.ts';
import type { DeliveryTicketAnswer } from '../authenticator/requests.ts';
import { MailboxSession } from '../mailbox-session.ts';
import { askAuthenticator, type Front } from './front.ts';

/** A lull between two deliveries of a busy day; what is open costs an owner some hundred octets. */
const IDLE_MS = 60_000;

type Idle = { readonly session: MailboxSession; readonly sinceMs: number };

export class DeliverySessions {
  readonly #front: Front;
  readonly #nextSession: () => string;
  /** By mailHost, the one given back last at the end. */
  readonly #idle = new Map<string, Idle[]>();
  #sweep: Timer | undefined;
  #stages = 0;
  #isStopped = false;

  /** @param nextSession  a session id, unique for ever (actors/session-ids.ts) */
  constructor(front: Front, nextSession: () => string) {
    this.#front = front;
    this.#nextSession = nextSession;
  }

  /** Names a body; no two of this front have the same name. */
  nextStage(): string {
    return String(++this.#stages);
  }

  /** An open session for one transaction, or undefined when none is to be had now. */
  async borrow(mailHost: string): Promise<MailboxSession | undefined> {
    const idle = this.#idle.get(mailHost)?.pop();
    if (idle !== undefined) return idle.session;
    const session = this.#nextSession();
    const answer = await askAuthenticator<DeliveryTicketAnswer>(
      this.#front,
      'delivery-ticket',
      { session, mailHost },
      { timeoutMs: this.#front.authTimeoutMs },
    );
    if (!answer?.ok) return undefined;
    const { ticket } = answer.value;
    const made = new MailboxSession(this.#front, { session, mailHost, ticket, purpose: 'delivery' });
    const opened = await made.open();
    if (opened.ok) return made;
    this.#front.log.warn('no delivery session', { session, mailHost, refusal: opened.refusal });
    return undefined;
  }

  /** After a transaction that went well: for the next. */
  giveBack(session: MailboxSession): void {
    if (session.isOver || this.#isStopped) {
      this.discard(session);
      return;
    }
    const idle = this.#idle.get(session.mailHost) ?? [];
    idle.push({ session, sinceMs: this.#front.clock.monotonic() });
    this.#idle.set(session.mailHost, idle);
    this.#sweepIn(IDLE_MS);
  }

  /**
   * After one that did not: what it asked may still arrive, and what it staged lies there, until the session is ended.
   * Where the owner had ended it, the others were most likely ended with it (this front was taken for dead).
   */
  discard(session: MailboxSession): void {
    if (session.isOver) this.#endIdle(session.mailHost, Number.POSITIVE_INFINITY);
    void session.close();
  }

  /** Ends the idle ones, or leaves that to their owner when it is away; those still lent are ended when given back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#sweep?.cancel();
    const idle = [...this.#idle.values()].flat();
    this.#idle.clear();
    await Promise.all(idle.map(({ session }) => session.closeOnce()));
  }

  #sweepIn(ms: number): void {
    this.#sweep ??= this.#front.clock.after(ms, () => {
      this.#sweep = undefined;
      const until = this.#front.clock.monotonic() - IDLE_MS;
      for (const mailHost of [...this.#idle.keys()]) this.#endIdle(mailHost, until);
      const oldest = Math.min(...[...this.#idle.values()].map(([first]) => first!.sinceMs)); // Infinity when all are gone
      if (Number.isFinite(oldest)) this.#sweepIn(oldest - until);
    });
  }

  /** Ends those that have been idle since then or longer; the first in a list have been longest. */
  #endIdle(mailHost: string, until: number): void {
    const idle = this.#idle.get(mailHost) ?? [];
    const kept = idle.filter(({ sinceMs }) => sinceMs > until);
    for (const { session, sinceMs } of idle) if (sinceMs <= until) void session.close();
    if (kept.length > 0) this.#idle.set(mailHost, kept);
    else this.#idle.delete(mailHost);
  }
}
