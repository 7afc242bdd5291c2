/**
 * Finds the structure of a message as it streams by: RFC 2045, RFC 2046 §5, RFC 5322 §2.1. The same however the message is
 * cut; never refuses, never throws, takes linear time and bounded memory.
 *
 * A line ends at LF, with or without CR before it. A header section ends with an empty line, with a delimiter of a multipart
 * around it, or with the message. The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1), even if it is
 * the empty line behind a header section. A multipart without its last delimiter ends where what is around it ends. Only
 * with MIME-Version or Content-Type, or in a multipart, is a header section MIME's (RFC 2045 §4).
 *
 * Limits: MAX_DEPTH and MAX_PARTS; what would go beyond stays unparsed and is told as application/octet-stream, and behind the
 * last part delimiters are content. The same is told of encoded messages, which MIME forbids (RFC 2045 §6.4) or which
 * would have to be decoded (RFC 6532 §3.5). Fields that are too much to hold are as if they were not there (FieldCollector).
 */
import { bodyStructure } from './body-structure.ts';
import { Boundaries, MAX_DELIMITER_OCTETS, type Match } from './boundaries.ts';
import { MAX_HEADER_OCTETS } from './field-collector.ts';
import { type Limits, OpenPart } from './open-part.ts';
import type { HeaderValues, Structure } from './structure.ts';

/** Messages and multiparts within each other, the message itself counted. */
export const MAX_DEPTH = 100;
/** Parts in all, messages within messages counted, stand-ins not. */
export const MAX_PARTS = 10_000;
/** Addresses in all envelopes. */
const MAX_ADDRESSES = 20_000;
/** Header fields held in all. */
const MAX_FIELD_OCTETS = 4 * 1024 * 1024;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const DASH = 0x2d;
const NOTHING = new Uint8Array(0);

