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
import type {
  CloseAnswer,
  Content,
  DeliverAnswer,
  Delivered,
  DeliverRecipient,
  FetchAnswer,
  Fetched,
  ListAnswer,
  ListEntry,
  Maildrop,
  OpenAnswer,
  Opened,
  OpenRequest,
  Operation,
  QuitAnswer,
  StageAnswer,
} from './mailbox-owner/requests.ts';
import { patience } from './patience.ts';
import type { SessionContext } from './session-context.ts';

export type SessionIdentity = Pick<OpenRequest, 'session' | 'ticket' | 'purpose' | 'leastIntervalMs'> & {
  readonly mailHost: string;
};

/** `unavailable` patience is over; `ended` the session is no more: closed here, kicked, its lock or its account gone. */
export type SessionRefusal = 'unavailable' | 'ended';
export type OpenRefused = 'unavailable' | 'ticket-refused' | 'in-use' | 'too-soon' | 'session-ended' | 'full';
export type FetchedMessage = {
  readonly sizeOctets: number;
  /** All of the message's octets, once; throws rather than end short. */
  readonly body: AsyncIterable<Uint8Array>;
};

/** Entries asked for at a time: some 20 kB of answer. */
const LIST_PAGE = 1_000;
/** An owner that was away for long finds those that wait to close a session spread out. */
const LONGEST_CLOSING_PAUSE_MS = 15_000;
/** Failures of a request that nobody can have got. */
const UNSENT: readonly string[] = ['no-responders', 'unsent'];

export class MailboxSession {
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

  /** The whole maildrop as it was when opened, ascending by UID. */
  async list(): Promise<Result<readonly ListEntry[], SessionRefusal>> {
    const entries: ListEntry[] = [];
    for (;;) {
      const afterUid = entries.at(-1)?.uid ?? 0;
      const page = await this.#read<ListAnswer>('list', (handle) => ({ handle, afterUid, limit: LIST_PAGE }));
      if (!page.ok) return page;
      entries.push(...page.value);
      if (page.value.length < LIST_PAGE) return accept(entries);
    }
  }

