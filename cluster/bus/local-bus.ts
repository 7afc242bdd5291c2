/**
 * The bus within one process: subjects are served by direct call, without a copy. The whole bus of an embedded node, and
 * the near half of NatsBus.
 *
 * Nothing completes in its caller's turn: each hand-over passes through `schedule`, so that a simulator can order them.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import {
  type AskOptions,
  type Bus,
  BusError,
  type Handler,
  MAX_CHUNK,
  type Service,
  type StreamHandler,
  type StreamOptions,
} from './bus.ts';
import { isPattern, PatternMap } from './subject-match.ts';
import { Running, type Waiting, waiting } from './waiting.ts';

export type LocalBusOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Runs a hand-over later, in order unless a simulator wants it otherwise; default: as a microtask. */
  readonly schedule?: (run: () => void) => void;
  /** What a value becomes on its way; default: itself. `throughFrame` (cluster/frames.ts) makes it as NATS would. */
  readonly carry?: (value: unknown) => unknown;
};

type Listener = (message: unknown, subject: string) => void;
/** One `serve` or `serveStream`. */
type Member<H> = { readonly handler: H; readonly running: Running };
/** A stream being read; `close` breaks it even while its reader is away. */
type OpenStream = { close(): void };

export class LocalBus implements Bus {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #schedule: (run: () => void) => void;
  readonly #carry: (value: unknown) => unknown;
  readonly #servers = new Map<string, Member<Handler>[]>();
  readonly #streamServers = new Map<string, Member<StreamHandler>[]>();
  readonly #listeners = new PatternMap<Set<Listener>>();
  readonly #services = new Set<Service>();
  readonly #asking = new Set<Waiting<unknown>>();
  readonly #streams = new Set<OpenStream>();
  #isClosed = false;

  constructor({ clock, log, schedule = queueMicrotask, carry = (value) => value }: LocalBusOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#schedule = schedule;
    this.#carry = carry;
  }

  /** Would `ask` find a server here? */
  serves(subject: string): boolean {
    return this.#servers.has(subject);
  }

  /** Would `stream` find a server here? */
  servesStream(subject: string): boolean {
    return this.#streamServers.has(subject);
  }

  async ask(subject: string, request: unknown, { timeoutMs, signal }: AskOptions): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw new BusError('closed', subject);
    const member = next(this.#servers.get(subject));
    if (member === undefined) throw new BusError('no-responders', subject);
    const carried = this.#carry(request);
    const answer = waiting<unknown>({
      clock: this.#clock,
      subject,
      timeoutMs,
      signal,
      onSettled: () => this.#asking.delete(answer),
    });
    this.#asking.add(answer);
    member.running.begin();
    this.#schedule(() => void this.#run(subject, member, carried, answer));
    return answer.promise;
  }

  serve(subject: string, handler: Handler, _options?: { readonly queue?: string }): Promise<Service> {
    return this.#addMember(this.#servers, subject, handler);
  }

