/**
 * Drives one session: bytes -> decoder -> machine -> replies -> bytes. Holds the socket, and nobody else does.
 *
 * Pull, never push: the next command is taken only while the machine shows `ready`, the client drains its output and no
 * reply with a body is still being sent. That body is a barrier: pipelined `RETR 1, DELE 1, QUIT` (RFC 2449 §6.6) must
 * not remove a message whose sending broke. Nothing here knows a protocol.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { type Awaited, type Ending, type Limits, limitMs } from './connection-terms.ts';
import { beginTls, type ConnectionTls, type Handshake, hush } from './connection-tls.ts';
import { IncomingContent } from './incoming-content.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { Said, Session, StopReason } from './session.ts';

/** Told to whoever counts connections, once, when the socket is closed for good. */
export type Closed = (connection: Connection, ending: Ending) => void;

export type Surroundings = {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly closed: Closed;
  /** Absent: sessions are told so, and say no `start-tls`. */
  readonly tls?: ConnectionTls | undefined;
};

/** Octets of commands that may lie undecoded while the session is busy; beyond, the client's sending is held up by TCP. */
const MAX_UNDECODED_OCTETS = 16 * 1024;
const NOTHING = new Uint8Array(0);

export class Connection {
  readonly id: string;
  /** The client's; a TLS one over it from the handshake on. */
  #socket!: Duplex; // by #attach
  readonly #session: Session;
  readonly #around: Surroundings;

  readonly #unsent = new ReplyQueue();
  /** The body being sent. While it is there nothing else is written and no command taken. */
  #sending: AsyncIterator<Uint8Array> | undefined;
  #drained: (() => void) | undefined;
  /** The body being received. While it is there replies are held back: they belong after its end (RFC 5321 §4.1.1.4). */
  #content: IncomingContent | undefined;
  #expectsContent = false;
  /** `due`: the session wants TLS, and what it said before is still to be sent. */
  #handshake: 'due' | 'begun' | undefined;

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

  /** Takes the socket over and starts the session, which says its greeting: under implicit TLS after the handshake. */
  constructor(id: string, socket: Duplex, session: Session, around: Surroundings) {
    this.id = id;
    this.#session = session;
    this.#around = around;
    this.#attach(socket);
    session.actor.on('*', this.#hear.bind(this));
    session.actor.subscribe(this);
    if (around.tls?.mode === 'implicit') this.#shakeHands();
    else {
      session.actor.start();
      this.#pump();
    }
  }

  /** The machine's state, for status and logs: never its context, which may hold names. */
  get state(): unknown {
    return this.#session.actor.getSnapshot().value;
  }

  /** Ends the session once it is between two commands; a command under way is finished first. */
  stop(): void {
    this.#stopping ??= 'shutdown';
    if (this.#handshake === 'begun') this.#abort('shutdown');
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

  // In: what the socket tells. One that TLS has taken over is heard no more.

  #attach(socket: Duplex): void {
    this.#socket = socket;
    socket.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    socket.on('end', () => socket === this.#socket && this.#endInput());
    socket.on('drain', () => this.#drain());
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('close', () => socket === this.#socket && this.#close());
  }

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
      if (said.type === 'expect' && said.next === 'body') this.#expectsContent = true;
      else if (said.type === 'expect')
        this.#session.decoder.expect(said.next); // it comes as a command
      else if (said.type === 'start-tls') this.#handshake = 'due';
      else this.#unsent.add(this.#session.encoder.encode(said.reply));
    } catch (fault) {
      this.#break('what the session said could not be done', fault);
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
    if (this.#handshake !== undefined) return this.#stepHandshake();
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

  // TLS.

  /** What was said goes out in clear; what the client sent before it has read that is dropped, unlooked at. */
  #stepHandshake(): false {
    if (this.#handshake === 'begun') return false;
    if (this.#inputEnded) return this.#leave('client-gone');
    hush(this.#socket);
    this.#session.decoder.discard();
    this.#undecodedOctets = 0;
    this.#flush();
    if (this.#sending !== undefined || !this.#unsent.isEmpty) return false;
    this.#handshake = 'begun';
    this.#socket.write(NOTHING, (fault) => fault || this.#over || this.#shakeHands()); // called when all before it is out
    return false;
  }

  #shakeHands(): void {
    this.#handshake = 'begun';
    try {
      this.#attach(beginTls(this.#socket, this.#around.tls, (end) => this.#endHandshake(end)));
      this.#watch();
    } catch (fault) {
      this.#break('TLS could not begin', fault);
    }
  }

  #endHandshake(end: Handshake | Error): void {
    if (this.#over) return;
    const { log, tls } = this.#around;
    if (end instanceof Error) {
      log.info('TLS handshake failed', { session: this.id, reason: end.message });
      this.#abort('no-tls');
      return;
    }
    log.debug('TLS handshake done', { session: this.id, ...end });
    this.#handshake = undefined;
    if (tls?.mode === 'implicit') this.#session.actor.start();
    else this.#session.actor.send({ type: 'secured' });
    this.#pump();
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
    if (this.#handshake !== undefined) return;
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
    else if (this.#awaited === 'handshake') this.#endHandshake(new Error('it took too long'));
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
    this.#deadlineMs = this.#around.clock.monotonic() + limitMs(awaited, this.#around.limits);
  }

  #whatIsAwaited(): Awaited {
    if (this.#handshake === 'begun') return 'handshake';
    if (this.#socket.writableNeedDrain) return 'reader';
    if (this.#saidGoodbye) return 'goodbye';
    if (this.#sending !== undefined) return 'us';
    if (this.#content !== undefined) return this.#content.wants ? 'client' : 'us';
    return this.#session.actor.getSnapshot().hasTag('ready') ? 'client' : 'us';
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
