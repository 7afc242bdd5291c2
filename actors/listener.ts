/**
 * One listening port or unix socket and the connections it has let in, never more than its `channels` at once.
 *
 * Who is not let in is told so in the protocol's words where that helps, and closed, never left waiting; zero channels
 * close the port and leave the sessions alone. What a connection does is actors/connection.ts's.
 */
import type { Server, Socket } from 'node:net';
import type { AddressList } from '../kernel/address-list.ts';
import type { Timer } from '../kernel/clock.ts';
import type { IpAddress } from '../kernel/ip-address.ts';
import { type ConnectionRecord, silentConnectionLog } from '../telemetry/connection-log.ts';
import type { Fields } from '../telemetry/log.ts';
import { AddressLimits } from './address-limits.ts';
import { Connection } from './connection.ts';
import { Refuser } from './connection-refusal.ts';
import type { Surroundings } from './connection-surroundings.ts';
import type { Ending } from './connection-terms.ts';
import { type Arrival, nobodyAt, type Origin, originOf, peerOf, readHeader, type Told } from './listener-origin.ts';
import { type RefusalReason, Refusals } from './listener-refusals.ts';
import { backlogAccepted, boundPlace, listenAt, nameOf, type Place, setMode } from './listener-socket.ts';
import type { ListenerOptions, ListenerTerms } from './listener-terms.ts';
import { farewell } from './nologin.ts';
import type { Caller, Session } from './session.ts';
import { Turns } from './turns.ts';

/** How often the deadlines of all connections are looked at: an idle client may be let be for so much longer. */
const SWEEP_MS = 500;
const NOTHING = new Uint8Array(0);
const NO_COUNTS = { octetsIn: 0, octetsOut: 0 };

