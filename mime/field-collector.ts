/**
 * The wanted fields of one header section, line by line: RFC 5322 §2.2. Values are unfolded (§2.2.3) latin1 text, one
 * character an octet, without the spaces around them; a CR within is a space, and NUL, which no IMAP string can hold, becomes
 * U+FFFD in UTF-8. Holds no more than its budget: a field that is over it is as if it were not there.
 */
const COLON = 0x3a;
const SP = 0x20;
const TAB = 0x09;
const LONGEST_NAME = 40;

/** What is left to hold, in octets; one for each message, shared by its header sections. */
export type Budget = { octets: number };

/** The most that the fields of one header section hold. */
export const MAX_HEADER_OCTETS = 256 * 1024;

export class FieldCollector {
  readonly #wanted: ReadonlySet<string>;
  readonly #budget: Budget;
  readonly #values = new Map<string, string[]>();
  #left: number;
  /** The wanted field that goes on, piece by piece. */
  #open: { readonly name: string; pieces: string[] } | undefined;

  /** @param wanted  lower-case names */
  constructor(wanted: ReadonlySet<string>, budget: Budget) {
    this.#wanted = wanted;
    this.#budget = budget;
    this.#left = Math.min(MAX_HEADER_OCTETS, budget.octets);
  }

  /** The first line of a field, or what stands in its place; without its end. */
  begin(line: Uint8Array): void {
    this.#close();
    const colon = line.subarray(0, LONGEST_NAME).indexOf(COLON);
    if (colon < 0) return;
    let end = colon;
    while (end > 0 && isBlank(line[end - 1])) end -= 1; // `obs-` fields: RFC 5322 §4.5
    const name = latin1(line.subarray(0, end)).toLowerCase();
    if (!this.#wanted.has(name)) return;
    this.#open = { name, pieces: [] };
    this.#add(line.subarray(colon + 1));
  }

  /** A further line of the same field, with the space that it begins with. */
  fold(line: Uint8Array): void {
    if (this.#open !== undefined) this.#add(line);
  }

  /** Forgets the field that goes on: a line of it was longer than what was given of it, or it is more than may be held. */
  drop(): void {
    for (const piece of this.#open?.pieces ?? []) this.#take(-piece.length);
    this.#open = undefined;
  }

  end(): void {
    this.#close();
  }

  first(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  last(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  #add(piece: Uint8Array): void {
    if (piece.length > this.#left) {
      this.drop();
      return;
    }
    this.#take(piece.length);
    this.#open?.pieces.push(latin1(piece));
  }

  #take(octets: number): void {
    this.#left -= octets;
    this.#budget.octets -= octets;
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { name, pieces } = this.#open;
    this.#open = undefined;
    const value = trimmed(pieces.join('').replaceAll('\r', ' ')).replaceAll('\0', '\xef\xbf\xbd');
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }
}

const isBlank = (octet: number | undefined): boolean => octet === SP || octet === TAB;

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}

/** In linear time, as no regular expression would be. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text[from] === ' ' || text[from] === '\t')) from += 1;
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to -= 1;
  return text.slice(from, to);
}
