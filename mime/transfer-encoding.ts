/**
 * Content-Transfer-Encodings taken off: RFC 2045 §6. A part streams through; the same however it is cut. What is broken
 * is decoded as far as it goes and said to be broken, never refused.
 */
const NOTHING = new Uint8Array(0);
const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
/** White space at the end of a line is no text (RFC 2045 §6.7 rule 3); more than this before anything else is passed on. */
const MOST_SPACE_OCTETS = 1024;

export interface TransferDecoder {
  /** What can be decoded so far; may be a view of the chunk. */
  write(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
  /** Something was not as the encoding has it. Settled after `end`. */
  readonly isBroken: boolean;
}

/**
 * @param encoding  as the header field has it, comments taken out; empty or absent is `7bit` (RFC 2045 §6.1)
 * @returns undefined for an encoding that RFC 2045 §6.1 does not name: such a part is opaque (§6.4)
 */
export function transferDecoder(encoding: string | undefined): TransferDecoder | undefined {
  switch ((encoding ?? '').trim().toLowerCase()) {
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return new Identity();
    case 'base64':
      return new Base64Decoder();
    case 'quoted-printable':
      return new QuotedPrintableDecoder();
    default:
      return undefined;
  }
}

class Identity implements TransferDecoder {
  readonly isBroken = false;

  write(chunk: Uint8Array): Uint8Array {
    return chunk;
  }

  end(): Uint8Array {
    return NOTHING;
  }
}

/** RFC 2045 §6.8. Padding ends a group, and another may follow: some senders put encoded pieces one behind the other. */
class Base64Decoder implements TransferDecoder {
  /** Up to three characters of a group that has four. */
  #held = '';
  #isBroken = false;

  get isBroken(): boolean {
    return this.#isBroken;
  }

  write(chunk: Uint8Array): Uint8Array {
    const text = latin1(chunk);
    const letters = text.replace(/[^A-Za-z0-9+/=]+/g, '');
    // Line ends and spaces may stand anywhere; other characters are passed over, and are a sign of damage.
    if (letters.length !== text.length && /[^A-Za-z0-9+/=\r\n\t ]/.test(text)) this.#isBroken = true;
    if (!letters.includes('=')) return this.#decode(letters);
    const pieces: Uint8Array[] = [];
    let from = 0;
    while (from < letters.length) {
      const padding = letters.indexOf('=', from);
      pieces.push(this.#decode(letters.slice(from, padding < 0 ? letters.length : padding)));
      if (padding < 0) break;
      pieces.push(this.end());
      from = padding + 1;
    }
    return Buffer.concat(pieces);
  }

  end(): Uint8Array {
    const rest = this.#held;
    this.#held = '';
    if (rest.length === 1) this.#isBroken = true; // six bits are no octet
    return rest.length < 2 ? NOTHING : Buffer.from(rest, 'base64');
  }

  #decode(letters: string): Uint8Array {
    const all = this.#held + letters;
    const whole = all.length - (all.length % 4);
    this.#held = all.slice(whole);
    return whole === 0 ? NOTHING : Buffer.from(all.slice(0, whole), 'base64');
  }
}

/** RFC 2045 §6.7. An `=` that begins nothing stands for itself. */
class QuotedPrintableDecoder implements TransferDecoder {
  /** What began with the chunk before: spaces, a CR, or `=` and what followed. Bounded by MOST_SPACE_OCTETS. */
  #held: Uint8Array = NOTHING;
  #isBroken = false;

  get isBroken(): boolean {
    return this.#isBroken;
  }

  write(chunk: Uint8Array): Uint8Array {
    return this.#decode(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false);
  }

  end(): Uint8Array {
    return this.#decode(this.#held, true);
  }

  #decode(octets: Uint8Array, isLast: boolean): Uint8Array {
    const out = new Uint8Array(octets.length);
    let length = 0;
    let at = 0;
    this.#held = NOTHING;
    while (at < octets.length) {
      const octet = octets[at]!;
      let next = octet === EQUALS ? escapeEnd(octets, at) : isSpace(octet) ? spaceEnd(octets, at) : at + 1;
      if (next === undefined && !isLast) {
        this.#held = new Uint8Array(octets.subarray(at)); // a copy: the chunk is its maker's
        break;
      }
      if (octet === EQUALS) {
        if (next === undefined && at + 1 < octets.length && isHex(octets[at + 1]!)) next = at + 1;
        const value = next === at + 3 ? hexValue(octets, at + 1) : -1;
        if (value >= 0) out[length++] = value;
        else if (next === at + 1) {
          this.#isBroken = true;
          out[length++] = octet;
        }
        at = next ?? octets.length;
        continue;
      }
      // Spaces before a line end are dropped, and so are those before the end of all.
      const end = next ?? octets.length;
      const isTrailing =
        isSpace(octet) && (next === undefined || (isLineEnd(octets, end) && end - at < MOST_SPACE_OCTETS));
      if (!isTrailing) for (let from = at; from < end; from += 1) out[length++] = octets[from]!;
      at = end;
    }
    return out.subarray(0, length);
  }
}

/**
 * Where what `=` begins ends: behind two hexadecimal digits, or a soft line break with the spaces before it.
 * `at + 1` where it begins nothing; undefined where the octets end too early to say.
 */
function escapeEnd(octets: Uint8Array, at: number): number | undefined {
  const first = octets[at + 1];
  if (first === undefined) return undefined;
  if (isHex(first)) {
    const second = octets[at + 2];
    if (second === undefined) return undefined;
    return isHex(second) ? at + 3 : at + 1;
  }
  let end = at + 1;
  while (end < octets.length && end - at < MOST_SPACE_OCTETS && isSpace(octets[end]!)) end += 1;
  if (octets[end] === LF) return end + 1;
  if (octets[end] === CR) return octets[end + 1] === LF ? end + 2 : octets[end + 1] === undefined ? undefined : at + 1;
  return end >= octets.length ? undefined : at + 1;
}

/** Where a run of spaces ends; undefined where the octets do, so that what follows is not known. */
function spaceEnd(octets: Uint8Array, at: number): number | undefined {
  let end = at;
  while (end < octets.length && end - at < MOST_SPACE_OCTETS && isSpace(octets[end]!)) end += 1;
  if (end - at === MOST_SPACE_OCTETS) return end;
  if (end === octets.length) return undefined;
  return octets[end] === CR && end + 1 === octets.length ? undefined : end;
}

const isSpace = (octet: number): boolean => octet === 0x20 || octet === 0x09;
const isLineEnd = (octets: Uint8Array, at: number): boolean =>
  octets[at] === LF || (octets[at] === CR && octets[at + 1] === LF);
const isHex = (octet: number): boolean => hexDigit(octet) >= 0;
const hexValue = (octets: Uint8Array, at: number): number =>
  isHex(octets[at]!) && isHex(octets[at + 1]!) ? hexDigit(octets[at]!) * 16 + hexDigit(octets[at + 1]!) : -1;

/** Lower case is what RFC 2045 §6.7 lets a robust decoder take. */
function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet & 0xdf;
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x37 : -1;
}

const latin1 = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
