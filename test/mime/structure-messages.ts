/** Messages as the tests of structures write them, and what they look at. */

import type { Part, Structure } from '../../mime/structure.ts';
import { StructureParser } from '../../mime/structure-parser.ts';
import { octetsOf, textOf } from '../properties/cuts.ts';

export function structureOf(chunks: string | readonly Uint8Array[]): Structure {
  const parser = new StructureParser();
  for (const chunk of typeof chunks === 'string' ? [octetsOf(chunks)] : chunks) parser.push(chunk);
  return parser.end();
}

/** Lines, CRLF-ended; the last as it is. */
export const lines = (...all: readonly string[]): string => all.join('\r\n');

export const envelopeOf = (message: string): string => textOf(structureOf(message).envelope);
export const bodyStructureOf = (message: string): string => textOf(structureOf(message).bodyStructure);

/** Every part, from the outermost, each with those it holds behind it. */
export function* everyPart(part: Part): Generator<Part> {
  yield part;
  for (const child of part.parts) yield* everyPart(child);
}

/** Header and body of each part. */
export function texts(message: string): [string, string][] {
  const { message: root } = structureOf(message);
  return [...everyPart(root)].map((part) => [message.slice(part.from, part.body), message.slice(part.body, part.to)]);
}

/** The header section of a multipart message with the delimiter B. */
export const MIXED = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n';
