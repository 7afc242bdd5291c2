/** A client's socket that does what decent clients do not: it stops to read, closes one half, resets; and hears all that is said. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type Protocol, ReplyWatch } from './reply-watch.ts';

export type Gate = { readonly host: string; readonly port: number };

export class HostileSocket {
  readonly watch: ReplyWatch;
  /** Resolves when the server has closed, by an end or a reset, or we have. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #isOver = false;
  #hasLeft = false;
  #wakes: (() => void)[] = [];
  #octetsHeard = 0;

  private constructor(socket: Socket, protocol: Protocol) {
    this.#socket = socket;
    this.watch = new ReplyWatch(protocol);
    socket.on('data', (bytes: Buffer) => {
      this.#octetsHeard += bytes.length;
      this.watch.push(bytes);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      const over = () => {
        if (!this.#isOver && !this.#hasLeft) this.watch.end();
        this.#isOver = true;
        this.#wake();
        socket.destroy();
        resolve();
      };
      socket.on('end', over);
      socket.on('close', over);
    });
  }

  /** Throws when there is no connection, as from a server that is not there. */
  static open(gate: Gate, protocol: Protocol, localAddress: string): Promise<HostileSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...gate, localAddress, noDelay: true } as NetConnectOpts);
      socket.on('error', reject); // once connected nobody listens to it, and 'close' follows
      socket.once('connect', () => resolve(new HostileSocket(socket, protocol)));
    });
  }

  /** Has the server ended it, and not we? */
  get wasClosed(): boolean {
    return this.#isOver && !this.#hasLeft;
  }

  get octetsHeard(): number {
    return this.#octetsHeard;
  }

  /** Resolves when the kernel has it all, or it is over. */
  write(bytes: string | Uint8Array): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
      void this.closed.then(() => resolve());
    });
  }

  /** Resolves when so many replies were heard in all, or it is over. */
  async replies(count: number): Promise<void> {
    while (this.watch.replies < count && !this.#isOver) await this.#moved();
  }

  /** Resolves when more octets than so many were heard in all, or it is over. */
  async heardMoreThan(octets: number): Promise<void> {
    while (this.#octetsHeard <= octets && !this.#isOver) await this.#moved();
  }

  /** Sends no more, and reads on. */
  finish(): void {
    if (!this.#isOver) this.#socket.end();
  }

  stall(): void {
    this.#socket.pause();
  }

  leave(): void {
    this.#hasLeft ||= !this.#isOver;
    this.#socket.destroy();
  }

  /** Leaves without a goodbye of TCP's either. */
  reset(): void {
    this.#hasLeft ||= !this.#isOver;
    this.#socket.resetAndDestroy();
  }

  #moved(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
