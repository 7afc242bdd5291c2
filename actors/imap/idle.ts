/**
 * IDLE while it lasts: RFC 9051 §6.3.13. Waits for news of the selected mailbox and tells them as they come; now and then it says
 * that the server is still there, so that nothing between the two takes the connection for dead (RFC 2177 leaves that to servers).
 * Nothing is told before the last was taken: for a client that reads nothing, changes come together in the view.
 */
import type { Response } from '../../protocols/imap/response.ts';
import type { ImapSession } from './imap-session.ts';
import * as replies from './replies.ts';

/** What the machine hears. `idle.broke`: something that was to be told is lost. */
export type IdleEvent =
  | { readonly type: 'idle.told'; readonly responses: readonly Response[] }
  | { readonly type: 'idle.ended' }
  | { readonly type: 'idle.broke' };

export class Idle {
  readonly #session: ImapSession;
  readonly #tell: (event: IdleEvent) => void;
  readonly #unsubscribe: () => void;
  #keepalive: { cancel(): void } | undefined;
  /** The view is being asked, or told of: what it gives belongs to the client whatever happens meanwhile. */
  #isAsking = false;
  #isDue = false;
  #isFinishing = false;
  /** What was told last waits for the client to take it. */
  #isTaken: (() => void) | undefined;
  #isOver = false;

  constructor(session: ImapSession, tell: (event: IdleEvent) => void) {
    this.#session = session;
    this.#tell = tell;
    this.#unsubscribe = session.view?.onNews(() => this.#ask()) ?? (() => {});
    this.#waitOn();
  }

  /** The client has said DONE, or what it took for that: tells once more, then that it is over. */
  finish(): void {
    this.#isFinishing = true;
    this.#ask();
  }

  /** The client has gone, or all was told. */
  stop(): void {
    this.#isOver = true;
    this.#unsubscribe();
    this.#keepalive?.cancel();
    this.#isTaken?.();
  }

  #ask(): void {
    this.#isDue = true;
    if (!this.#isAsking) void this.#askOn();
  }

  async #askOn(): Promise<void> {
    this.#isAsking = true;
    try {
      while (this.#isDue && !this.#isOver) {
        this.#isDue = false;
        const isLast = this.#isFinishing;
        const responses = (await this.#session.view?.sync({ mayExpunge: true, ask: isLast, withUid: false })) ?? [];
        if (this.#isOver) return;
        if (responses.length > 0) await this.#say(responses);
        if (this.#isOver) return;
        if (isLast) this.#tell({ type: 'idle.ended' });
        if (isLast) return this.stop();
      }
    } catch (fault) {
      if (this.#isOver) return;
      this.#session.log.error('telling news failed', { session: this.#session.id, fault });
      this.stop();
      this.#tell({ type: 'idle.broke' });
    } finally {
      this.#isAsking = false;
    }
  }

  /** Resolves once it is on its way to the client and the next may follow, or there will be no next. */
  async #say(responses: readonly Response[]): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#isTaken = resolve;
    });
    this.#tell({ type: 'idle.told', responses: [{ type: 'batch', responses: this.#flowing(responses) }] });
    this.#waitOn();
    await taken;
    this.#isTaken = undefined;
  }

  /** Pulled as fast as the client reads, so its end is when all of it is out. */
  async *#flowing(responses: readonly Response[]): AsyncGenerator<Response> {
    yield* responses;
    this.#isTaken?.();
  }

  async #stillHere(): Promise<void> {
    this.#isAsking = true;
    await this.#say([replies.stillHere]);
    this.#isAsking = false;
    if (this.#isDue) void this.#askOn();
  }

  #waitOn(): void {
    const { clock, constants } = this.#session;
    this.#keepalive?.cancel();
    if (constants.idleKeepaliveMs <= 0) return;
    this.#keepalive = clock.after(constants.idleKeepaliveMs, () => {
      if (this.#isAsking) this.#waitOn();
      else void this.#stillHere();
    });
  }
}
