/**
 * The last look at a message before it is delivered, as it streams by: its size, 8-bit octets in its header section and
 * bare LFs. What may not pass breaks the iteration, so that whoever delivers it can only throw it away.
 */
import { HeaderSection } from '../../mime/header-section.ts';
import type { Content } from '../session.ts';

export type Rules = {
  /** The largest message taken, as announced by SIZE (RFC 1870 §4). */
  readonly maxOctets: number;
  /** Clear the high bit of 8-bit octets in the header section instead of refusing the message. */
  readonly allow8bitheaders: boolean;
};

export type ContentRefusal = 'too-large' | 'eight-bit-header' | 'bare-lf';

export class ContentRefused extends Error {
  readonly refusal: ContentRefusal;
  constructor(refusal: ContentRefusal) {
    super(`message refused: ${refusal}`);
    this.name = 'ContentRefused';
    this.refusal = refusal;
  }
}

/** The content, octet for octet but for masked header octets. Throws ContentRefused as soon as it is known to be refused. */
export async function* screened(content: Content, rules: Rules): AsyncGenerator<Uint8Array, void, undefined> {
  const header = new HeaderSection({ mask8bit: rules.allow8bitheaders });
  let octets = 0;
  for await (const bytes of content) {
    octets += bytes.length;
    if (octets > rules.maxOctets) throw new ContentRefused('too-large');
    const passed = header.pass(bytes);
    if (header.has8bit && !rules.allow8bitheaders) throw new ContentRefused('eight-bit-header');
    yield passed;
  }
  if (content.bareLf) throw new ContentRefused('bare-lf'); // docs/smuggling.md
}
