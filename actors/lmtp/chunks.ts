/**
 * One message out of the chunks of several BDAT commands (RFC 3030 §2): each comes as a content of its own, in its turn,
 * and whoever delivers reads them as one, at its own pace. Holds no octet. It ends only behind the last chunk; whatever
 * else ends the transaction makes it throw, so that half a message is never delivered.
 */
import { BareLf } from '../../protocols/wire/bare-lf.ts';
import { ContentLost } from '../incoming-content.ts';
import type { Content } from '../session.ts';

/** `taken`: the reader has had all of it. `dropped`: the reader has gone, and has an answer or soon will. */
export type ChunkEnd = 'taken' | 'dropped';

type Chunk = { readonly content: Content; readonly last: boolean; readonly settle: (end: ChunkEnd) => void };

export class Chunks implements Content {
  readonly #bareLf = new BareLf();
  #next: Chunk | undefined;
  #arrived: () => void = () => {};
  #lost: ContentLost | undefined;
  #isWhole = false;
  #hasReaderLeft = false;

  get bareLf(): boolean {
    if (!this.#isWhole) throw new Error('bareLf is known only at the end of the content');
    return this.#bareLf.wasSeen;
  }

  /** Hands one chunk to the reader; one at a time, and none after the last. */
  take(content: Content, last: boolean): Promise<ChunkEnd> {
    if (this.#hasReaderLeft) return Promise.resolve('dropped');
    return new Promise((settle) => {
      this.#next = { content, last, settle };
      this.#arrived();
    });
  }

  /** No more will come: a reader that waits for more is told so. Changes nothing behind the last chunk. */
  giveUp(): void {
    this.#lost = new ContentLost('the transaction was given up');
    this.#arrived();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let chunk: Chunk | undefined;
    try {
      do {
        chunk = await this.#chunk();
        for await (const bytes of chunk.content) {
          this.#bareLf.pass(bytes);
          yield bytes;
        }
        this.#isWhole = chunk.last;
        chunk.settle('taken');
      } while (!this.#isWhole);
    } finally {
      this.#hasReaderLeft = true;
      chunk?.settle('dropped'); // does nothing to one that was taken
    }
  }

  async #chunk(): Promise<Chunk> {
    while (this.#next === undefined && this.#lost === undefined)
      await new Promise<void>((arrived) => (this.#arrived = arrived));
    const next = this.#next;
    this.#next = undefined;
    if (next === undefined) throw this.#lost;
    return next;
  }
}
