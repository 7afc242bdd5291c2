/**
 * Octets gathered for one write: text and octets in their order, copied once, when they are taken. Holds what it was given
 * until then.
 */

/** Gathered up to this much before it is written. */
const WRITE_OCTETS = 64 * 1024;

export class Writes {
  /** One character each octet; not in `#parts` yet. */
  #text = '';
  #parts: (string | Uint8Array)[] = [];
  #octets = 0;

  get isEmpty(): boolean {
    return this.#octets === 0;
  }

  /** Time to write: more would only cost memory. */
  get isFull(): boolean {
    return this.#octets >= WRITE_OCTETS;
  }

  /** One character each octet. */
  text(latin1: string): void {
    this.#text += latin1;
    this.#octets += latin1.length;
  }

  /** Not copied until taken: must not change before. */
  octets(octets: Uint8Array): void {
    if (octets.length === 0) return;
    if (this.#text !== '') this.#parts.push(this.#text);
    this.#text = '';
    this.#parts.push(octets);
    this.#octets += octets.length;
  }

  /** All that was gathered, as one; nothing is left. */
  take(): Uint8Array {
    const [text, parts, octets] = [this.#text, this.#parts, this.#octets];
    this.#text = '';
    this.#octets = 0;
    if (parts.length === 0) return Buffer.from(text, 'latin1');
    this.#parts = [];
    const [first] = parts;
    if (parts.length === 1 && text === '' && typeof first !== 'string') return first!; // a chunk of a body, as it came
    return joined([...parts, text], octets);
  }

  /** The same as writes of the size that suits a socket. */
  *takeWrites(): Iterable<Uint8Array> {
    const all = this.take();
    let at = 0;
    for (; all.length - at >= 2 * WRITE_OCTETS; at += WRITE_OCTETS) yield all.subarray(at, at + WRITE_OCTETS);
    if (at < all.length) yield all.subarray(at);
  }
}

function joined(parts: readonly (string | Uint8Array)[], octets: number): Uint8Array {
  const out = Buffer.allocUnsafe(octets);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string') out.write(part, at, 'latin1');
    else out.set(part, at);
    at += part.length;
  }
  return out;
}
