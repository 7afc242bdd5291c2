/**
 * A message body between the connection that receives it and the session that reads it: a pulled iteration of which
 * at most one piece is out at any time. It ends only at the body's true end; anything else throws.
 *
 * Holds no socket and reads nothing by itself: `pull` asks the connection, which answers by `give`, `end` or `fail`.
 */
import type { Piece } from '../protocols/wire/decoder.ts';
import type { Content } from './session.ts';

/** Thrown out of a body that won't come whole: its client vanished, or nobody was to read on. */
export class ContentLost extends Error {
  constructor(why: string) {
    super(`message content lost: ${why}`);
    this.name = 'ContentLost';
  }
}

type Waiting = { resolve(result: IteratorResult<Uint8Array, undefined>): void; reject(fault: Error): void };

export class IncomingContent implements Content, AsyncIterator<Uint8Array, undefined> {
  readonly #pull: () => void;
  #waiting: Waiting | undefined;
  #state: 'open' | 'ended' | 'abandoned' | ContentLost = 'open';
  #bareLf = false;

  constructor(pull: () => void) {
    this.#pull = pull;
  }

  get bareLf(): boolean {
    if (this.#state !== 'ended') throw new Error('bareLf is known only at the end of the content');
    return this.#bareLf;
  }

  /** Would a piece find a taker now: a reader that waits for it, or nobody any more, so that it may be dropped? */
  get wants(): boolean {
    return this.#waiting !== undefined || this.#state === 'abandoned';
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    if (this.#state === 'abandoned') return Promise.reject(new ContentLost('the session no longer reads it'));
    if (this.#state !== 'open') return Promise.reject(this.#state);
    if (this.#waiting !== undefined)
      return Promise.reject(new Error('message content has one reader, one pull at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#pull();
    });
  }

  /** The reader stops early; the rest is dropped as it comes. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.abandon();
    this.#pull();
    return Promise.resolve({ done: true, value: undefined });
  }

  // Below: the connection's side.

  /** The next piece, as the decoder gives it. */
  takes(piece: Piece<object>): 'more' | 'the end' {
    if (piece.kind === 'command') throw new Error('the decoder gave a command inside a body');
    if (piece.kind === 'body') this.give(piece.bytes);
    else this.end(piece.bareLf);
    return piece.kind === 'body' ? 'more' : 'the end';
  }

  give(bytes: Uint8Array): void {
    const waiting = this.#take();
    waiting?.resolve({ done: false, value: bytes });
  }

  end(bareLf: boolean): void {
    if (this.#state !== 'open') return; // abandoned: what nobody read to the end must not seem whole
    this.#state = 'ended';
    this.#bareLf = bareLf;
    this.#take()?.resolve({ done: true, value: undefined });
  }

  /** Nobody is to read on; a reader that still tries is told so. */
  abandon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    this.#take()?.reject(new ContentLost('the session no longer reads it'));
  }

  fail(why: string): void {
    if (this.#state === 'ended') return;
    const lost = new ContentLost(why);
    this.#state = lost;
    this.#take()?.reject(lost);
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