export class StructureParser {
  readonly #limits: Limits = {
    budget: { octets: MAX_FIELD_OCTETS },
    allowance: { addresses: MAX_ADDRESSES, steps: 0 },
  };
  readonly #boundaries = new Boundaries<OpenPart>();
  readonly #message = new OpenPart('message', 0, this.#limits);
  /** The parts that are open, each within the one before. */
  readonly #open: OpenPart[] = [this.#message];
  #parts = 1;
  #inHeader = true;
  #values: HeaderValues = {};
  /** Octets and LFs up to the beginning of the current line, and how long the line end just before it is. */
  #lineStart = 0;
  #lfs = 0;
  #lastLineEnd: 0 | 1 | 2 = 0;
  /** That line end is of a delimiter which a part follows. */
  #afterDelimiter = false;
  /** The beginning of a line whose end has not come: as much of it as may be needed, and how long it is by now. */
  #held: Uint8Array = NOTHING;
  #heldOctets = 0;
  #lineOctets = 0;
  /** Of that line: CR is the last octet, or stands before the LF that is; and LF is. */
  #endsWithCr = false;
  #endsWithLf = false;
  #steps = 0;

  /** What it cost so far: octets looked at, each time that one was. Grows with the message, whatever that is. */
  get steps(): number {
    return this.#steps + this.#boundaries.steps + this.#limits.allowance.steps;
  }

  /** @param chunk  the next octets; not kept */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf + 1;
      this.#steps += end - at;
      if (lf >= 0 && this.#lineOctets === 0) {
        const lineEnd = lf > at && chunk[lf - 1] === CR ? 2 : 1;
        if (this.#inHeader || chunk[at] === DASH) this.#line(chunk.subarray(at, end), end - at, lineEnd);
        else this.#passed(this.#lineStart + end - at, lineEnd); // most lines of most messages
      } else {
        this.#hold(chunk.subarray(at, end));
        if (lf >= 0) this.#heldLine();
      }
      at = end;
    }
  }

  /** The message has ended. Nothing may be pushed any more. */
  end(): Structure {
    if (this.#lineOctets > 0) this.#heldLine();
    this.#close(0, this.#lineStart, this.#lfs);
    this.#message.end(this.#lineStart, this.#lfs);
    const described = this.#message.describe();
    return {
      sizeOctets: this.#lineStart,
      message: this.#message.toPart(),
      envelope: wire(this.#message.envelope),
      body: wire(bodyStructure(described, false)),
      bodyStructure: wire(bodyStructure(described, true)),
      header: this.#values,
    };
  }

  #hold(piece: Uint8Array): void {
    const most = this.#inHeader ? MAX_HEADER_OCTETS : MAX_DELIMITER_OCTETS;
    const taken = piece.subarray(0, Math.max(0, most - this.#heldOctets));
    if (this.#heldOctets + taken.length > this.#held.length) {
      const larger = new Uint8Array(Math.min(most, 2 * (this.#heldOctets + taken.length)));
      larger.set(this.#held.subarray(0, this.#heldOctets));
      this.#held = larger;
    }
    this.#held.set(taken, this.#heldOctets);
    this.#heldOctets += taken.length;
    this.#lineOctets += piece.length;
    const last = piece[piece.length - 1];
    const beforeLast = piece.length > 1 ? piece[piece.length - 2] === CR : this.#endsWithCr;
    this.#endsWithCr = last === LF ? beforeLast : last === CR;
    this.#endsWithLf = last === LF;
  }

  #heldLine(): void {
    const head = this.#held.subarray(0, this.#heldOctets);
    const lineEnd = this.#endsWithLf ? (this.#endsWithCr ? 2 : 1) : 0;
    this.#line(head, this.#lineOctets, lineEnd);
    this.#heldOctets = 0;
    this.#lineOctets = 0;
    this.#endsWithCr = false;
    if (!this.#inHeader) this.#held = NOTHING;
  }

  /** @param head  the line with its end; of a long one the beginning, as `#hold` takes it */
  #line(head: Uint8Array, octets: number, lineEnd: 0 | 1 | 2): void {
    const delimiter = this.#delimiter(head);
    const next = this.#lineStart + octets;
    if (delimiter !== undefined) this.#end(delimiter, next);
    else if (this.#inHeader && octets === lineEnd) this.#endHeader(next, this.#lfs + 1);
    else if (this.#inHeader) this.#headerLine(head, octets, lineEnd);
    this.#passed(next, lineEnd);
    this.#afterDelimiter = delimiter !== undefined && !delimiter.closes;
  }

  #passed(next: number, lineEnd: 0 | 1 | 2): void {
    this.#lineStart = next;
    if (lineEnd > 0) this.#lfs += 1;
    this.#lastLineEnd = lineEnd;
    this.#afterDelimiter = false;
  }

  #headerLine(head: Uint8Array, octets: number, lineEnd: number): void {
    const fields = this.#open.at(-1)!.fields!;
    const isCut = octets > MAX_HEADER_OCTETS; // whether the chunks made it so or not
    const line = isCut ? head : head.subarray(0, octets - lineEnd);
    this.#steps += line.length;
    if (line[0] === SP || line[0] === TAB) fields.fold(line);
    else fields.begin(line);
    if (isCut) fields.drop();
  }

  /** The delimiter that the line is: one that would open a part too many is none. */
  #delimiter(line: Uint8Array): Match<OpenPart> | undefined {
    const match = this.#boundaries.match(line);
    return match !== undefined && !match.closes && this.#parts >= MAX_PARTS ? undefined : match;
  }

  /** @param next  where the line behind it begins */
  #end({ owner, closes }: Match<OpenPart>, next: number): void {
    const isOwn = !this.#afterDelimiter && this.#lastLineEnd > 0; // the line end before it is
    const end = this.#lineStart - (isOwn ? this.#lastLineEnd : 0);
    this.#close(this.#open.indexOf(owner), end, this.#lfs - (isOwn ? 1 : 0));
    if (closes) this.#boundaries.close(owner);
    else this.#begin(new OpenPart(owner.partRole, next, this.#limits), owner);
  }

  /** Ends all that is open within the part at that depth. */
  #close(depth: number, end: number, lfs: number): void {
    while (this.#inHeader) this.#endHeader(end, lfs);
    while (this.#open.length > depth + 1) {
      const part = this.#open.pop()!;
      this.#boundaries.close(part);
      part.end(end, lfs);
    }
  }

  #begin(part: OpenPart, around: OpenPart): void {
    around.children.push(part);
    this.#open.push(part);
    this.#parts += 1;
    this.#inHeader = true;
  }

  #endHeader(body: number, lfs: number): void {
    const part = this.#open.at(-1)!;
    part.body = body;
    part.linesBefore = lfs;
    this.#inHeader = false;
    const values = part.understand(this.#open.length < MAX_DEPTH && this.#parts < MAX_PARTS);
    if (part === this.#message) this.#values = values;
    if (part.boundary !== undefined) this.#boundaries.open(part, part.boundary);
    if (part.kind === 'message') this.#begin(new OpenPart('message', body, this.#limits), part);
  }
}

const wire = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