  /** A message's size and, to be read once and soon, its octets. `gone`: expunged by another session meanwhile. */
  async fetch(uid: number): Promise<Result<FetchedMessage, SessionRefusal | 'gone'>> {
    const first = await this.#fetchAt(uid, 0);
    if (!first.ok) return first;
    return accept({ sizeOctets: first.value.sizeOctets, body: this.#body(uid, first.value) });
  }

  /** Puts one part of a large body aside; durable when accepted. Several may be under way at once. */
  async stage(stage: string, index: number, bytes: Uint8Array): Promise<Result<null, SessionRefusal | 'full'>> {
    return await this.#read<StageAnswer>('stage', (handle) => ({ handle, stage, index, bytes }));
  }

  /** Delivers to each recipient or says why not, in their order. `unavailable`: see the head of this file. */
  async deliver(
    content: Content,
    recipients: readonly DeliverRecipient[],
  ): Promise<Result<Delivered, SessionRefusal | 'full' | 'stage-missing'>> {
    const answer = await this.#change<DeliverAnswer>('deliver', { content, recipients });
    return this.#unlessStale(answer);
  }

  /** Removes the messages, unlocks the maildrop and ends the session; all or nothing (RFC 1939 §6). */
  async quit(uids: readonly number[]): Promise<Result<null, SessionRefusal | 'full' | 'lock-lost'>> {
    if (this.#maildrop === undefined) throw new Error('quit: no maildrop is open');
    // Asked again by the handle it was asked by first: whoever owns the mailHost by then knows from it what was answered.
    return this.#unlessStale(await this.#change<QuitAnswer>('quit', { lock: this.#maildrop.lock, uids }));
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

  /** Reads and parts: repeated freely, broken off by `close`. */
  async #read<A extends Result<unknown, string>>(operation: Operation, request: (handle: string) => unknown) {
    return await this.#perform<A>(operation, request, this.#leaving.signal);
  }

  /** A numbered request: one at a time, under one number however often it is sent. */
  async #change<A extends Result<unknown, string>>(operation: Operation, request: object) {
    if (this.#numbered !== undefined) throw new Error(`${operation}: a numbered request is under way`);
    const counter = ++this.#counter;
    const performed = this.#perform<A>(operation, (handle) => ({ handle, counter, ...request }));
    this.#numbered = performed.catch(() => undefined);
    try {
      const answer = await performed;
      if (answer.ok) this.#answered = counter;
      if (answer.ok && operation === 'quit') this.#isOver = true;
      return answer;
    } finally {
      this.#numbered = undefined;
    }
  }

  /** Asks until there is an answer that stands, or patience is over. */
  async #perform<A extends Result<unknown, string>>(
    operation: Operation,
    request: (handle: string) => unknown,
    signal?: AbortSignal,
  ): Promise<Extract<A, { ok: true }> | Result<never, Exclude<Refusals<A>, Passing> | SessionRefusal>> {
    const { clock, patienceMs } = this.#context;
    const waiting = patience(clock, patienceMs, signal === undefined ? {} : { signal });
    do {
      if (signal?.aborted) return refuse('ended'); // what is being closed is not opened again
      const handle = await this.#currentHandle();
      if (this.#isOver || signal?.aborted) return refuse('ended');
      if (handle === undefined) continue;
      const answer = await this.#attempt<A>(operation, request(handle), signal);
      if (handle !== this.#handle) continue; // said by an owner that the session has left meanwhile: dropped
      if (answer?.ok) return answer as Extract<A, { ok: true }>;
      if (answer?.ok === false && answer.refusal === 'unknown-handle') this.#handle = undefined;
      else if (answer?.ok === false && !isPassing(answer.refusal)) {
        return refuse(answer.refusal as Exclude<Refusals<A>, Passing>);
      }
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

  async #fetchAt(uid: number, offset: number): Promise<Result<Fetched, SessionRefusal | 'gone'>> {
    return await this.#read<FetchAnswer>('fetch', (handle) => ({ handle, uid, offset }));
  }

  /** From `first` on; a stream that breaks is taken up again at the octet where it broke, as long as patience lasts. */
  async *#body(uid: number, first: Fetched): AsyncGenerator<Uint8Array> {
    const { sizeOctets } = first;
    let offset = 0;
    let chunk = first.chunk;
    const takes = (bytes: Uint8Array): Uint8Array => {
      offset += bytes.length;
      if (offset > sizeOctets) throw new Error(`message ${uid}: more than its ${sizeOctets} octets`);
      return bytes;
    };
    for (;;) {
      if (chunk.length === 0 && offset < sizeOctets) throw new Error(`message ${uid}: nothing at octet ${offset}`);
      if (chunk.length > 0) yield takes(chunk);
      if (offset === sizeOctets) return;
      for await (const bytes of this.#stream(uid, offset)) if (bytes.length > 0) yield takes(bytes);
      if (offset === sizeOctets) return;
      const next = await this.#fetchAt(uid, offset);
      if (!next.ok) throw new Error(`message ${uid}: broken off at octet ${offset}: ${next.refusal}`);
      if (next.value.sizeOctets !== sizeOctets) throw new Error(`message ${uid}: another size than before`);
      chunk = next.value.chunk;
    }
  }

  /** The owner's stream from there on, ending where it ends or breaks: only the count of octets tells which. */
  async *#stream(uid: number, offset: number): AsyncGenerator<Uint8Array> {
    const { bus, subjects, attemptMs, log } = this.#context;
    const request = { handle: this.#handle ?? '', uid, offset };
    try {
      yield* bus.stream(subjects.mail(this.mailHost, 'body'), request, {
        idleTimeoutMs: attemptMs,
        signal: this.#leaving.signal,
      });
    } catch (error) {
      if (!(error instanceof BusError)) throw error; // closed here, or broken
      log.debug('a body broke off', { session: this.id, uid, offset, failure: error.failure });
    }
  }

  /** `stale` is never said to a session that numbers its requests one after the other; said all the same, it says nothing. */
  #unlessStale<T, R extends string>(answer: Result<T, R>): Result<T, Exclude<R, 'stale'> | 'unavailable'> {
    if (answer.ok) return answer;
    if (answer.refusal !== 'stale') return refuse(answer.refusal as Exclude<R, 'stale'>);
    this.#context.log.error('a numbered request was called stale', { session: this.id, counter: this.#counter });
    return refuse('unavailable');
  }
}

/** Refusals that pass when the owner is asked again, or another is. */
type Passing = 'not-owner' | 'unavailable' | 'unknown-handle';
type Refusals<A> = A extends { ok: false; refusal: infer R } ? R : never;
const isPassing = (refusal: string): boolean => refusal === 'not-owner' || refusal === 'unavailable';