export class Listener {
  readonly #options: ListenerOptions;
  #terms: ListenerTerms;
  #around: Surroundings;
  readonly #connections = new Set<Connection>();
  /** Those whose header is awaited; they count as channels. */
  readonly #arrivals = new Map<Arrival, { readonly socket: Socket; readonly peer: Origin }>();
  readonly #addresses = new AddressLimits();
  /** Of connections that #addresses counts. */
  readonly #counted = new Map<Connection, IpAddress>();
  readonly #refuser: Refuser;
  readonly #refusals: Refusals;
  /** Between `start` and `stop`: outside it there are no channels, however many are set. */
  #isStarted = false;
  #isDraining = false;
  #place: Place;
  /** As it was set last. */
  #mode: number | undefined;
  #server: Server | undefined;
  /** Opening and closing, one after the other. */
  #settled: Promise<void> = Promise.resolve();
  #awaitEmpty: (() => void)[] = [];
  #sweep: Timer | undefined;
  #fail: (fault: Error) => void = () => {};
  #failed: Promise<Error> = new Promise((resolve) => (this.#fail = resolve));
  #hasFailed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#terms = options;
    this.#around = this.#surroundings(options);
    this.#refuser = new Refuser(options.clock);
    this.#refusals = new Refusals(options);
    this.#place = options.place;
  }

  /**
   * Opens the port, unless there are no channels; also again after it failed or was stopped, with the channels it had.
   * Throws when it can't, naming the place.
   */
  start(): Promise<void> {
    this.#isStarted = true;
    if (this.#hasFailed) {
      this.#hasFailed = false;
      this.#failed = new Promise((resolve) => (this.#fail = resolve));
    }
    return this.#settle();
  }

  /** Resolves with the fault when the port breaks after it was open; never otherwise. A new one after each failure, from `start` on. */
  get failed(): Promise<Error> {
    return this.#failed;
  }

  /** Where it listens, with the true port; undefined while the port is closed. */
  get place(): Place | undefined {
    return this.#server === undefined ? undefined : this.#place;
  }

  /** As configured or set last, also while stopped. */
  get channels(): number {
    return this.#terms.channels;
  }

  /** The connections open now, for status. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** Is there no connection, and nobody whose header is awaited? */
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#arrivals.size === 0;
  }

  /** Resolves when it is empty, at once or later. */
  get emptied(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise<void>((resolve) => this.#awaitEmpty.push(resolve));
  }

  /**
   * For connections from now on. Resolves when the port is as it should be: no channels close it, more open it, unless it
   * is stopped or draining. Connections over a lowered limit go on.
   */
  change(terms: ListenerTerms): Promise<void> {
    this.#terms = terms;
    this.#around = this.#surroundings(terms);
    return this.#settle();
  }

  /** As `change`, of the channels alone. */
  setChannels(channels: number): Promise<void> {
    return this.change({ ...this.#terms, channels });
  }

  /** Closes the port and lets the sessions go on, or opens it again. */
  setDraining(isDraining: boolean): Promise<void> {
    this.#isDraining = isDraining;
    return this.#settle();
  }

  /** Closes the port, lets commands under way finish for up to `graceMs`, then ends what is left. */
  async stop(graceMs: number): Promise<void> {
    this.#isStarted = false;
    await this.#settle();
    for (const [arrival, { socket, peer }] of this.#arrivals) {
      arrival.cancel();
      this.#refuse(socket, peer, 'shutdown');
    }
    this.#arrivals.clear();
    this.#tellIfEmpty();
    if (this.isEmpty) return;
    const { emptied } = this;
    const deadline = this.#options.clock.after(graceMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    for (const connection of this.#connections) connection.stop();
    await emptied;
    deadline.cancel();
  }

  // The port.

  #settle(): Promise<void> {
    const settled = this.#settled.then(() => {
      const isWanted = this.#isStarted && !this.#isDraining && this.#terms.channels > 0;
      if (isWanted && this.#server === undefined) return this.#open();
      if (!isWanted && this.#server !== undefined) return this.#close(this.#server);
      if (isWanted && this.#mode !== this.#terms.mode) return this.#changeMode(this.#terms.mode);
    });
    this.#settled = settled.catch(() => {}); // told to the caller; the next call begins anew
    return settled;
  }

  async #open(): Promise<void> {
    const { mode } = this.#terms;
    const server = await listenAt(this.#place, (socket) => this.#accept(socket), { ...this.#options, mode });
    this.#mode = mode;
    server.on('error', (fault: NodeJS.ErrnoException) => this.#hearFault(fault));
    this.#place = boundPlace(server, this.#place);
    this.#server = server;
  }

  async #changeMode(mode: number | undefined): Promise<void> {
    await setMode(this.#place, mode);
    this.#mode = mode;
  }

  /** Unbinds; sessions go on. */
  async #close(server: Server): Promise<void> {
    await backlogAccepted(server);
    server.close();
    if (this.#server === server) this.#server = undefined;
  }

  /** One connection that could not be accepted (no file descriptors left, say) is no reason to end the others. */
  #hearFault(fault: NodeJS.ErrnoException): void {
    const { log } = this.#options;
    if (fault.syscall === 'accept') {
      log.warn('a connection was not accepted', { code: fault.code });
      return;
    }
    log.error('a listener broke', { place: nameOf(this.#place), fault });
    this.#server?.close();
    this.#server = undefined;
    this.#hasFailed = true;
    this.#fail(fault);
  }

  // Letting in.

  #accept(socket: Socket): void {
    this.#around.turns.arrived();
    const { balancers } = this.#terms;
    const peer = peerOf(socket, this.#place);
    if (peer === undefined) {
      this.#refuse(socket, nobodyAt(this.#place), 'gone'); // before any list is asked
      return;
    }
    const refusal = this.#refusalAtOnce(peer);
    if (refusal !== undefined) this.#refuse(socket, peer, refusal);
    else if (balancers === undefined) this.#admit(socket, peer);
    else this.#awaitHeader(socket, peer);
  }

  #refusalAtOnce(peer: Origin): RefusalReason | undefined {
    const { balancers, channels } = this.#terms;
    if (balancers === undefined && !this.#isAllowed(peer)) return 'address';
    if (balancers !== undefined && !isOn(balancers, peer)) return 'no-balancer';
    const isFull = this.#connections.size + this.#arrivals.size >= channels;
    return isFull || !this.#isStarted ? 'no-channel' : undefined;
  }

  #awaitHeader(socket: Socket, peer: Origin): void {
    const arrival = readHeader(socket, this.#options.clock, (header) => {
      this.#arrivals.delete(arrival);
      if (typeof header === 'string') this.#refuse(socket, peer, 'no-header', { fault: header });
      else this.#admitBehind(socket, originOf(header, peer));
      this.#tellIfEmpty();
    });
    this.#arrivals.set(arrival, { socket, peer });
  }

  /** A balancer's own connection, a health check, is let in: it is trusted as it is. */
  #admitBehind(socket: Socket, { origin, isBalancer }: Told): void {
    if (isBalancer) this.#begin(socket, origin, undefined);
    else if (this.#isAllowed(origin)) this.#admit(socket, origin);
    else this.#refuse(socket, origin, 'address');
  }

  #isAllowed(origin: Origin): boolean {
    const { allowed } = this.#terms;
    return allowed === undefined || isOn(allowed, origin);
  }

  #admit(socket: Socket, origin: Origin): void {
    const { perAddress } = this.#terms;
    const { address } = origin;
    if (perAddress === undefined || address === 'unix') {
      this.#begin(socket, origin, undefined);
      return;
    }
    const answer = this.#addresses.admit(address, perAddress(address), this.#options.clock.monotonic());
    if (answer === 'admitted') this.#begin(socket, origin, address);
    else this.#refuse(socket, origin, answer);
  }

  /** @param counted  the address that counts it */
  #begin(socket: Socket, origin: Origin, counted: IpAddress | undefined): void {
    const { nextSessionId, clock, log, statistics } = this.#options;
    const { protocol } = this.#terms;
    const caller: Caller = { session: nextSessionId(), ...origin.ends, tls: this.#tlsOfCallers() };
    log.debug('connection open', { protocol: protocol.name, ...caller });
    let session: Session;
    let goodbye: Session | undefined;
    try {
      goodbye = this.#farewell(caller);
      session = goodbye ?? protocol.begin(caller);
    } catch (fault) {
      log.error('a session could not begin', { session: caller.session, fault });
      if (counted !== undefined) this.#addresses.release(counted);
      this.#refuse(socket, origin, 'fault', {}, caller.session);
      return;
    }
    const connection = new Connection(
      caller,
      socket,
      session,
      goodbye === undefined ? this.#around : this.#aroundNologin(),
    );
    this.#connections.add(connection);
    if (goodbye === undefined) statistics?.connectionOpened();
    if (counted !== undefined) this.#counted.set(connection, counted);
    this.#sweep ??= clock.after(SWEEP_MS, this.#checkDeadlines);
  }

  #farewell(caller: Caller): Session | undefined {
    const { protocol } = this.#terms;
    const text = protocol.nologin && this.#options.nologin?.();
    if (text === undefined) return undefined;
    this.#refusals.tell('nologin', { protocol: protocol.name, address: caller.address });
    const record = this.#record(caller);
    return farewell(protocol.nologin!(text), {
      ended: (_how, _ending, counts) => record.ended('aborted', 'nologin', counts),
    });
  }

  /** One that is told `nologin` was refused, and is not counted among those that were let in. */
  #aroundNologin(): Surroundings {
    return { ...this.#around, statistics: undefined, closed: (connection, ending) => this.#forget(connection, ending) };
  }

  #refuse(
    socket: Socket,
    { ends }: Pick<Origin, 'ends'>,
    reason: RefusalReason,
    more: Fields = {},
    session = this.#options.nextSessionId(),
  ): void {
    this.#refusals.tell(reason, { protocol: this.#terms.protocol.name, address: ends.address, ...more });
    this.#record({ session, ...ends }).ended('aborted', reason, NO_COUNTS);
    this.#refuser.refuse(socket, this.#lineOf(reason));
  }

  /** Strangers are told nothing; nor is anybody under implicit TLS, where words cost a handshake, the dearest thing of a full house. */
  #lineOf(reason: RefusalReason): Uint8Array {
    const { protocol, tls } = this.#terms;
    if (tls?.mode === 'implicit') return NOTHING;
    if (reason === 'no-channel') return protocol.tooManyConnections;
    return reason === 'too-many' || reason === 'too-fast' ? protocol.tooManyFromAddress : NOTHING;
  }

  #record(ends: Omit<Caller, 'tls'>): ConnectionRecord {
    return (this.#options.connectionLog ?? silentConnectionLog).begin(ends, this.#terms.protocol.name);
  }

  #tlsOfCallers(): Caller['tls'] {
    const { tls } = this.#terms;
    if ('path' in this.#place || tls?.mode === 'implicit') return 'active';
    return tls === undefined ? 'none' : 'offered';
  }

  // Those that are there.

  #surroundings({ protocol, limits, tls }: ListenerTerms): Surroundings {
    const { clock, log, statistics, turns = new Turns(clock) } = this.#options;
    const closed = (connection: Connection, ending: Ending) => {
      statistics?.connectionClosed();
      this.#forget(connection, ending);
    };
    return { protocol: protocol.name, limits, clock, log, tls, closed, turns, statistics };
  }

  readonly #checkDeadlines = (): void => {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    for (const connection of this.#connections) connection.checkDeadline(nowMs);
    this.#sweep = this.#connections.size === 0 ? undefined : clock.after(SWEEP_MS, this.#checkDeadlines);
  };

  #forget(connection: Connection, ending: Ending): void {
    this.#connections.delete(connection);
    const counted = this.#counted.get(connection);
    this.#counted.delete(connection);
    if (counted !== undefined) this.#addresses.release(counted);
    this.#options.log.debug('connection closed', { session: connection.id, ending });
    this.#tellIfEmpty();
  }

  #tellIfEmpty(): void {
    if (!this.isEmpty) return;
    for (const emptied of this.#awaitEmpty.splice(0)) emptied();
  }
}

/** Whoever reaches a unix socket was let in by its file's mode; so was a balancer that speaks for one. */
const isOn = (list: AddressList, { address }: Origin): boolean => address === 'unix' || list.has(address);
