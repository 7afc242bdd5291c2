/**
 * The top of a message: its header section, the empty line, and the first lines of its body (RFC 1939 §7 TOP). It
 * streams, and says when it has enough, so that the rest of a large message need not be read. Lines end at CRLF only.
 */
import { HeaderEnd } from './header-section.ts';

const CR = 0x0d;
const LF = 0x0a;

export class Top {
  readonly #header = new HeaderEnd();
  #linesLeft: number;
  #afterCr = false;

  /** @param bodyLines  how many lines of the body to let pass; 0 or more */
  constructor(bodyLines: number) {
    this.#linesLeft = bodyLines;
  }

  /** All has passed that is wanted. Stays false where the message is shorter: then all of it is. */
  get done(): boolean {
    return this.#header.found && this.#linesLeft === 0;
  }

  /** As much of the chunk as belongs to the top; a view of it, and empty once `done`. */
  pass(chunk: Uint8Array): Uint8Array {
    let at = this.#header.headerOctets(chunk);
    while (this.#header.found && this.#linesLeft > 0 && at < chunk.length) {
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf + 1;
      const last = lf < 0 ? chunk.length : lf; // the octet before this one tells whether the LF ends a line
      const wasCr = last > at ? chunk[last - 1] === CR : this.#afterCr;
      this.#afterCr = lf < 0 && wasCr;
      if (lf >= 0 && wasCr) this.#linesLeft -= 1;
      at = end;
    }
    return at === chunk.length ? chunk : chunk.subarray(0, at);
  }
}

/** The top of a message that is read chunk by chunk; leaves `message` (calling its `return`) as soon as it has enough. */
export async function* top(message: AsyncIterable<Uint8Array>, bodyLines: number): AsyncIterable<Uint8Array> {
  const cut = new Top(bodyLines);
  for await (const chunk of message) {
    const passed = cut.pass(chunk);
    if (passed.length > 0) yield passed;
    if (cut.done) return;
  }
}
