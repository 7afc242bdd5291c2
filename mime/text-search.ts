/**
 * Strings looked for in text that streams by, case-insensitively under `i;unicode-casemap` (RFC 5051, RFC 9051 §6.4.4):
 * many at once, also across the ends of chunks, without keeping the text. Time grows with the text and the strings added,
 * never multiplied, whatever either looks like.
 */
import { casemap } from './casemap.ts';

/** Few, short strings are left to `includes`, which is much the fastest; its worst case is their length times the text. */
const SHORT_UNITS = 64;

interface Matcher {
  /** One step of making it ready; true: there is more to do. */
  prepare(): boolean;
  /** Text in the form of `casemap`; marks in `found` what it has. @returns how many it marked */
  write(text: string, found: Uint8Array): number;
  /** What follows does not continue what was written. */
  reset(): void;
  /** And nothing has been found yet. */
  restart(): void;
}

export class TextSearch {
  readonly #matcher: Matcher;
  readonly #found: Uint8Array;
  /** What is found before any text is: the empty strings. */
  readonly #first: Uint8Array;
  #left: number;
  /** A high surrogate whose other half is in the next chunk. */
  #held = '';

  /** @param strings  as the client sent them, decoded. The empty string is in every text, an empty one too. */
  constructor(strings: readonly string[]) {
    const needles = strings.map(casemap);
    const units = needles.reduce((sum, needle) => sum + needle.length, 0);
    this.#first = Uint8Array.from(needles, (needle) => (needle === '' ? 1 : 0));
    this.#found = Uint8Array.from(this.#first);
    this.#left = count(this.#found, 0);
    this.#matcher = units <= SHORT_UNITS ? new WindowMatcher(needles) : new AutomatonMatcher(needles);
  }

  /**
   * Does one step, of a millisecond or two at most, of what long strings need before they can be looked for; true: there is
   * more to do. Whoever must not be held up calls it until there is not; `write` else does all that is left.
   */
  prepare(): boolean {
    return this.#matcher.prepare();
  }

  /** All strings have been found: the rest of the text need not be read. */
  get done(): boolean {
    return this.#left === 0;
  }

  /** How many have not been found. */
  get left(): number {
    return this.#left;
  }

  /** Has the string at this place of the constructor's list been found? */
  isFound(index: number): boolean {
    return this.#found[index] === 1;
  }

  write(text: string): void {
    if (this.#left === 0) return;
    let whole = this.#held + text;
    const isCut = (whole.charCodeAt(whole.length - 1) & 0xfc00) === 0xd800;
    this.#held = isCut ? whole.slice(-1) : '';
    if (isCut) whole = whole.slice(0, -1);
    if (whole === '') return;
    while (this.prepare());
    this.#left -= this.#matcher.write(casemap(whole), this.#found);
  }

  /** Between two texts, so that nothing is found half in one and half in the other. What was found stays found. */
  endText(): void {
    this.#held = '';
    this.#matcher.reset();
  }

  /** For another text, of which nothing has been found yet: much less than to begin with the strings anew. */
  restart(): void {
    this.#held = '';
    this.#found.set(this.#first);
    this.#left = count(this.#found, 0);
    this.#matcher.restart();
  }
}

/** Each string is looked for in the chunk together with the end of the text before. */
class WindowMatcher implements Matcher {
  readonly #needles: readonly string[];
  readonly #overlap: number;
  #tail = '';

  constructor(needles: readonly string[]) {
    this.#needles = needles;
    this.#overlap = Math.max(0, ...needles.map((needle) => needle.length - 1));
  }

  prepare(): boolean {
    return false;
  }

  write(text: string, found: Uint8Array): number {
    const window = this.#tail + text;
    let marked = 0;
    for (const [index, needle] of this.#needles.entries()) {
      if (found[index] !== 0 || !window.includes(needle)) continue;
      found[index] = 1;
      marked += 1;
    }
    this.#tail = this.#overlap === 0 ? '' : window.slice(-this.#overlap);
    return marked;
  }

  reset(): void {
    this.#tail = '';
  }

