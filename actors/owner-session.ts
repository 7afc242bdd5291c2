/**
 * A front's side of one session with a mailHost's owner (docs/architecture.md, "The bus" and "Ownership"). Knows no
 * protocol. Owners come and go; the session stays: what was asked is asked again, of whoever owns the mailHost by then,
 * until patience is over.
 *
 * What changes the mailbox is numbered by the session's counter and repeated under the same number, so however often it
 * arrives it acts once. A front that gives up moves on: its next request carries a higher number, or `close` ends the
 * session, and from then on a late copy is `stale` or of an unknown session. A copy that comes between giving up and that
 * may still act. So the promise is: what was answered with success was done, exactly once; what was answered
 * `unavailable` was done at most once, and rarely it was. (For LMTP that is a 451 after which the sender's retry makes a
 * second copy: RFC 1047's gap, which no server closes. Waiting for the owner to come back and tell would only widen it.)
 */
import { BusError, type BusFailure } from '../cluster/bus/bus.ts';
import { accept, type Result, refuse } from '../kernel/result.ts';
import { TICKET_LIFETIME_MS } from './authenticator/rights.ts';
import type { CloseAnswer, Maildrop, OpenAnswer, Opened, OpenRequest, Operation } from './mailbox-owner/requests.ts';
import type { Edits, Reads } from './mailbox-owner/session-requests.ts';
import { patience } from './patience.ts';
import type { SessionContext } from './session-context.ts';

export type SessionIdentity = Pick<OpenRequest, 'session' | 'ticket' | 'purpose' | 'leastIntervalMs'> & {
  readonly mailHost: string;
};

/** `unavailable` patience is over; `ended` the session is no more: closed here, kicked, its lock or its account gone. */
export type SessionRefusal = 'unavailable' | 'ended';
export type OpenRefused = 'unavailable' | 'ticket-refused' | 'in-use' | 'too-soon' | 'session-ended' | 'full';
/** What an answer says, but for what passes when an owner is asked again, or another is. */
type Answered<A, Besides extends string = never> = Result<
  Extract<A, { readonly ok: true }> extends { readonly value: infer Value } ? Value : never,
  Exclude<Refusals<A>, Passing | Besides> | SessionRefusal
>;
export type ReadResult<O extends keyof Reads> = Answered<Reads[O]['answer']>;
export type EditResult<O extends keyof Edits> = Answered<Edits[O]['answer'], 'stale'>;

/** An owner that was away for long finds those that wait to close a session spread out. */
const LONGEST_CLOSING_PAUSE_MS = 15_000;
/** Failures of a request that nobody can have got. */
const UNSENT: readonly string[] = ['no-responders', 'unsent'];

export class OwnerSession {
  readonly id: string;
  readonly mailHost: string;
  readonly #context: SessionContext;
  readonly #identity: SessionIdentity;
  /** Aborted by `close`: reads stop, numbered requests are seen through. */
  readonly #leaving = new AbortController();
  /** An `open` may have reached an owner, so there may be a session to end. */
  #mayBeKnown = false;
  #isOpened = false;
  /** Known to the owner of `#epoch`; undefined when the session is to be opened again first. */
  #handle: string | undefined;
  /** The last handle that any owner gave: to `close` it names the session, whoever is asked. */
  #lastHandle: string | undefined;
  #epoch = 0;
  #maildrop: Maildrop | undefined;
  /** The number of the last numbered request. */
  #counter = 0;
  /** The highest number that was answered with success: no owner may know less. */
  #answered = 0;
  #numbered: Promise<unknown> | undefined;
  #opening: Promise<Result<Opened, OpenRefused>> | undefined;
  /** Nothing is asked any more: the owner ended the session, or this node's bus is closed. */
  #isOver = false;
  #closed: Promise<void> | undefined;
  /** No owner that does not hear it at once is asked again to close. */
  #isFrontEnding = false;

  constructor(context: SessionContext, identity: SessionIdentity) {
    this.#context = context;
    this.#identity = identity;
    this.id = identity.session;
    this.mailHost = identity.mailHost;
  }

  /** Has the session ended, so that it can't be used again? */
  get isOver(): boolean {
    return this.#isOver || this.#closed !== undefined;
  }

