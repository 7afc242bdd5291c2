/**
 * Drives one session: bytes -> decoder -> machine -> replies -> bytes. Holds the socket, and nobody else does.
 *
 * Pull, never push: the next command is taken only while the machine shows `ready`, the client drains its output and no
 * reply with a body is still being sent. That body is a barrier: pipelined `RETR 1, DELE 1, QUIT` (RFC 2449 §6.6) must
 * not remove a message whose sending broke. Nothing here knows a protocol.
 */
import type { Duplex } from 'node:stream';
import { beginCompression } from './connection-compression.ts';
import type { Surroundings } from './connection-surroundings.ts';
import type { Awaited, Ending } from './connection-terms.ts';
import { isClean, KICK_GRACE_MS, MAX_UNDECODED_OCTETS, overdue, STEPS_A_TURN } from './connection-terms.ts';
import { beginTls, type Handshake, hush, isSecured } from './connection-tls.ts';
import { Deadline } from './deadline.ts';
import { IncomingContent } from './incoming-content.ts';
import { type LiveSession, liveSession } from './live-session.ts';
import { Outlet } from './outlet.ts';
import type { Caller, Said, Session, StopReason } from './session.ts';

export class Connection {
  readonly #caller: Caller;
  readonly #sinceMs: number;
  /** The client's; a TLS one over it from the handshake on. */
  #socket!: Duplex; // by #attach
  readonly #session: Session;
  readonly #around: Surroundings;

  /** While a body is being sent no command is taken. */
  readonly #outlet = new Outlet();
  /** The body being received. While it is there replies are held back: they belong after its end (RFC 5321 §4.1.1.4). */
  #content: IncomingContent | undefined;
  #expectsContent = false;
  /** What the session wants its socket under, while what it said before is still to be sent; or the handshake that has begun. */
  #layer: 'tls' | 'compression' | 'handshake' | undefined;

  #undecodedOctets = 0;
  #octetsIn = 0;
  #inputEnded = false;
  #pumping = false;
  #stopping: StopReason | undefined;
  #hasLeft = false;
  /** The last reply is written and our end of the socket closed. */
  #saidGoodbye = false;
  #over = false;
  #ending: Ending | undefined;

  readonly #deadline = new Deadline();

