/**
 * The two ends of a byte stream over NATS.
 *
 * The reader opens; the sender accepts and names the subject where it listens. Chunks are numbered, credit is granted as
 * a total ("you may send chunks below n") and said again as a keepalive, so that a lost grant heals and a reader that died
 * is missed. Nothing is sent twice: a gap, a silence or a lost connection breaks the stream, and its reader begins anew.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { decode, encode, type Kind, kinds } from '../frames.ts';
import { BusError, type BusFailure, type StreamHandler, type StreamOptions } from './bus.ts';
import { ChunkSource, logFault } from './local-bus.ts';
import { type Waiting, waiting } from './waiting.ts';

export const DEFAULT_CREDIT = 8;
/** No reader may make a sender hold more than this many chunks in flight. */
const MAX_CREDIT = 1024;
/** How often a reader says that it still lives, however slowly it reads. */
export const KEEPALIVE_MS = 5_000;
/** A sender that has heard nothing from its reader for this long gives up. */
export const READER_SILENT_MS = 20_000;

/** One end of an exchange, reached by a subject of its own below the bus's inbox. */
export type Endpoint = {
  onFrame(kind: Kind, body: Uint8Array, reply: string): void;
  /** NATS says that nobody listens where this end has sent to. */
  onNoResponders(): void;
  /** The bus lost its connection, or closes: nothing more will come. */
  fail(failure: 'disconnected' | 'closed'): void;
};

/** What an end needs of its bus. `send` may lose what it is given. */
export type Wire = {
  readonly clock: Clock;
  readonly log: Log;
  /** The subject that the other end may send to. */
  readonly inbox: string;
  send(kind: Kind, subject: string, reply: string, ...parts: readonly Uint8Array[]): void;
  /** Forgets this end. */
  gone(): void;
};

export class StreamReader implements Endpoint {
  readonly #wire: Wire;
  readonly #subject: string;
  readonly #options: StreamOptions;
  readonly #credit: number;
  readonly #queue: Uint8Array[] = [];
  #sender: string | undefined;
  #received = 0;
  #consumed = 0;
  #granted: number;
  #isComplete = false;
  #broken: BusError | undefined;
  #awaiting: Waiting<void> | undefined;
  #keepalive: Timer | undefined;

  constructor(wire: Wire, subject: string, options: StreamOptions) {
    this.#wire = wire;
    this.#subject = subject;
    this.#options = options;
    this.#credit = Math.min(Math.max(1, options.credit ?? DEFAULT_CREDIT), MAX_CREDIT);
    this.#granted = this.#credit;
  }

  /** @param target  the NATS subject where senders listen */
  open(target: string, request: unknown): void {
    this.#wire.send(kinds.streamOpen, target, this.#wire.inbox, encode([this.#credit, request]));
    this.#keepAlive();
  }

