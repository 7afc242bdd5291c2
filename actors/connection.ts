/**
 * Drives one session: bytes -> decoder -> machine -> replies -> bytes. The only file that holds a socket.
 *
 * Pull, never push: the next command is taken only while the machine shows `ready`, the client drains its output and no
 * reply with a body is still being sent. That body is a barrier: pipelined `RETR 1, DELE 1, QUIT` (RFC 2449 §6.6) must
 * not remove a message whose sending broke. Nothing here knows a protocol.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { IncomingContent } from './incoming-content.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { Said, Session, StopReason } from './session.ts';

export type Limits = {
  /** How long a client may let pass between commands, or stall inside a body that it sends. */
  readonly idleMs: number;
  /** How long a client may take to read what one write sent it, some tens of kilobytes. */
  readonly writeMs: number;
};

/** How a connection came to its end. */
export type Ending =
  /** The session reached its final state by itself. */
  | 'finished'
  | 'client-gone'
  | 'slow-reader'
  | StopReason
  /** Something of ours broke: a reply's body, the machine. */
  | 'fault'
  /** By `destroy`: the grace of a stop ran out. */
  | 'destroyed';

/** Told to whoever counts connections, once, when the socket is closed for good. */
export type Closed = (connection: Connection, ending: Ending) => void;

export type Surroundings = {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly closed: Closed;
};

/** Octets of commands that may lie undecoded while the session is busy; beyond, the client's sending is held up by TCP. */
const MAX_UNDECODED_OCTETS = 16 * 1024;
/** After the last reply: how long the client's own end is awaited, so that a reset does not eat what it has not read. */
const LINGER_MS = 1000;

/** What the connection waits for, and so which limit counts. `us`: a command is being answered, no limit but its own. */
type Awaited = 'client' | 'reader' | 'goodbye' | 'us';

export class Connection {
  readonly id: string;
  readonly #socket: Duplex;
  readonly #session: Session;
  readonly #around: Surroundings;

  readonly #unsent = new ReplyQueue();
  /** The body being sent. While it is there nothing else is written and no command taken. */
  #sending: AsyncIterator<Uint8Array> | undefined;
  #drained: (() => void) | undefined;
  /** The body being received. While it is there replies are held back: they belong after its end (RFC 5321 §4.1.1.4). */
  #content: IncomingContent | undefined;
  #expectsContent = false;

  #undecodedOctets = 0;
  #inputEnded = false;
  #pumping = false;
  #stopping: StopReason | undefined;
  #hasLeft = false;
  /** The last reply is written and our end of the socket closed. */
  #saidGoodbye = false;
  #over = false;
  #ending: Ending | undefined;

  #awaited: Awaited = 'us';
  #progressed = false;
  #deadlineMs = Number.POSITIVE_INFINITY;