  /** Opens the session; asked once. A refusal leaves nothing open; after `unavailable`, which may have, it sees to that. */
  async open(): Promise<Result<Opened, OpenRefused>> {
    const waiting = patience(this.#context.clock, this.#context.patienceMs, { signal: this.#leaving.signal });
    do {
      const opened = await this.#openOnce();
      if (opened.ok) return opened;
      if (opened.refusal !== 'unavailable') {
        this.#isOver = true;
        return opened;
      }
    } while (!this.#isOver && (await waiting.rest()));
    void this.close();
    return refuse('unavailable');
  }

  /** As it was opened, of a session that locks one. */
  get maildrop(): Maildrop | undefined {
    return this.#maildrop;
  }

  /** Asks what may be asked again freely; broken off by `close`. */
  async read<O extends keyof Reads>(
    operation: O,
    request: Omit<Reads[O]['request'], 'handle'>,
  ): Promise<ReadResult<O>> {
    const asked = (handle: string) => ({ handle, ...request });
    return (await this.#perform(operation, asked, this.#leaving.signal)) as ReadResult<O>;
  }

  /**
   * Asks what is numbered, under one number however often it is sent; one at a time: what is asked meanwhile waits, in
   * order. `unavailable`: see the head of this file. What still waits when the session is closed is not asked: `ended`.
   */
  change<O extends keyof Edits>(
    operation: O,
    request: Omit<Edits[O]['request'], 'handle' | 'counter'>,
  ): Promise<EditResult<O>> {
    const before = this.#numbered;
    const asked =
      before === undefined
        ? this.#changeNow(operation, request)
        : before.then(() => this.#changeNow(operation, request));
    const settled = asked.catch(() => undefined);
    this.#numbered = settled;
    void settled.then(() => {
      if (this.#numbered === settled) this.#numbered = undefined;
    });
    return asked as Promise<EditResult<O>>;
  }

  async #changeNow(operation: keyof Edits, request: object): Promise<Result<unknown, string>> {
    if (this.isOver) return refuse('ended');
    const counter = ++this.#counter;
    // Asked again by the handle it was asked by first: whoever owns the mailHost by then knows from it what was answered.
    const answer = await this.#perform(operation, (handle) => ({ handle, counter, ...request }));
    if (answer.ok) this.#answered = counter;
    if (answer.ok && operation === 'quit') this.#isOver = true;
    return this.#unlessStale(answer);
  }

  /** What the owner streams, ending where it ends or breaks: only a count of octets tells which. */
  async *stream(operation: 'body' | 'octet-stream', request: object): AsyncGenerator<Uint8Array> {
    const { bus, subjects, attemptMs: idleTimeoutMs, log } = this.#context;
    const asked = { handle: this.#handle ?? '', ...request };
    const { signal } = this.#leaving;
    try {
      yield* bus.stream(subjects.mail(this.mailHost, operation), asked, { idleTimeoutMs, signal });
    } catch (error) {
      if (!(error instanceof BusError)) throw error; // closed here, or broken
      log.debug('a stream broke off', { session: this.id, operation, failure: error.failure });
    }
  }

  /**
   * Ends the session and removes nothing. Reads under way break off; a numbered request is seen through first. Goes on
   * asking, ever more rarely, however long no owner is there, for neither may a maildrop stay locked nor what was staged
   * lie about while the front lives; need not be awaited, never rejects.
   *
   * What no owner can have heard of needs no ending. Where an `open` may have been heard and was never answered, only
   * another one tells; for a delivery, which locks nothing, that is tried until no ticket can open it any more.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close().catch((fault) => {
      this.#context.log.error('closing a session broke', { session: this.id, mailHost: this.mailHost, fault });
    });
    return this.#closed;
  }

  /**
   * As `close`, but tried once: for a front that ends. What no owner hears now ends with the front's registration, which
   * owners watch (mailbox-owner/fronts.ts), so nobody has to wait for one that is away.
   */
  closeOnce(): Promise<void> {
    this.#isFrontEnding = true;
    return this.close();
  }

  async #close(): Promise<void> {
    this.#leaving.abort(new Error('the session is closed'));
    await this.#numbered;
    await this.#opening?.catch(() => undefined); // told to whoever opens
    if (this.#isOver || !this.#mayBeKnown) {
      this.#isOver = true;
      return;
    }
    const waiting = patience(this.#context.clock, this.#closingMs(), { longestPauseMs: LONGEST_CLOSING_PAUSE_MS });
    do {
      const handle = this.#lastHandle ?? (await this.#currentHandle());
      if (handle === undefined) continue;
      const answer = await this.#attempt<CloseAnswer>('close', { handle });
      if (answer?.ok || answer?.refusal === 'unknown-handle') this.#isOver = true;
    } while (!this.#isOver && !this.#isFrontEnding && (await waiting.rest()));
    if (!this.#isOver && !this.#isFrontEnding)
      this.#context.log.warn('gave up closing', { session: this.id, mailHost: this.mailHost });
    this.#isOver = true;
  }

  /** How long closing may begin anew. */
  #closingMs(): number {
    if (this.#lastHandle !== undefined || this.#identity.purpose === 'maildrop') return Number.POSITIVE_INFINITY;
    return TICKET_LIFETIME_MS.open + this.#context.patienceMs;
  }

  /** Asks until there is an answer that stands, or patience is over. */
  async #perform(
    operation: Operation,
    request: (handle: string) => unknown,
    signal?: AbortSignal,
  ): Promise<Result<unknown, string>> {
    const { clock, patienceMs } = this.#context;
    const waiting = patience(clock, patienceMs, signal === undefined ? {} : { signal });
    do {
      if (signal?.aborted) return refuse('ended'); // what is being closed is not opened again
      const handle = await this.#currentHandle();
      if (this.#isOver || signal?.aborted) return refuse('ended');
      if (handle === undefined) continue;
      const answer = await this.#attempt<Result<unknown, string>>(operation, request(handle), signal);
      if (handle !== this.#handle) continue; // said by an owner that the session has left meanwhile: dropped
      if (answer?.ok) return answer;
      if (answer?.refusal === 'unknown-handle') this.#handle = undefined;
      else if (answer !== undefined && !isPassing(answer.refusal)) return answer;
    } while (!this.#isOver && (await waiting.rest()));
    if (this.#isOver || signal?.aborted) return refuse('ended');
    this.#context.log.warn('gave up on an owner', { session: this.id, mailHost: this.mailHost, operation });
    return refuse('unavailable');
  }

  /** One request, one answer; undefined when there was none that counts. */
  async #attempt<A>(operation: Operation, request: unknown, signal?: AbortSignal): Promise<A | undefined> {
    const answer = await this.#ask<A>(operation, request, signal);
    return answer.ok ? answer.value : undefined;
  }

  /** One request, one answer, or why there was none; `unsent` when this node was cut off from the others before it. */
  async #ask<A>(
    operation: Operation,
    request: unknown,
    signal?: AbortSignal,
  ): Promise<Result<A, BusFailure | 'unsent' | 'aborted'>> {
    const { bus, subjects, attemptMs: timeoutMs, log } = this.#context;
    const wasConnected = bus.connected();
    try {
      const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
      return accept((await bus.ask(subjects.mail(this.mailHost, operation), request, options)) as A);
    } catch (error) {
      if (signal?.aborted) return refuse('aborted');
      if (!(error instanceof BusError)) throw error;
      const { failure } = error;
      log.debug('no answer from an owner', { session: this.id, operation, failure });
      if (failure === 'closed') this.#isOver = true; // this node is stopping
      return refuse(failure === 'disconnected' && !wasConnected ? 'unsent' : failure);
    }
  }

  /** The handle to ask under, opening the session again when need be; undefined when that is not to be had now. */
  async #currentHandle(): Promise<string | undefined> {
    if (this.#handle !== undefined || this.#isOver) return this.#handle;
    const opened = await this.#openOnce();
    if (opened.ok) return this.#handle;
    if (opened.refusal === 'unavailable' || opened.refusal === 'full') return undefined;
    this.#context.log.warn('session lost', { session: this.id, mailHost: this.mailHost, refusal: opened.refusal });
    this.#isOver = true;
    return undefined;
  }

  /** Opens or resumes with one request, however many wait for it. */
  #openOnce(): Promise<Result<Opened, OpenRefused>> {
    this.#opening ??= this.#askOpen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #askOpen(): Promise<Result<Opened, OpenRefused>> {
    const { me, startId } = this.#context;
    const { mailHost: _, ...identity } = this.#identity;
    const request: OpenRequest = { ...identity, front: { me, startId } };
    const asked = await this.#ask<OpenAnswer>('open', request);
    if (!asked.ok) {
      if (!UNSENT.includes(asked.refusal)) this.#mayBeKnown = true;
      return refuse('unavailable');
    }
    const answer = asked.value;
    if (!answer.ok) {
      if (answer.refusal === 'not-owner') return refuse('unavailable');
      this.#mayBeKnown = true;
      return refuse(answer.refusal);
    }
    this.#mayBeKnown = true;
    const opened = answer.value;
    if (opened.epoch < this.#epoch) return refuse('unavailable'); // an owner deposed since: its successor will answer
    if (!this.#continues(opened)) return refuse('session-ended');
    this.#isOpened = true;
    this.#epoch = opened.epoch;
    this.#handle = opened.handle;
    this.#lastHandle = opened.handle;
    this.#maildrop = opened.maildrop;
    return accept(opened);
  }

  /** Is this the session as it was left: the same lock on the same mailbox, and nothing forgotten that was answered? */
  #continues(opened: Opened): boolean {
    const sameMaildrop =
      !this.#isOpened ||
      (opened.maildrop?.lock === this.#maildrop?.lock && opened.maildrop?.uidValidity === this.#maildrop?.uidValidity);
    if (sameMaildrop && opened.counter >= this.#answered && opened.counter <= this.#counter) return true;
    this.#context.log.error('an owner knows the session otherwise than it was', {
      session: this.id,
      mailHost: this.mailHost,
      epoch: opened.epoch,
      counter: opened.counter,
      answered: this.#answered,
      sameMaildrop,
    });
    return false;
  }

  /** `stale` is never said to a session that numbers its requests one after the other; said all the same, it says nothing. */
  #unlessStale(answer: Result<unknown, string>): Result<unknown, string> {
    if (answer.ok || answer.refusal !== 'stale') return answer;
    this.#context.log.error('a numbered request was called stale', { session: this.id, counter: this.#counter });
    return refuse('unavailable');
  }
}

/** Refusals that pass when the owner is asked again, or another is. */
type Passing = 'not-owner' | 'unavailable' | 'unknown-handle';
type Refusals<A> = A extends { ok: false; refusal: infer R } ? R : never;
const isPassing = (refusal: string): boolean => refusal === 'not-owner' || refusal === 'unavailable';
