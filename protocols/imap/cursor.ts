/**
 * The tokens of IMAP (RFC 9051 §9), read from left to right out of a command that is already cut. Knows no command. Never throws on
 * input: what does not fit gives undefined, and the first such flaw is remembered for the answer.
 *
 * Strings are one character for each octet, as the text is; only `text` and what builds on it is Unicode. Each call is linear in
 * what it reads.
 */
import { utf8 } from '../wire/text.ts';
import type { Flaw } from './command.ts';
import { canonicalFlag } from './flag.ts';
import type { CutLiteral, CutText } from './literals.ts';
import { parseSequenceSet, type SequenceSet } from './sequence-set.ts';

const MAX_NUMBER = 4_294_967_295;
/** `number64`: 63 bits. */
const MAX_NUMBER64 = 2n ** 63n - 1n;
/** Lists that have no better limit. */
const MAX_ITEMS = 1000;

export class Cursor {
  readonly #text: string;
  readonly #literals: readonly CutLiteral[];
  #at: number;
  #nextLiteral = 0;
  #flaw: Flaw | undefined;

  constructor({ text, literals }: CutText, at = 0) {
    this.#text = text;
    this.#literals = literals;
    this.#at = at;
  }

  /** The first thing that did not fit. */
  get flaw(): Flaw | undefined {
    return this.#flaw;
  }

  fail(flaw: Flaw): undefined {
    this.#flaw ??= flaw;
    return undefined;
  }

  /** Nothing fits here; at the end there is nothing at all. */
  #lacks(flaw: Flaw): undefined {
    return this.fail(this.#at >= this.#text.length ? 'an argument is missing' : flaw);
  }

  /** At the end of the command; spaces before it are let pass, which some clients send. */
  get isAtEnd(): boolean {
    let at = this.#at;
    while (this.#text[at] === ' ') at += 1;
    return at >= this.#text.length;
  }

  /** Does this text, in any case, come next? */
  isNext(text: string): boolean {
    return this.#text.slice(this.#at, this.#at + text.length).toUpperCase() === text;
  }

  /** Is the next character one of these? */
  isNextOf(characters: string): boolean {
    return this.#at < this.#text.length && characters.includes(this.#text[this.#at]!);
  }

  /** Goes past this text if it comes next. */
  takes(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#at += text.length;
    return true;
  }

  /** `SP`: exactly one (RFC 9051 §9, note 2). */
  space(): true | undefined {
    return this.takes(' ') || this.#lacks('a space was expected');
  }

  opens(): true | undefined {
    return this.takes('(') || this.#lacks('a parenthesis was expected');
  }

  closes(): true | undefined {
    return this.takes(')') || this.#lacks('a parenthesis was expected');
  }

  /** `atom = 1*ATOM-CHAR`. */
  atom(): string | undefined {
    return this.#span(isAtomChar) ?? this.#lacks('an atom was expected');
  }

  /** An atom in upper case, for words that have no case. */
  word(): string | undefined {
    return this.atom()?.toUpperCase();
  }

  /** The name of a data item, in upper case: letters, digits, dots and hyphens; what follows, as `[` or `<`, is not of it. */
  itemName(): string | undefined {
    return this.#span(isNameChar)?.toUpperCase() ?? this.#lacks('an atom was expected');
  }

  /** `number`: 32 bits. */
  number(): number | undefined {
    return this.#numberUpTo(MAX_NUMBER);
  }

  /** `nz-number`: 32 bits, not 0, without a leading 0. */
  nzNumber(): number | undefined {
    return this.isNextOf('0') ? this.fail('a number was expected') : this.number();
  }

  /** `number64`: 63 bits; what no number of JavaScript holds exactly becomes the largest one that is. */
  number64(): number | undefined {
    const digits = this.#span(isDigit);
    if (digits === undefined) return this.#lacks('a number was expected');
    if (digits.length > 40 || BigInt(digits) > MAX_NUMBER64) {
      return this.fail('a number was expected');
    }
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  /** `astring = 1*ASTRING-CHAR / string`. */
  astring(): string | undefined {
    return this.#wordOrString(isAstringChar);
  }

  /** `list-mailbox = 1*list-char / string`. */
  listMailbox(): string | undefined {
    return this.#wordOrString(isListChar);
  }

  /** `~`, which begins a literal8, may begin a word too. */
  #wordOrString(belongs: (code: number) => boolean): string | undefined {
    const isLiteral = this.#literals[this.#nextLiteral]?.at === this.#at;
    return (isLiteral ? undefined : this.#span(belongs)) ?? this.string();
  }

  /** `string = quoted / literal`. */
  string(): string | undefined {
    if (this.isNextOf('"')) return this.#quoted();
    const literal = this.#literalHere();
    if (literal === undefined) return this.#lacks('a string was expected');
    if (literal.binary) return this.fail('a literal stands where none may');
    if (literal.octets.includes(0)) return this.fail('NUL in a string');
    return characters(literal.octets);
  }

  /** `nstring = string / nil`. */
  nstring(): string | null | undefined {
    return this.#nil() ? null : this.string();
  }

  /** `nstring / literal8`: whatever octets they are. */
  octetsOrNil(): Uint8Array | null | undefined {
    const literal = this.#literals[this.#nextLiteral]?.at === this.#at ? this.#literalHere() : undefined;
    if (literal?.binary) return literal.octets;
    if (literal !== undefined) return literal.octets.includes(0) ? this.fail('NUL in a string') : literal.octets;
    const text = this.nstring();
    return typeof text === 'string' ? octetsOf(text) : text;
  }

  /** An astring that is Unicode: UTF-8 (RFC 9051 §4.3). */
  text(): string | undefined {
    return this.unicode(this.astring());
  }

  /** A name that is told to others: Unicode without controls. */
  name(): string | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    return /\p{Cc}/u.test(text) ? this.fail('a control character in a name') : text;
  }

  /** A string of characters that are octets, as Unicode. */
  unicode(string: string | undefined): string | undefined {
    if (string === undefined || !/[\x80-\xff]/.test(string)) return string;
    return utf8(octetsOf(string)) ?? this.fail('text must be UTF-8');
  }

  /** `flag = "\" atom / atom` (RFC 9051 §9), system flags in canonical case. */
  flag(): string | undefined {
    const backslash = this.takes('\\') ? '\\' : '';
    const atom = this.#span(isAtomChar);
    return atom === undefined ? this.#lacks('a flag was expected') : canonicalFlag(backslash + atom);
  }

  sequenceSet(): SequenceSet | undefined {
    const text = this.#span(isSetChar);
    if (text === undefined) return this.#lacks('a sequence set was expected');
    const set = parseSequenceSet(text);
    return set ?? this.fail('a sequence set was expected');
  }

  /** `"(" item *(SP item) ")"`, or also `"()"` where `mayBeEmpty`. */
  list<T>(item: () => T | undefined, { mayBeEmpty = false, most = MAX_ITEMS } = {}): T[] | undefined {
    if (!this.opens()) return undefined;
    if (mayBeEmpty && this.takes(')')) return [];
    const items: T[] = [];
    do {
      const one = item();
      if (one === undefined) return undefined;
      if (items.push(one) > most) return this.fail('too many arguments in a list');
    } while (this.takes(' '));
    return this.closes() && items;
  }

  /** Characters one after another, at least one. */
  #span(belongs: (code: number) => boolean): string | undefined {
    const start = this.#at;
    let end = start;
    while (end < this.#text.length && belongs(this.#text.charCodeAt(end))) end += 1;
    if (end === start) return undefined;
    this.#at = end;
    return this.#text.slice(start, end);
  }

  #numberUpTo(most: number): number | undefined {
    const digits = this.#span(isDigit);
    if (digits === undefined) return this.#lacks('a number was expected');
    const number = Number(digits);
    return number <= most ? number : this.fail('a number was expected');
  }