  /** The next chunk, undefined after the last; what came before a break is handed out before the break is thrown. */
  async take(): Promise<Uint8Array | undefined> {
    const { idleTimeoutMs: timeoutMs, signal } = this.#options;
    signal?.throwIfAborted();
    while (this.#queue.length === 0) {
      if (this.#broken) throw this.#broken;
      if (this.#isComplete) return undefined;
      this.#awaiting = waiting<void>({ clock: this.#wire.clock, subject: this.#subject, timeoutMs, signal });
      await this.#awaiting.promise;
    }
    this.#consumed += 1;
    if (this.#granted - this.#consumed <= this.#credit / 2) {
      this.#granted = this.#consumed + this.#credit;
      this.#grant();
    }
    return this.#queue.shift();
  }

  /** The reader is done with the stream, however it ended. */
  leave(): void {
    this.#keepalive?.cancel();
    if (!this.#isComplete && this.#sender !== undefined) {
      this.#wire.send(kinds.streamCancel, this.#sender, this.#wire.inbox);
    }
    this.#wire.gone(); // a sender not heard of yet is told when it sends: NatsBus cancels what nobody reads
  }

  onFrame(kind: Kind, body: Uint8Array, reply: string): void {
    if (this.#isComplete || this.#broken) return;
    if (this.#sender !== undefined && reply !== this.#sender) return; // a second server's, if there should be one
    this.#sender = reply;
    if (kind === kinds.streamBreak) this.#break(failureOf(body));
    else if (isNumbered(kind) && numberAt(body) !== this.#received)
      this.#break('disconnected'); // a gap: one was lost
    else if (kind === kinds.streamEnd) this.#isComplete = true;
    else if (kind === kinds.streamChunk) {
      this.#received += 1;
      this.#queue.push(body.subarray(NUMBER_OCTETS));
    }
    this.#awaiting?.resolve();
  }

  onNoResponders(): void {
    this.#break('no-responders');
  }

  fail(failure: 'disconnected' | 'closed'): void {
    this.#break(failure);
  }

  #break(failure: BusFailure): void {
    if (this.#isComplete || this.#broken) return;
    this.#broken = new BusError(failure, this.#subject);
    this.#awaiting?.resolve();
  }

  #grant(): void {
    if (this.#sender === undefined) return;
    this.#wire.send(kinds.streamCredit, this.#sender, this.#wire.inbox, numberOctets(this.#granted));
  }

  #keepAlive(): void {
    this.#keepalive = this.#wire.clock.after(KEEPALIVE_MS, () => {
      if (this.#isComplete || this.#broken) return;
      this.#grant();
      this.#keepAlive();
    });
  }
}

export class StreamSender implements Endpoint {
  readonly #wire: Wire;
  readonly #subject: string;
  readonly #reader: string;
  readonly #abort = new AbortController();
  readonly #chunks: ChunkSource;
  #granted: number;
  #sent = 0;
  #isOver = false;
  #wakeUp: (() => void) | undefined;
  #lastHeard: number;
  #watch: Timer | undefined;
  #left: Promise<void> | undefined;

  /** @param opening  the body of the reader's `streamOpen`; @param reader  where it wants its chunks */
  constructor(wire: Wire, subject: string, handler: StreamHandler, opening: Uint8Array, reader: string) {
    const [credit, request] = decode(opening) as [number, unknown];
    this.#wire = wire;
    this.#subject = subject;
    this.#reader = reader;
    this.#granted = Math.min(credit, MAX_CREDIT);
    this.#lastHeard = wire.clock.monotonic();
    this.#chunks = new ChunkSource(() => handler(request, this.#abort.signal));
  }

  /** Sends until the handler's iteration or the reader ends; resolves when the handler has let go. Never throws. */
  async run(): Promise<void> {
    this.#wire.send(kinds.streamAccept, this.#reader, this.#wire.inbox);
    this.#watchReader(READER_SILENT_MS);
    try {
      while (!this.#isOver) {
        if (this.#sent < this.#granted) await this.#sendNext();
        else await new Promise<void>((resolve) => (this.#wakeUp = resolve));
      }
    } catch (fault) {
      logFault(this.#wire.log, this.#subject, fault);
      this.#sendBreak('fault');
    }
    this.#stop();
    await this.#left;
  }

  onFrame(kind: Kind, body: Uint8Array, reply: string): void {
    if (reply !== this.#reader) return;
    this.#lastHeard = this.#wire.clock.monotonic();
    if (kind === kinds.streamCancel) this.#stop();
    else if (kind === kinds.streamCredit) {
      this.#granted = Math.max(this.#granted, Math.min(numberAt(body), this.#sent + MAX_CREDIT));
      this.#wakeUp?.();
    }
  }

  onNoResponders(): void {
    this.#stop();
  }

  fail(failure: 'disconnected' | 'closed'): void {
    if (this.#isOver) return;
    if (failure === 'closed') this.#sendBreak(failure);
    this.#stop();
  }

  async #sendNext(): Promise<void> {
    const chunk = await this.#chunks.next();
    if (this.#isOver) return;
    if (chunk === undefined) {
      this.#wire.send(kinds.streamEnd, this.#reader, this.#wire.inbox, numberOctets(this.#sent));
      this.#stop();
      return;
    }
    this.#wire.send(kinds.streamChunk, this.#reader, this.#wire.inbox, numberOctets(this.#sent), chunk);
    this.#sent += 1;
  }

  #sendBreak(failure: BusFailure): void {
    if (!this.#isOver) this.#wire.send(kinds.streamBreak, this.#reader, this.#wire.inbox, encode(failure));
  }

  /** No more frames from here on; a handler that waits for something is told by its signal. */
  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch?.cancel();
    this.#wire.gone();
    this.#abort.abort();
    this.#left = this.#chunks.leave().catch((fault) => logFault(this.#wire.log, this.#subject, fault));
    this.#wakeUp?.();
  }

  #watchReader(ms: number): void {
    this.#watch = this.#wire.clock.after(ms, () => {
      const silentMs = this.#wire.clock.monotonic() - this.#lastHeard;
      if (silentMs >= READER_SILENT_MS) this.#stop();
      else this.#watchReader(READER_SILENT_MS - silentMs);
    });
  }
}

const NUMBER_OCTETS = 6;

/** A chunk says how many went before it, the end how many there were. */
const isNumbered = (kind: Kind): boolean => kind === kinds.streamChunk || kind === kinds.streamEnd;

function numberOctets(count: number): Uint8Array {
  const octets = Buffer.alloc(NUMBER_OCTETS);
  octets.writeUIntBE(count, 0, NUMBER_OCTETS);
  return octets;
}

/** -1, which no count equals, when there is no number. */
function numberAt(body: Uint8Array): number {
  if (body.length < NUMBER_OCTETS) return -1;
  return Buffer.from(body.buffer, body.byteOffset, NUMBER_OCTETS).readUIntBE(0, NUMBER_OCTETS);
}

/** A failure that this version does not know is some fault of the sender's. */
function failureOf(body: Uint8Array): BusFailure {
  const failure = decode(body);
  return failure === 'closed' || failure === 'disconnected' ? failure : 'fault';
}
