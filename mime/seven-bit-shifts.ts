/**
 * Charsets that write two-octet characters in seven bits by shifting in and out of them: ISO-2022-KR (RFC 1557) and HZ
 * (RFC 1843). Taken back to the eight-bit form that decoders know, EUC-KR and GBK; the same however it is cut.
 */
const ESC = 0x1b;
const SO = 0x0e;
const SI = 0x0f;
const LF = 0x0a;
const TILDE = 0x7e;
/** `ESC $ ) C`: says once, at the beginning, what SO shifts to (RFC 1557, formal syntax). */
const KR_DESIGNATOR = [ESC, 0x24, 0x29, 0x43];

/** Takes the shifts out of what streams by, and gives each shifted octet its high bit. */
export interface Shifts {
  write(octets: Uint8Array): Uint8Array;
  /** What was held: the beginning of a sequence that never ended. */
  end(): Uint8Array;
}

export class KoreanShifts implements Shifts {
  #shifted = false;
  #matched = 0;

  write(octets: Uint8Array): Uint8Array {
    const out = new Octets(octets.length + KR_DESIGNATOR.length);
    for (const octet of octets) {
      if (this.#matched > 0 && octet === KR_DESIGNATOR[this.#matched]) {
        this.#matched = (this.#matched + 1) % KR_DESIGNATOR.length;
        continue;
      }
      this.#giveBack(out);
      if (octet === ESC) this.#matched = 1;
      else if (octet === SO || octet === SI) this.#shifted = octet === SO;
      else out.add(this.#shifted && octet > 0x20 ? octet | 0x80 : octet);
      if (octet === LF) this.#shifted = false; // each line begins unshifted
    }
    return out.taken();
  }

  end(): Uint8Array {
    const out = new Octets(KR_DESIGNATOR.length);
    this.#giveBack(out);
    return out.taken();
  }

  /** What looked like the designator was not. */
  #giveBack(out: Octets): void {
    for (let n = 0; n < this.#matched; n += 1) out.add(KR_DESIGNATOR[n]!);
    this.#matched = 0;
  }
}

export class ChineseShifts implements Shifts {
  #shifted = false;
  #afterTilde = false;

  write(octets: Uint8Array): Uint8Array {
    const out = new Octets(octets.length + 1);
    for (const octet of octets) {
      if (this.#afterTilde) this.#escape(octet, out);
      else if (octet === TILDE) this.#afterTilde = true;
      else out.add(this.#shifted && octet > 0x20 ? octet | 0x80 : octet);
      if (octet === LF) this.#shifted = false; // RFC 1843: a line end is ASCII again
    }
    return out.taken();
  }

  end(): Uint8Array {
    const held = this.#afterTilde;
    this.#afterTilde = false;
    return Uint8Array.from(held ? [TILDE] : []);
  }

  /** `~{` shifts, `~}` shifts back, `~~` is a tilde, and a tilde before a line end joins two lines (RFC 1843). */
  #escape(octet: number, out: Octets): void {
    this.#afterTilde = false;
    if (octet === 0x7b) this.#shifted = true;
    else if (octet === 0x7d) this.#shifted = false;
    else if (octet === TILDE) out.add(TILDE);
    else if (octet !== LF) {
      out.add(TILDE);
      out.add(this.#shifted && octet > 0x20 ? octet | 0x80 : octet);
    }
  }
}

class Octets {
  readonly #octets: Uint8Array;
  #length = 0;

  constructor(most: number) {
    this.#octets = new Uint8Array(most);
  }

  add(octet: number): void {
    this.#octets[this.#length] = octet;
    this.#length += 1;
  }

  taken(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }
}