  /** `quoted = DQUOTE *QUOTED-CHAR DQUOTE`; UTF-8 may stand in it (RFC 9051 §9), and is not looked at here. */
  #quoted(): string | undefined {
    let content = '';
    let from = this.#at + 1;
    for (let at = from; at < this.#text.length; at += 1) {
      const character = this.#text[at];
      if (character === '"') {
        this.#at = at + 1;
        return content + this.#text.slice(from, at);
      }
      if (character === '\r') break; // a literal's head stood before the quote's end
      if (character !== '\\') continue;
      const escaped = this.#text[at + 1];
      if (escaped !== '"' && escaped !== '\\') return this.fail('only " and \\ are escaped in a string');
      content += this.#text.slice(from, at);
      from = at + 1;
      at += 1;
    }
    return this.fail('a string has no end');
  }

  #literalHere(): CutLiteral | undefined {
    // Literals that lie before were never asked for: the grammar has failed there already.
    const literal = this.#literals[this.#nextLiteral];
    if (literal === undefined || literal.at !== this.#at) return undefined;
    this.#nextLiteral += 1;
    this.#at = literal.end;
    return literal;
  }

  #nil(): boolean {
    if (!this.isNext('NIL')) return false;
    const after = this.#text[this.#at + 3];
    if (after !== undefined && after !== ' ' && after !== ')') return false;
    this.#at += 3;
    return true;
  }
}

export const octetsOf = (characters: string): Uint8Array => Buffer.from(characters, 'latin1');
const characters = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
const isNameChar = (code: number): boolean => isLetter(code) || isDigit(code) || code === 0x2e || code === 0x2d;
/** Digits, `:`, `,`, `*` and `$`. */
const isSetChar = (code: number): boolean =>
  isDigit(code) || code === 0x3a || code === 0x2c || code === 0x2a || code === 0x24;

/** `ATOM-CHAR = <any CHAR except atom-specials>`: no controls, spaces, or any of `(){%*"\]`; 7 bits (RFC 9051 §9). */
function isAtomChar(code: number): boolean {
  if (code <= 0x20 || code >= 0x7f) return false;
  switch (code) {
    case 0x22: // "
    case 0x25: // %
    case 0x28: // (
    case 0x29: // )
    case 0x2a: // *
    case 0x5c: // \
    case 0x5d: // ]
    case 0x7b: // {
      return false;
    default:
      return true;
  }
}
/** `ASTRING-CHAR = ATOM-CHAR / resp-specials`. */
export const isAstringChar = (code: number): boolean => isAtomChar(code) || code === 0x5d;
/** `list-char = ATOM-CHAR / list-wildcards / resp-specials`. */
const isListChar = (code: number): boolean => isAstringChar(code) || code === 0x25 || code === 0x2a;
