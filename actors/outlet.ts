/**
 * What a connection still has to say, on its way into the socket: octets in as few writes as it takes, and bodies, one at a
 * time, as fast as the client reads. Which moment is the right one is actors/connection.ts's; so is the socket, lent here.
 */
import type { Writable } from 'node:stream';
import { ReplyQueue } from './reply-queue.ts';

/** Told of a body that is being sent. Methods of the connection: closures would cost each idle one their room. */
export interface Sender {
  /** The socket has as much as it takes: the client's reading is awaited. */
  stalled(): void;
  /** So many octets were handed to the socket. */
  wrote(octets: number): void;
  /** It is out, to the end. */
  sent(): void;
  broke(fault: unknown): void;
}

export class Outlet {
  readonly #unsent = new ReplyQueue();
  /** The body being sent. While it is there nothing else is written. */
  #sending: AsyncIterator<Uint8Array> | undefined;
  #drained: (() => void) | undefined;
  #isClosed = false;
  #octets = 0;

  /** Handed to the socket so far. */
  get octets(): number {
    return this.#octets;
  }

  get isSending(): boolean {
    return this.#sending !== undefined;
  }

  /** Is everything that was said with the socket? */
  get isEmpty(): boolean {
    return this.#sending === undefined && this.#unsent.isEmpty;
  }

  get isFull(): boolean {
    return this.#unsent.isFull;
  }

  add(encoded: Uint8Array | AsyncIterable<Uint8Array>): void {
    this.#unsent.add(encoded);
  }

  /** Writes what waits up to a reply with a body, which then sends itself. The same socket must do until it is out. */
  flush(socket: Writable, sender: Sender): void {
    if (this.#sending !== undefined) return;
    const octets = this.#unsent.takeOctets();
    if (octets !== undefined) this.#write(socket, octets, sender);
    const body = this.#unsent.takeBody();
    if (body !== undefined) void this.#send(body, socket, sender);
  }

  /** The socket takes more. */
  drain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }

  /** Lets go of all that was not sent. */
  close(): void {
    this.#isClosed = true;
    this.#unsent.clear();
    this.drain();
    this.#sending?.return?.()?.catch(() => {}); // its own fault, if any, has nobody left to tell
  }

  /** If the body's iteration throws, the sender hears it and must destroy the socket: a short body must never look whole. */
  async #send(body: AsyncIterable<Uint8Array>, socket: Writable, sender: Sender): Promise<void> {
    try {
      this.#sending = body[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await this.#sending.next();
        if (this.#isClosed) return;
        if (done) break;
        if (!this.#write(socket, value, sender)) {
          sender.stalled();
          await new Promise<void>((resolve) => (this.#drained = resolve));
          if (this.#isClosed) return;
        }
      }
      this.#sending = undefined;
      sender.sent();
    } catch (fault) {
      sender.broke(fault);
    }
  }

  /** False: the socket has as much as it takes for now. */
  #write(socket: Writable, octets: Uint8Array, sender: Sender): boolean {
    this.#octets += octets.length;
    sender.wrote(octets.length);
    return socket.write(octets);
  }
}