  /** Takes the socket over and starts the session, which says its greeting: under implicit TLS after the handshake. */
  constructor(caller: Caller, socket: Duplex, session: Session, around: Surroundings) {
    this.#caller = caller;
    this.#sinceMs = around.clock.wall();
    this.#session = session;
    this.#around = around;
    this.#attach(socket);
    this.#deadline.begin(around.limits, around.clock);
    try {
      session.actor.on('*', this.#hear.bind(this));
      session.actor.subscribe(this);
      if (around.tls?.mode !== 'implicit') session.actor.start();
    } catch (fault) {
      this.#break('the session could not begin', fault);
    }
    if (around.tls?.mode === 'implicit') this.#shakeHands();
    else this.#pump();
  }

  get id(): string {
    return this.#caller.session;
  }

  /** For an operator: who this is, and in which state. */
  inspect(): LiveSession {
    const { actor } = this.#session;
    return liveSession(this.#caller, {
      protocol: this.#around.protocol,
      account: this.#session.account?.(),
      accountId: this.#session.accountId?.(),
      state: actor.getSnapshot().value,
      since: this.#sinceMs,
      tls: isSecured(this.#socket) && this.#layer !== 'handshake',
    });
  }

  /** Ends the session once it is between two commands; a command under way is finished first. */
  stop(reason: StopReason = 'shutdown'): void {
    this.#stopping ??= reason;
    if (reason === 'kicked') this.#deadline.endBy(this.#around.clock.monotonic() + KICK_GRACE_MS);
    if (this.#layer === 'handshake') this.#abort(reason);
    this.#pump();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#abort('destroyed');
  }

  // The machine's observer (XState), and the outlet's (outlet.ts): methods, since closures would cost half a kilobyte more.

  /** Told in the middle of the machine's step: what is sent to it now it would only take after, so the pump waits. */
  next(): void {
    if (!this.#pumping) queueMicrotask(() => this.#pump());
  }

  error(fault: unknown): void {
    this.#break('the session broke', fault);
  }

  stalled(): void {
    this.#watch();
  }

  wrote(octets: number): void {
    this.#around.statistics?.sent(octets);
  }

  sent(): void {
    this.#pump();
  }

  takeTurn(): void {
    this.#pumping = false;
    this.#pump();
  }

  broke(fault: unknown): void {
    this.#break('a reply broke off', fault);
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
    this.#octetsIn += bytes.length;
    this.#around.statistics?.received(bytes.length);
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
    this.#outlet.drain();
    this.#pump();
  }

  #close(): void {
    const ending = this.#ending ?? 'client-gone';
    this.#ending = ending;
    this.#finish();
    const counts = { octetsIn: this.#octetsIn, octetsOut: this.#outlet.octets };
    this.#session.record?.ended(isClean(ending) ? 'closed' : 'aborted', ending, counts);
    this.#around.closed(this, ending);
  }

  // The machine's word.

  /** Must not throw: XState would take the process down for it. */
  #hear(said: Said<object>): void {
    try {
      if (said.type === 'expect' && said.next === 'body') this.#expectsContent = true;
      else if (said.type === 'expect')
        this.#session.decoder.expect(said.next); // it comes as a command
      else if (said.type === 'start-tls') this.#layer = 'tls';
      else if (said.type === 'start-compression') this.#layer = 'compression';
      else this.#outlet.add(this.#session.encoder.encode(said.reply));
    } catch (fault) {
      this.#break('what the session said could not be done', fault);
    }
  }

  // The pump: takes what may be taken, until nothing may.

  #pump(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    let steps = STEPS_A_TURN;
    try {
      while (steps > 0 && this.#step()) steps -= 1;
    } catch (fault) {
      this.#break('the session could not go on', fault);
    }
    this.#pumping = steps === 0; // until the others had their turn
    if (this.#over) return;
    if (this.#pumping) this.#around.turns.wait(this);
    else this.#flush();
    if (this.#hasLeft) this.#sayGoodbye();
    this.#regulate();
    this.#watch();
  }

  /** One step; false when there is nothing to do until the client, the machine or the socket moves. */
  #step(): boolean {
    if (this.#over || this.#hasLeft) return false;
    const { actor, decoder } = this.#session;
    const now = actor.getSnapshot();
    if (now.status !== 'active') return this.#leave(now.hasTag('dismissed') ? 'dismissed' : 'finished');
    if (this.#content !== undefined) return this.#stepContent(this.#content, now.hasTag('ready'));
    if (this.#expectsContent) return this.#openContent();
    if (this.#layer !== undefined) return this.#stepLayer(this.#layer);
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
    this.#deadline.progress();
    this.#around.statistics?.command();
    actor.send(piece.command);
    return true;
  }

  /** May another reply be made? Sends what waits when there is much of it. */
  #mayAnswer(): boolean {
    if (this.#outlet.isFull) this.#flush();
    return !this.#outlet.isSending && !this.#socket.writableNeedDrain && !this.#over;
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
    this.#deadline.progress();
    if (content.takes(piece) === 'the end') this.#content = undefined;
    return true;
  }

  // TLS and compression.

  /** What was said goes out as it is; what the client sent before it has read that is dropped, unlooked at. */
  #stepLayer(layer: 'tls' | 'compression' | 'handshake'): boolean {
    if (layer === 'handshake') return false;
    if (this.#inputEnded) return this.#leave('client-gone');
    hush(this.#socket);
    this.#session.decoder.discard();
    this.#undecodedOctets = 0;
    this.#flush();
    if (!this.#outlet.isEmpty) return false;
    if (layer === 'compression') {
      this.#layer = undefined;
      const { log } = this.#around;
      this.#attach(beginCompression(this.#socket, (why) => log.info('compression broke', { session: this.id, why })));
      this.#session.actor.send({ type: 'compressed' });
      return true;
    }
    this.#layer = 'handshake';
    this.#socket.write('', (fault) => fault || this.#over || this.#shakeHands()); // called when all before it is out
    return false;
  }

  #shakeHands(): void {
    this.#layer = 'handshake';
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
    this.#layer = undefined;
    if (tls?.mode === 'implicit') this.#session.actor.start();
    else this.#session.actor.send({ type: 'secured' });
    this.#pump();
  }

  // Out.

  /** Replies are held back while a body comes in: they belong after its end. */
  #flush(): void {
    if (this.#content === undefined && !this.#over) this.#outlet.flush(this.#socket, this);
  }

  #sayGoodbye(): void {
    if (this.#saidGoodbye || !this.#outlet.isEmpty) return;
    this.#saidGoodbye = true;
    this.#socket.end();
  }

  /** Reads on, or lets TCP hold the client up. */
  #regulate(): void {
    if (this.#layer !== undefined) return;
    const mayRead = this.#content?.wants ?? this.#undecodedOctets < MAX_UNDECODED_OCTETS;
    if ((mayRead && !this.#pumping) || this.#saidGoodbye) {
      if (this.#socket.isPaused()) this.#socket.resume();
    } else if (!this.#socket.isPaused()) this.#socket.pause();
  }

  /** Ends what has waited too long. To be called now and then with the clock's monotonic time. */
  checkDeadline(nowMs: number): void {
    if (this.#over) return;
    const session = this.#session;
    // one that is about to log in is seen through; one that says something without end is ready now and then
    const isLoggedOut = () => session.account?.() === undefined && session.actor.getSnapshot().hasTag('ready');
    if (this.#deadline.isLogInOverdue(nowMs) && isLoggedOut()) this.stop('no-log-in');
    const missed = this.#deadline.missed(nowMs);
    if (this.#deadline.isEnd(nowMs)) this.#abort('kicked');
    else if (missed === undefined) return;
    else if (missed === 'handshake') this.#endHandshake(new Error('it took too long'));
    else if (missed === 'client' && this.#content === undefined) this.stop('idle');
    else this.#abort(overdue(missed));
  }

  #watch(): void {
    this.#deadline.watch(this.#whatIsAwaited(), this.#around.limits, this.#around.clock);
  }

  #whatIsAwaited(): Awaited {
    if (this.#layer === 'handshake') return 'handshake';
    if (this.#socket.writableNeedDrain) return 'reader';
    if (this.#saidGoodbye) return 'goodbye';
    if (this.#outlet.isSending) return 'us';
    if (this.#content !== undefined) return this.#content.wants ? 'client' : 'us';
    if (this.#pumping) return 'us'; // it has said more than one turn's worth, and waits for the next
    return this.#session.actor.getSnapshot().hasTag('ready') ? 'client' : 'us';
  }

  // The end.

  /** The session is over; what it said is still to be sent. */
  #leave(ending: Ending): false {
    this.#ending ??= ending;
    this.#hasLeft = true;
    this.#content?.abandon();
    this.#content = undefined;
    const { log } = this.#around;
    this.#session.end().catch((fault) => log.error('a session did not end cleanly', { session: this.id, fault }));
    return false;
  }

  #break(what: string, fault: unknown): void {
    if (this.#over) return;
    this.#around.log.error(what, { session: this.id, fault });
    this.#abort('fault');
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
    this.#content?.fail('the client is gone');
    this.#outlet.close();
    if (!this.#hasLeft) this.#leave(this.#ending ?? 'client-gone');
  }
}
