/**
 * A header section with only some of its fields, octet-exact, as it streams by: HEADER.FIELDS and HEADER.FIELDS.NOT
 * (RFC 9051 §6.4.5.1). Names are compared without case and, beyond that, exactly; the spaces that obsolete syntax lets stand
 * before the colon (RFC 5322 §4.5) are no part of them. The empty line at the end is always kept where there is one.
 *
 * A line that is no field, and the lines folded behind it, go with what has not one of the names.
 */
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** A name with more space than that before its colon is not recognised. */
const MAX_SPACES = 256;

export class FieldFilter {
  readonly #names: ReadonlySet<string>;
  readonly #keepsNamed: boolean;
  readonly #mostHeld: number;
  /** The beginning of a line, while it can't be told what becomes of it. */
  #head: number[] | undefined = [];
  /** What becomes of the line, and of those folded behind it. */
  #keeps: boolean;

  /** @param not  keep all but these: HEADER.FIELDS.NOT */
  constructor(names: readonly string[], not: boolean) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
    this.#keepsNamed = !not;
    this.#keeps = not;
    this.#mostHeld = Math.max(1, ...names.map((name) => name.length)) + MAX_SPACES;
  }

  /** @param chunk  the next octets of a header section, and of nothing behind it */
  push(chunk: Uint8Array): Uint8Array {
    const out = new Uint8Array((this.#head?.length ?? 0) + chunk.length);
    let size = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#head !== undefined) {
        size += this.#judge(chunk[at]!, out, size);
        at += 1;
        continue;
      }
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf + 1;
      if (this.#keeps) {
        out.set(chunk.subarray(at, end), size);
        size += end - at;
      }
      if (lf >= 0) this.#head = [];
      at = end;
    }
    return out.subarray(0, size);
  }

  /** What was still held: a last line without a colon or an end. */
  end(): Uint8Array {
    const head = this.#head ?? [];
    this.#head = [];
    return Uint8Array.from(head.length > 0 && !this.#keepsNamed ? head : []);
  }

  /** One octet more at a line's beginning. @returns how many octets went out */
  #judge(octet: number, out: Uint8Array, size: number): number {
    const head = this.#head!;
    head.push(octet);
    if (head.length === 1 && (octet === SP || octet === TAB)) return this.#settle(this.#keeps, out, size);
    if (octet === COLON) return this.#settle(this.#isNamed(head) === this.#keepsNamed, out, size);
    if (octet === LF) {
      const isEmpty = head.length === 1 || (head.length === 2 && head[0] === CR);
      const given = this.#settle(isEmpty || !this.#keepsNamed, out, size);
      this.#head = [];
      return given;
    }
    return head.length > this.#mostHeld ? this.#settle(!this.#keepsNamed, out, size) : 0;
  }

  #settle(keeps: boolean, out: Uint8Array, size: number): number {
    const head = this.#head!;
    this.#head = undefined;
    this.#keeps = keeps;
    if (!keeps) return 0;
    out.set(head, size);
    return head.length;
  }

  #isNamed(head: readonly number[]): boolean {
    let end = head.length - 1;
    while (end > 0 && (head[end - 1] === SP || head[end - 1] === TAB)) end -= 1;
    return this.#names.has(String.fromCharCode(...head.slice(0, end)).toLowerCase());
  }
}

/** A whole header section at once. */
export function headerFields(headerOctets: Uint8Array, names: readonly string[], not: boolean): Uint8Array {
  const filter = new FieldFilter(names, not);
  return new Uint8Array(Buffer.concat([filter.push(headerOctets), filter.end()]));
}
