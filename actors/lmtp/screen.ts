/**
 * The last look at a message before it is delivered, as it streams by: its size and its header section's, what that
 * section holds above ASCII, and bare LFs. What may not pass breaks the iteration, so that whoever delivers it can only
 * throw it away.
 */
import { HeaderSection } from '../../mime/header-section.ts';
import { Utf8Watch } from '../../mime/utf8-watch.ts';
import type { Content } from '../session.ts';

export type Rules = {
  /** The largest message taken, as announced by SIZE (RFC 1870 §4). */
  readonly maxOctets: number;
  /** The largest header section, with the empty line that ends it; a message without one is all header. */
  readonly maxHeaderOctets: number;
  /** Clear the high bit of 8-bit octets in the header section instead of refusing the message. Not for SMTPUTF8. */
  readonly allow8bitheaders: boolean;
};

export type ContentRefusal = 'too-large' | 'header-too-large' | 'eight-bit-header' | 'header-not-utf8' | 'bare-lf';

export class ContentRefused extends Error {
  readonly refusal: ContentRefusal;
  constructor(refusal: ContentRefusal) {
    super(`message refused: ${refusal}`);
    this.name = 'ContentRefused';
    this.refusal = refusal;
  }
}

const CRLF = Buffer.from('\r\n', 'latin1');

/**
 * The content, octet for octet but for masked header octets, and for a CRLF behind a last line that has none: BDAT may send
 * such (docs/smuggling.md). Throws ContentRefused as soon as it is known to be refused.
 * @param smtputf8  the transaction's: the header section is then UTF-8 (RFC 6532 §3) rather than ASCII
 */
export async function* screened(
  content: Content,
  rules: Rules,
  smtputf8: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header = smtputf8 ? new InternationalHeader(rules) : new AsciiHeader(rules);
  const end = new LineEnd();
  let octets = 0;
  for await (const bytes of content) {
    octets += bytes.length;
    if (octets > rules.maxOctets) throw new ContentRefused('too-large');
    const passed = header.pass(bytes);
    end.pass(passed);
    yield passed;
  }
  if (content.bareLf) throw new ContentRefused('bare-lf'); // docs/smuggling.md
  header.end();
  if (!end.isReached) yield CRLF;
}

class AsciiHeader {
  readonly #rules: Rules;
  readonly #section: HeaderSection;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#section = new HeaderSection({ mask8bit: rules.allow8bitheaders });
  }

  pass(bytes: Uint8Array): Uint8Array {
    const passed = this.#section.pass(bytes);
    if (this.#section.sizeOctets > this.#rules.maxHeaderOctets) throw new ContentRefused('header-too-large');
    if (this.#section.has8bit && !this.#rules.allow8bitheaders) throw new ContentRefused('eight-bit-header');
    return passed;
  }

  end(): void {}
}

class InternationalHeader {
  readonly #rules: Rules;
  readonly #section = new HeaderSection({ mask8bit: false });
  readonly #utf8 = new Utf8Watch();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  pass(bytes: Uint8Array): Uint8Array {
    const before = this.#section.sizeOctets;
    this.#section.pass(bytes);
    const { sizeOctets } = this.#section;
    if (sizeOctets > this.#rules.maxHeaderOctets) throw new ContentRefused('header-too-large');
    this.#utf8.pass(bytes.subarray(0, sizeOctets - before));
    if (this.#utf8.isBroken) throw new ContentRefused('header-not-utf8');
    return bytes;
  }

  end(): void {
    if (!this.#utf8.isWhole) throw new ContentRefused('header-not-utf8');
  }
}

/** Does what has passed end in CRLF, or is it empty? */
class LineEnd {
  #lastTwo = 0x0d0a;

  get isReached(): boolean {
    return this.#lastTwo === 0x0d0a;
  }

  pass(bytes: Uint8Array): void {
    for (const octet of bytes.subarray(-2)) this.#lastTwo = ((this.#lastTwo & 0xff) << 8) | octet;
  }
}
