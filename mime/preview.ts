/**
 * The preview of a message: RFC 8970. The first 200 characters of what its sender wrote, as one line: quotations are
 * passed over unless there is nothing else. Streams, and says when it has enough.
 */
import { HtmlText } from './html-text.ts';
import { PartText, type TextPart } from './search-text.ts';
import type { Part } from './structure.ts';

/** RFC 8970 §3.3: SHOULD be no more than 200, MUST NOT be more than 256. */
const MOST_CHARACTERS = 200;
/** What is read of a part at most, decoded: a message that begins with a megabyte of quotation has no better preview. */
const MOST_UNITS_READ = 1_048_576;
const MOST_PARTS = 3;
/** Combining grapheme joiner, the fillers of Hangul, the inherent vowels of Khmer. */
const BLANKS = '\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5';
/** Zero width joiner: part of emoji. */
const JOINER = '\u200d';

/**
 * The parts that a preview may be made of, best first: plain text and HTML as they come, since the plain one of two
 * alternatives stands first (RFC 2046 §5.1.4). The next is for where one turns out to say nothing.
 */
export function previewParts(message: Part): Part[] {
  const parts: Part[] = [];
  const stack = [message];
  for (let part = stack.pop(); part !== undefined && parts.length < MOST_PARTS; part = stack.pop()) {
    const isShown = part.type === 'text/plain' || part.type === 'text/html';
    if (part.kind === 'leaf' && isShown && part.to > part.body) parts.push(part);
    for (let n = part.parts.length - 1; n >= 0; n -= 1) stack.push(part.parts[n]!);
  }
  return parts;
}

/** The octets of one part's body to a preview. Empty if there is nothing to show (RFC 8970 §3.2). */
export class Preview {
  readonly #part: PartText;
  readonly #html: HtmlText | undefined;
  readonly #written = new OneLine();
  readonly #quoted = new OneLine();
  /** Where in a line: before it, in the marks that a quotation begins with, behind them, or in what is none. */
  #place: 'begin' | 'marks' | 'quoted' | 'written' = 'begin';
  #unitsLeft = MOST_UNITS_READ;

  constructor(part: TextPart) {
    this.#part = new PartText(part);
    this.#html = part.type === 'text/html' ? new HtmlText() : undefined;
  }

  /** The rest need not be read. */
  get done(): boolean {
    return this.#written.isFull || this.#unitsLeft <= 0;
  }

  write(octets: Uint8Array): void {
    if (!this.done) this.#add(this.#part.write(octets));
  }

  end(): string {
    if (!this.done) this.#add(this.#part.end());
    if (this.#html !== undefined && !this.done) this.#addPlain(this.#html.end());
    return this.#written.text || this.#quoted.text;
  }

  #add(text: string): void {
    const read = text.slice(0, this.#unitsLeft);
    this.#unitsLeft -= read.length;
    this.#addPlain(this.#html === undefined ? read : this.#html.write(read));
  }

  /** A line that begins with `>` is a quotation (RFC 3676 §4.5). */
  #addPlain(text: string): void {
    for (let from = 0; from < text.length && !this.#written.isFull; ) {
      if (this.#place === 'begin') this.#place = text[from] === '>' ? 'marks' : 'written';
      if (this.#place === 'marks') {
        while (text[from] === '>' || text[from] === ' ') from += 1;
        if (from < text.length) this.#place = 'quoted';
      }
      const lf = text.indexOf('\n', from);
      const end = lf < 0 ? text.length : lf + 1;
      (this.#place === 'written' ? this.#written : this.#quoted).add(text.slice(from, end));
      if (lf >= 0) this.#place = 'begin';
      from = end;
    }
  }
}

/** Text with each run of white space and controls as one space, up to the length of a preview. */
class OneLine {
  text = '';
  #characters = 0;
  #isSpaceDue = false;

  get isFull(): boolean {
    return this.#characters >= MOST_CHARACTERS;
  }

  add(text: string): void {
    for (const character of text) {
      if (this.isFull) return;
      if (isInvisible(character)) {
        if (isSpacing(character)) this.#isSpaceDue = this.text !== '';
        continue;
      }
      if (this.#isSpaceDue) {
        this.#characters += 1;
        if (this.isFull) return; // a space at the end is none
        this.text += ' ';
      }
      this.#isSpaceDue = false;
      this.text += character;
      this.#characters += 1;
    }
  }
}

/** White space, controls, and the letters without a form that newsletters fill their beginning with. */
const isInvisible = (character: string): boolean =>
  (/[\s\p{C}]/u.test(character) || BLANKS.includes(character)) && character !== JOINER;
const isSpacing = (character: string): boolean => /[\s\0-\x1f]/.test(character);
