/**
 * One listening port or unix socket and the connections it has let in, never more than its `channels` at once.
 *
 * The one too many is told so in its protocol's words and closed, never left waiting; zero channels close the port and
 * leave the sessions alone. What a connection does is actors/connection.ts's.
 */
import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Connection, type Surroundings } from './connection.ts';
import { refuseConnection } from './connection-refusal.ts';
import type { Ending, Limits } from './connection-terms.ts';
import type { ConnectionTls } from './connection-tls.ts';
import type { Caller, Protocol } from './session.ts';

/** Where to listen. Port 0 takes any free port, and keeps it when the port is closed and opened again. */
export type Place = { readonly address: string; readonly port: number } | { readonly path: string };

export type ListenerOptions = {
  readonly place: Place;
  /** Most connections at once; 0: the port is closed. */
  readonly channels: number;
  readonly limits: Limits;
  readonly protocol: Protocol;
  /** Absent: no TLS. Not for a unix socket, which needs none. */
  readonly tls?: ConnectionTls | undefined;
  /** A new one at each call, unique for ever (session-ids.ts). */
  readonly nextSessionId: () => string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 1024;
/** How often the deadlines of all connections are looked at: an idle client may be let be for so much longer. */
const SWEEP_MS = 500;
/** A peer that died without a word is found out after so long, then some probes more. */
const KEEP_ALIVE_MS = 120_000;
const NOTHING = new Uint8Array(0);

export class Listener {
  readonly #options: ListenerOptions;
  readonly #connections = new Set<Connection>();
  readonly #around: Surroundings;
  #channels: number;
  /** Between `start` and `stop`: outside it there are no channels, however many are set. */
  #isStarted = false;
  #place: Place;
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
    const { limits, clock, log, tls, channels } = options;
    this.#around = { limits, clock, log, tls, closed: (connection, ending) => this.#forget(connection, ending) };
    this.#channels = channels;
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
    return this.#channels;
  }

  /** The connections open now, for status. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /**
   * Resolves when the port is as it should be: 0 closes it, more opens it, unless it is stopped. Connections over a lowered
   * limit go on.
   */
  setChannels(channels: number): Promise<void> {
    this.#channels = channels;
    return this.#settle();
  }

  /** Closes the port, lets commands under way finish for up to `graceMs`, then ends what is left. */
  async stop(graceMs: number): Promise<void> {
    this.#isStarted = false;
    await this.#settle();
    if (this.#connections.size === 0) return;
    const emptied = new Promise<void>((resolve) => this.#awaitEmpty.push(resolve));
    const deadline = this.#options.clock.after(graceMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    for (const connection of this.#connections) connection.stop();
    await emptied;
    deadline.cancel();
  }

  #settle(): Promise<void> {
    const settled = this.#settled.then(() => {
      const isWanted = this.#isStarted && this.#channels > 0;
      if (isWanted && this.#server === undefined) return this.#open();
      if (!isWanted) this.#close();
    });
    this.#settled = settled.catch(() => {}); // told to the caller; the next call begins anew
    return settled;
  }

  async #open(): Promise<void> {
    if ('path' in this.#place) await clearStaleSocket(this.#place.path);
    const server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    server.on('connection', (socket) => this.#accept(socket));
    const place = this.#place;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (fault) =>
        reject(new Error(`cannot listen on ${nameOf(place)}: ${fault.message}`, { cause: fault })),
      );
      server.listen(
        { ...('path' in place ? place : { host: place.address, port: place.port }), backlog: BACKLOG },
        resolve,
      );
    });
    server.removeAllListeners('error');
    server.on('error', (fault: NodeJS.ErrnoException) => this.#hearFault(fault));
    const bound = server.address();
    if ('port' in place && bound !== null && typeof bound !== 'string') this.#place = { ...place, port: bound.port };
    this.#server = server;
  }

  /** Unbinds at once; sessions go on. */
  #close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** One connection that could not be accepted (no file descriptors left, say) is no reason to end the others. */
  #hearFault(fault: NodeJS.ErrnoException): void {
    const { log } = this.#options;
    if (fault.syscall === 'accept') {
      log.warn('a connection was not accepted', { code: fault.code });
      return;
    }
    log.error('a listener broke', { place: nameOf(this.#place), fault });
    this.#close();
    this.#hasFailed = true;
    this.#fail(fault);
  }

  #accept(socket: Socket): void {
    const { protocol, clock, log, tls, nextSessionId } = this.#options;
    const address = socket.remoteAddress ?? '';
    if (!this.#isStarted || this.#connections.size >= this.#channels) {
      log.info('connection refused: no channel free', { protocol: protocol.name, address });
      // Under implicit TLS without a word: it could only be said after a handshake, which is what a full house can't give.
      refuseConnection(socket, tls?.mode === 'implicit' ? NOTHING : protocol.tooManyConnections, clock);
      return;
    }
    const caller: Caller = { session: nextSessionId(), address, tls: this.#tlsOfCallers() };
    log.debug('connection open', { protocol: protocol.name, ...caller });
    try {
      this.#connections.add(new Connection(caller.session, socket, protocol.begin(caller), this.#around));
    } catch (fault) {
      log.error('a session could not begin', { session: caller.session, fault });
      socket.destroy();
    }
    this.#sweep ??= clock.after(SWEEP_MS, this.#checkDeadlines);
  }

  #tlsOfCallers(): Caller['tls'] {
    if ('path' in this.#place || this.#options.tls?.mode === 'implicit') return 'active';
    return this.#options.tls === undefined ? 'none' : 'offered';
  }

  readonly #checkDeadlines = (): void => {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    for (const connection of this.#connections) connection.checkDeadline(nowMs);
    this.#sweep = this.#connections.size === 0 ? undefined : clock.after(SWEEP_MS, this.#checkDeadlines);
  };

  #forget(connection: Connection, ending: Ending): void {
    this.#connections.delete(connection);
    this.#options.log.debug('connection closed', { session: connection.id, ending });
    if (this.#connections.size > 0) return;
    for (const emptied of this.#awaitEmpty.splice(0)) emptied();
  }
}

export const nameOf = (place: Place): string =>
  'path' in place
    ? place.path
    : place.address.includes(':')
      ? `[${place.address}]:${place.port}`
      : `${place.address}:${place.port}`;

/** Removes a socket file that nobody listens on any more. Throws when somebody does, or when it is no socket. */
async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`cannot listen on ${path}: a file that is no socket is in the way`);
  if (await answers(path)) throw new Error(`cannot listen on ${path}: another server is listening there`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'ECONNREFUSED' || fault.code === 'ENOENT') resolve(false);
      else reject(new Error(`cannot listen on ${path}: ${fault.message}`, { cause: fault }));
    });
  });
}