  /** Takes the socket over and starts the session, which says its greeting. */
  constructor(id: string, socket: Duplex, session: Session, around: Surroundings) {
    this.id = id;
    this.#socket = socket;
    this.#session = session;
    this.#around = around;
    socket.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    socket.on('end', () => this.#endInput());
    socket.on('drain', () => this.#drain());
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('close', () => this.#close());
    session.actor.on('*', this.#hear.bind(this));
    session.actor.subscribe(this);
    session.actor.start();
    this.#pump();
  }

  /** The machine's state, for status and logs: never its context, which may hold names. */
  get state(): unknown {
    return this.#session.actor.getSnapshot().value;
  }

  /** Ends the session once it is between two commands; a command under way is finished first. */
  stop(): void {
    this.#stopping ??= 'shutdown';
    this.#pump();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#abort('destroyed');
  }

  // The machine's observer (XState): it has moved, or broken. Methods of the connection, since closures of its own
  // would cost each idle connection half a kilobyte more.

  /** Told in the middle of the machine's step: what is sent to it now it would only take after, so the pump waits. */
  next(): void {
    if (!this.#pumping) queueMicrotask(() => this.#pump());
  }

  error(fault: unknown): void {
    this.#break('the session broke', fault);
  }

  // In: what the socket tells.

  #receive(bytes: Uint8Array): void {
    if (this.#over || this.#saidGoodbye) return; // lingering: read and dropped
    this.#undecodedOctets += bytes.length;
    this.#session.decoder.push(bytes);
    this.#pump();
  }

  /** The client has sent all it will. What it asked for is answered still, as `printf ... | nc` expects. */
  #endInput(): void {
    this.#inputEnded = true;
    this.#pump();
  }

  #drain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
    this.#pump();
  }

  #close(): void {
    this.#ending ??= 'client-gone';
    this.#finish();
    this.#around.closed(this, this.#ending);
  }

  // The machine's word.

  /** Must not throw: XState would take the process down for it. */
  #hear(said: Said<object>): void {
    try {
      if (said.type === 'expect') this.#expectsContent = true;
      else this.#unsent.add(this.#session.encoder.encode(said.reply));
    } catch (fault) {
      this.#break('a reply could not be encoded', fault);
    }
  }

  // The pump: takes what may be taken, until nothing may.

  #pump(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    try {
      while (this.#step());
    } catch (fault) {
      this.#break('the session could not go on', fault);
    }
    this.#pumping = false;
    if (this.#over) return;
    this.#flush();
    if (this.#hasLeft) this.#sayGoodbye();
    this.#regulate();
    this.#watch();
  }

  /** One step; false when there is nothing to do until the client, the machine or the socket moves. */
  #step(): boolean {
    if (this.#over || this.#hasLeft) return false;
    const { actor, decoder } = this.#session;
    const now = actor.getSnapshot();
    if (now.status !== 'active') return this.#leave('finished');
    if (this.#content !== undefined) return this.#stepContent(this.#content, now.hasTag('ready'));
    if (this.#expectsContent) return this.#openContent();
    if (!now.hasTag('ready') || !this.#mayAnswer()) return false;
    if (this.#stopping !== undefined) {
      this.#ending ??= this.#stopping;
      actor.send({ type: 'stop', reason: this.#stopping });
      if (actor.getSnapshot().status === 'active') throw new Error('the machine does not stop when told to');
      return true;
    }
    const piece = decoder.next();
    if (piece === undefined) {
      this.#undecodedOctets = 0;
      return this.#inputEnded ? this.#leave('client-gone') : false;
    }
    if (piece.kind !== 'command') throw new Error(`the decoder gave ${piece.kind} where a command was due`);
    this.#progressed = true;
    actor.send(piece.command);
    return true;
  }

  /** May another reply be made? Sends what waits when there is much of it. */
  #mayAnswer(): boolean {
    if (this.#unsent.isFull) this.#flush();
    return this.#sending === undefined && !this.#socket.writableNeedDrain && !this.#over;
  }

  #openContent(): boolean {
    this.#flush(); // the go-ahead must be out before the body is awaited
    this.#expectsContent = false;
    this.#content = new IncomingContent(() => this.#pump());
    this.#session.decoder.expect('body');
    this.#session.actor.send({ type: 'content', content: this.#content });
    return true;
  }

  #stepContent(content: IncomingContent, ready: boolean): boolean {
    if (ready) content.abandon(); // the session has its answer and reads no further: drop the rest
    if (!content.wants) return false;
    const piece = this.#session.decoder.next();
    if (piece === undefined) {
      this.#undecodedOctets = 0;
      if (this.#inputEnded) this.#abort('client-gone');
      return false;
    }
    this.#progressed = true;
    if (piece.kind === 'body') content.give(piece.bytes);
    else if (piece.kind === 'body-end') {
      this.#content = undefined;
      content.end(piece.bareLf);
    } else throw new Error('the decoder gave a command inside a body');
    return true;
  }

  // Out.

  /** Writes what waits, in as few writes as it takes, up to a reply with a body, which then sends itself. */
  #flush(): void {
    if (this.#sending !== undefined || this.#content !== undefined || this.#over) return;
    const octets = this.#unsent.takeOctets();
    if (octets !== undefined) this.#socket.write(octets);
    const body = this.#unsent.takeBody();
    if (body !== undefined) void this.#send(body);
  }

  /** Sends a reply with a body. If its iteration throws, the socket is destroyed: a short body must never look whole. */
  async #send(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      this.#sending = body[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await this.#sending.next();
        if (this.#over) return;
        if (done) break;
        if (!this.#socket.write(value)) {
          this.#watch();
          await new Promise<void>((resolve) => (this.#drained = resolve));
          if (this.#over) return;
        }
      }
      this.#sending = undefined;
      this.#pump();
    } catch (fault) {
      this.#break('a reply broke off', fault);
    }
  }

  #sayGoodbye(): void {
    if (this.#saidGoodbye || this.#sending !== undefined || !this.#unsent.isEmpty) return;
    this.#saidGoodbye = true;
    this.#socket.end();
  }

  /** Reads on, or lets TCP hold the client up. */
  #regulate(): void {
    const mayRead = this.#content?.wants ?? this.#undecodedOctets < MAX_UNDECODED_OCTETS;
    if (mayRead || this.#saidGoodbye) {
      if (this.#socket.isPaused()) this.#socket.resume();
    } else if (!this.#socket.isPaused()) this.#socket.pause();
  }

  // Time. A deadline is a number; the listener asks all its connections together, so that none needs a timer of its own.

  /** Ends what has waited too long. To be called now and then with the clock's monotonic time. */
  checkDeadline(nowMs: number): void {
    if (nowMs < this.#deadlineMs || this.#over) return;
    if (this.#awaited === 'reader') this.#abort('slow-reader');
    else if (this.#awaited === 'goodbye') this.#abort('finished');
    else if (this.#content !== undefined) this.#abort('idle');
    else {
      this.#stopping ??= 'idle';
      this.#pump();
    }
  }

  #watch(): void {
    const awaited = this.#whatIsAwaited();
    if (awaited === this.#awaited && !this.#progressed) return; // octets that complete no command are no progress
    this.#awaited = awaited;
    this.#progressed = false;
    this.#deadlineMs = this.#around.clock.monotonic() + this.#limitMs(awaited);
  }

  #whatIsAwaited(): Awaited {
    if (this.#socket.writableNeedDrain) return 'reader';
    if (this.#saidGoodbye) return 'goodbye';
    if (this.#sending !== undefined) return 'us';
    if (this.#content !== undefined) return this.#content.wants ? 'client' : 'us';
    return this.#session.actor.getSnapshot().hasTag('ready') ? 'client' : 'us';
  }

  #limitMs(awaited: Awaited): number {
    switch (awaited) {
      case 'client':
        return this.#around.limits.idleMs;
      case 'reader':
        return this.#around.limits.writeMs;
      case 'goodbye':
        return LINGER_MS;
      case 'us':
        return Number.POSITIVE_INFINITY;
    }
  }

  // The end.

  /** The session is over; what it said is still to be sent. */
  #leave(ending: Ending): false {
    this.#ending ??= ending;
    this.#hasLeft = true;
    this.#content?.abandon();
    this.#content = undefined;
    this.#session.end().catch((fault) => this.#report('a session did not end cleanly', fault));
    return false;
  }

  #break(what: string, fault: unknown): void {
    if (this.#over) return;
    this.#report(what, fault);
    this.#abort('fault');
  }

  #report(what: string, fault: unknown): void {
    this.#around.log.error(what, { session: this.id, fault });
  }

  #abort(ending: Ending): void {
    if (this.#over) return;
    this.#ending ??= ending;
    this.#finish();
    this.#socket.destroy();
  }

  /** Lets go of everything, once, in whatever state it is. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unsent.clear();
    this.#content?.fail('the client is gone');
    this.#drained?.();
    this.#sending?.return?.()?.catch(() => {}); // its own fault, if any, has nobody left to tell
    if (!this.#hasLeft) this.#leave(this.#ending ?? 'client-gone');
  }
}

/** Refuses a connection with one line and closes it; reads nothing. */
export function refuseConnection(socket: Duplex, line: Uint8Array, clock: Clock): void {
  socket.on('error', () => {});
  const timer = clock.after(LINGER_MS, () => socket.destroy());
  socket.on('close', () => timer.cancel());
  socket.resume();
  socket.end(line);
}