  restart(): void {
    this.#tail = '';
  }
}

/** Units of strings that one step takes in. */
const STEP_UNITS = 2_048;

/** All strings at once, in one pass: the automaton of Aho and Corasick. State 0 is its root. */
class AutomatonMatcher implements Matcher {
  /** From a state and a UTF-16 unit (`state * 65536 + unit`) to the next; those from the root stand in `#first`. */
  readonly #next = new Map<number, number>();
  readonly #first = new Int32Array(0x10000);
  /** The state of the longest proper suffix that is a prefix of some string. */
  #fallback = new Int32Array(1);
  /** The strings that end in each state. */
  readonly #ends = new Map<number, number[]>();
  /** States whose strings, and those of their suffixes, have all been marked: they need no second look. */
  #told = new Uint8Array(1);
  /** The same, as a list, but for the root. */
  #toldStates: number[] = [];
  #state = 0;
  #growth: Iterator<undefined> | undefined;

  constructor(needles: readonly string[]) {
    this.#growth = this.#grow(needles);
  }

  prepare(): boolean {
    if (this.#growth?.next().done) this.#growth = undefined;
    return this.#growth !== undefined;
  }

  write(text: string, found: Uint8Array): number {
    let state = this.#state;
    let marked = 0;
    for (let at = 0; at < text.length; at += 1) {
      state = this.#step(state, text.charCodeAt(at));
      if (this.#told[state] === 0) marked += this.#tell(state, found);
    }
    this.#state = state;
    return marked;
  }

  reset(): void {
    this.#state = 0;
  }

  restart(): void {
    this.#state = 0;
    for (const state of this.#toldStates) this.#told[state] = 0;
    this.#toldStates = [];
  }

  #step(from: number, unit: number): number {
    let state = from;
    while (state !== 0) {
      const next = this.#next.get(state * 0x10000 + unit);
      if (next !== undefined) return next;
      state = this.#fallback[state]!;
    }
    return this.#first[unit]!;
  }

  #tell(from: number, found: Uint8Array): number {
    let marked = 0;
    for (let state = from; this.#told[state] === 0; state = this.#fallback[state]!) {
      this.#told[state] = 1;
      this.#toldStates.push(state);
      for (const index of this.#ends.get(state) ?? []) {
        if (found[index] === 0) marked += 1;
        found[index] = 1;
      }
    }
    return marked;
  }

  *#grow(needles: readonly string[]): Generator<undefined, undefined> {
    const parents = [0];
    const units = [0];
    const depths = [0];
    let steps = 0;
    for (const [index, needle] of needles.entries()) {
      let state = 0;
      for (let at = 0; at < needle.length; at += 1) {
        if (++steps % STEP_UNITS === 0) yield;
        const unit = needle.charCodeAt(at);
        let next = state === 0 ? this.#first[unit]! : (this.#next.get(state * 0x10000 + unit) ?? 0);
        if (next === 0) {
          next = parents.push(state) - 1;
          units.push(unit);
          depths.push(at + 1);
          if (state === 0) this.#first[unit] = next;
          else this.#next.set(state * 0x10000 + unit, next);
        }
        state = next;
      }
      const ends = this.#ends.get(state);
      if (ends === undefined) this.#ends.set(state, [index]);
      else ends.push(index);
    }
    yield* this.#findFallbacks(parents, units, depths);
    return undefined;
  }

  /** Shorter ones first: each state's fallback is shorter than itself, and is found by way of its parent's. */
  *#findFallbacks(
    parents: readonly number[],
    units: readonly number[],
    depths: readonly number[],
  ): Generator<undefined, undefined> {
    this.#fallback = new Int32Array(parents.length);
    this.#told = new Uint8Array(parents.length);
    this.#told[0] = 1;
    let steps = 0;
    for (const state of byDepth(depths)) {
      if (depths[state]! > 1) this.#fallback[state] = this.#step(this.#fallback[parents[state]!]!, units[state]!);
      if (++steps % STEP_UNITS === 0) yield;
    }
    return undefined;
  }
}

/** The states in the order of their depths, by counting how many there are of each. */
function byDepth(depths: readonly number[]): Int32Array {
  let deepest = 0;
  for (const depth of depths) deepest = Math.max(deepest, depth);
  const starts = new Int32Array(deepest + 2);
  for (const depth of depths) starts[depth + 1]! += 1;
  for (let depth = 0; depth < deepest; depth += 1) starts[depth + 1]! += starts[depth]!;
  const ordered = new Int32Array(depths.length);
  for (const [state, depth] of depths.entries()) ordered[starts[depth]!++] = state;
  return ordered;
}

function count(octets: Uint8Array, value: number): number {
  let found = 0;
  for (const octet of octets) if (octet === value) found += 1;
  return found;
}
