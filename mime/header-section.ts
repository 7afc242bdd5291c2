/**
 * The header section of a message as it streams by: RFC 5322 §2.1, §2.2. It ends with the first empty line; a message
 * without one is all header. Lines end at CRLF only. Octet-exact, and the same however the message is cut.
 *
 * Finds octets of 0x80 and above in it, and can clear their high bit; parses no fields.
 */
const CR = 0x0d;
const LF = 0x0a;

/** Looks for the end of the header section: the end of the first empty line. */
export class HeaderEnd {
  /** How much of CRLF CRLF lies before the next octet; a message begins as if a CRLF went before. */
  #matched: 0 | 1 | 2 | 3 | 4 = 2;

  get found(): boolean {
    return this.#matched === 4;
  }

  /** How many octets of the chunk belong to the header section, the empty line included: 0 once it has ended. */
  headerOctets(chunk: Uint8Array): number {
    if (this.#matched === 4) return 0;
    let matched: 0 | 1 | 2 | 3 = this.#matched;
    for (let at = 0; at < chunk.length; at += 1) {
      const octet = chunk[at];
      if (octet === CR) {
        matched = matched === 2 ? 3 : 1;
      } else if (octet !== LF || matched === 0 || matched === 2) {
        matched = 0;
      } else if (matched === 1) {
        matched = 2;
      } else {
        this.#matched = 4;
        return at + 1;
      }
    }
    this.#matched = matched;
    return chunk.length;
  }
}

/** Passes a message through, chunk by chunk, watching its header section. */
export class HeaderSection {
  readonly #end = new HeaderEnd();
  readonly #mask8bit: boolean;
  #has8bit = false;
  #octets = 0;

  /** @param rules.mask8bit  clear the high bit of each octet in the header section; the body is never touched */
  constructor(rules: { readonly mask8bit: boolean }) {
    this.#mask8bit = rules.mask8bit;
  }

  /** The header section had an octet of 0x80 or above (before masking). Settled once `ended`, or at the message's end. */
  get has8bit(): boolean {
    return this.#has8bit;
  }

  /** The empty line has passed: what follows is body. */
  get ended(): boolean {
    return this.#end.found;
  }

  /** Octets of the header section so far, with the empty line that ends it. */
  get sizeOctets(): number {
    return this.#octets;
  }

  /** The chunk as it goes on: the very same object unless an octet had to be masked. */
  pass(chunk: Uint8Array): Uint8Array {
    const header = this.#end.headerOctets(chunk);
    this.#octets += header;
    const first = first8bit(chunk, header);
    if (first < 0) return chunk;
    this.#has8bit = true;
    if (!this.#mask8bit) return chunk;
    const masked = new Uint8Array(chunk); // from() would go octet by octet
    for (let at = first; at < header; at += 1) masked[at]! &= 0x7f;
    return masked;
  }
}

function first8bit(chunk: Uint8Array, end: number): number {
  for (let at = 0; at < end; at += 1) if (chunk[at]! >= 0x80) return at;
  return -1;
}