  publish(subject: string, message: unknown): void {
    if (!this.#isClosed) this.deliver(subject, this.#carry(message));
  }

  /** Tells the listeners here, each in a hand-over of its own; the message is not carried again. */
  deliver(subject: string, message: unknown): void {
    for (const set of this.#listeners.matching(subject)) {
      for (const listener of set) this.#schedule(() => this.#tell(set, listener, message, subject));
    }
  }

  async subscribe(pattern: string, listener: Listener): Promise<Service> {
    if (this.#isClosed) throw new BusError('closed', pattern);
    const set = this.#listeners.get(pattern) ?? new Set();
    const own: Listener = (message, subject) => listener(message, subject); // one listener may subscribe twice
    this.#listeners.set(pattern, set.add(own));
    return this.#service(async () => {
      set.delete(own);
      if (set.size === 0 && this.#listeners.get(pattern) === set) this.#listeners.delete(pattern);
    });
  }

  async *stream(subject: string, request: unknown, options: StreamOptions): AsyncGenerator<Uint8Array, void, void> {
    options.signal?.throwIfAborted();
    if (this.#isClosed) throw new BusError('closed', subject);
    const member = next(this.#streamServers.get(subject));
    if (member === undefined) throw new BusError('no-responders', subject);
    const sender = new LocalSender(subject, member, this.#carry(request), this.#schedule, this.#log);
    this.#streams.add(sender);
    try {
      for (;;) {
        const chunk = await sender.pull(this.#clock, options);
        if (chunk === undefined) return;
        yield this.#carry(chunk) as Uint8Array; // carrying keeps octets octets
      }
    } finally {
      this.#streams.delete(sender);
      sender.leave();
    }
  }

  serveStream(subject: string, handler: StreamHandler): Promise<Service> {
    return this.#addMember(this.#streamServers, subject, handler);
  }

  connected(): boolean {
    return !this.#isClosed;
  }

  /** There is no one else to lose touch with, so the listener is never called. */
  onConnection(): Service {
    return { stop: async () => {} };
  }

  /** Breaks what is being asked and streamed, with `closed`; resolves when the handlers that run have finished. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const answer of [...this.#asking]) answer.reject(new BusError('closed', 'local'));
    for (const stream of [...this.#streams]) stream.close();
    await Promise.all([...this.#services].map((service) => service.stop()));
  }

  async #run(subject: string, member: Member<Handler>, request: unknown, answer: Waiting<unknown>): Promise<void> {
    try {
      const value = this.#carry(await member.handler(request));
      this.#schedule(() => answer.resolve(value));
    } catch (fault) {
      logFault(this.#log, subject, fault);
      this.#schedule(() => answer.reject(new BusError('fault', subject)));
    } finally {
      member.running.end();
    }
  }

  #tell(set: ReadonlySet<Listener>, listener: Listener, message: unknown, subject: string): void {
    if (!set.has(listener)) return; // stopped meanwhile
    try {
      listener(message, subject);
    } catch (fault) {
      logFault(this.#log, subject, fault);
    }
  }

  async #addMember<H>(members: Map<string, Member<H>[]>, subject: string, handler: H): Promise<Service> {
    if (this.#isClosed) throw new BusError('closed', subject);
    if (isPattern(subject)) throw new TypeError(`bus: ${subject}: a served subject has no wildcards`);
    const member: Member<H> = { handler, running: new Running() };
    members.set(subject, [...(members.get(subject) ?? []), member]);
    return this.#service(() => {
      const others = (members.get(subject) ?? []).filter((other) => other !== member);
      if (others.length > 0) members.set(subject, others);
      else members.delete(subject);
      return member.running.idle();
    });
  }

  #service(end: () => Promise<void>): Service {
    let ended: Promise<void> | undefined;
    const service: Service = {
      stop: () => {
        ended ??= end().finally(() => this.#services.delete(service));
        return ended;
      },
    };
    this.#services.add(service);
    return service;
  }
}

/** The handler's side of one stream, pulled chunk by chunk. */
class LocalSender implements OpenStream {
  readonly #subject: string;
  readonly #running: Running;
  readonly #schedule: (run: () => void) => void;
  readonly #log: Log;
  readonly #abort = new AbortController();
  readonly #chunks: ChunkSource;
  #pulling: Waiting<Uint8Array | undefined> | undefined;
  #isClosed = false;
  #hasLeft = false;

  constructor(
    subject: string,
    member: Member<StreamHandler>,
    request: unknown,
    schedule: (run: () => void) => void,
    log: Log,
  ) {
    this.#subject = subject;
    this.#running = member.running;
    this.#schedule = schedule;
    this.#log = log;
    this.#chunks = new ChunkSource(() => member.handler(request, this.#abort.signal));
    this.#running.begin();
  }

  pull(clock: Clock, { idleTimeoutMs, signal }: StreamOptions): Promise<Uint8Array | undefined> {
    if (this.#isClosed) return Promise.reject(new BusError('closed', this.#subject));
    const pulling = waiting<Uint8Array | undefined>({
      clock,
      subject: this.#subject,
      timeoutMs: idleTimeoutMs,
      signal,
    });
    this.#pulling = pulling;
    this.#schedule(() => {
      this.#chunks.next().then(
        (chunk) => this.#schedule(() => pulling.resolve(chunk)),
        (fault) => {
          logFault(this.#log, this.#subject, fault);
          this.#schedule(() => pulling.reject(new BusError('fault', this.#subject)));
        },
      );
    });
    return pulling.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#pulling?.reject(new BusError('closed', this.#subject));
    this.leave();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#abort.abort();
    this.#chunks
      .leave()
      .catch((fault) => logFault(this.#log, this.#subject, fault))
      .finally(() => this.#running.end());
  }
}

/** What a stream handler yields, held to the contract: octets, at most MAX_CHUNK at once. */
export class ChunkSource {
  readonly #open: () => AsyncIterable<Uint8Array>;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #isOver = false;

  constructor(open: () => AsyncIterable<Uint8Array>) {
    this.#open = open;
  }

  /** The next chunk; undefined at the end. Throws what the handler throws, and at a chunk that breaks the contract. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined;
    try {
      this.#iterator ??= this.#open()[Symbol.asyncIterator]();
      const { done, value } = await this.#iterator.next();
      if (done) this.#isOver = true;
      else return checkedChunk(value);
    } catch (fault) {
      await this.leave().catch(() => {}); // the first fault is the one to tell
      throw fault;
    }
  }

  /** Lets the handler's `finally` run, if it was begun and has not ended. */
  async leave(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#iterator?.return?.();
  }
}

function checkedChunk(chunk: unknown): Uint8Array {
  if (!(chunk instanceof Uint8Array)) throw new TypeError('a stream handler yielded something that is not octets');
  if (chunk.length > MAX_CHUNK)
    throw new RangeError(`a chunk of ${chunk.length} octets; at most ${MAX_CHUNK} may pass`);
  return chunk;
}

/** A fault stays on the node where it happened: the log has it, the asker is told that there was one. */
export function logFault(log: Log, subject: string, fault: unknown): void {
  log.error('bus handler failed', { subject, fault: fault instanceof Error ? (fault.stack ?? fault.message) : fault });
}

/** Members take turns: the one taken goes to the end. */
function next<H>(members: Member<H>[] | undefined): Member<H> | undefined {
  const member = members?.shift();
  if (member !== undefined) members!.push(member);
  return member;
}
