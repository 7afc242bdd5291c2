/**
 * Is what streams by UTF-8 (RFC 3629 §3)? The same however it is cut; holds at most the three octets of a character whose
 * end has not come. For header sections, which may hold nothing else above ASCII (RFC 6532 §3.1).
 */
import { isUtf8 } from 'node:buffer';

const NOTHING = new Uint8Array(0);

export class Utf8Watch {
  /** The beginning of a character at the end of the chunk before. */
  #held: Uint8Array = NOTHING;
  #isBroken = false;

  /** Something that has passed is not UTF-8, whatever may follow. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** All that has passed is UTF-8, and no character is cut off at its end. */
  get isWhole(): boolean {
    return !this.#isBroken && this.#held.length === 0;
  }

  pass(chunk: Uint8Array): void {
    if (this.#isBroken || chunk.length === 0) return;
    const octets = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const whole = octets.length - cutOff(octets);
    this.#isBroken = !isUtf8(octets.subarray(0, whole));
    this.#held = new Uint8Array(octets.subarray(whole)); // a copy: the chunk is its maker's
  }
}

/** How many octets at the end begin a character that has more: 0 to 3. */
function cutOff(octets: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, octets.length); back += 1) {
    const octet = octets[octets.length - back]!;
    if ((octet & 0xc0) === 0x80) continue;
    const length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
