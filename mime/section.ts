/**
 * Where in a message a section lies: RFC 9051 §6.4.5.1 for BODY[...], §6.4.5 for BINARY[...]. Works on a structure alone,
 * and reads no octet.
 */
import type { Part, Structure } from './structure.ts';
import { type TransferDecoder, transferDecoder } from './transfer-encoding.ts';

/** HEADER.FIELDS and HEADER.FIELDS.NOT are of HEADER, by field-filter.ts. */
export type Section = {
  readonly part: readonly number[];
  readonly text?: 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME';
};

/**
 * Octets [from, to) of the body. `afterTrace`: they begin with the message's own header section, so that trace lines which
 * are kept apart stand before them, and count with them.
 */
export type Octets = { readonly from: number; readonly to: number; readonly afterTrace: boolean };

/** The same octets in the message as it is sent, with `traceOctets` of trace lines before the body. */
export function inMessage(octets: Octets, traceOctets: number): { readonly from: number; readonly to: number } {
  return { from: octets.afterTrace ? 0 : octets.from + traceOctets, to: octets.to + traceOctets };
}

/** @returns undefined when there is no such section: it is NIL */
export function rangeOf(structure: Structure, section: Section): Octets | undefined {
  const { message } = structure;
  if (section.part.length === 0) return sectionOf(message, section.text, true);
  const part = partOf(message, section.part);
  if (part === undefined) return undefined;
  const isWhole = part === message; // part 1 of a message that is not multipart
  if (section.text === 'MIME') return { from: part.from, to: part.body, afterTrace: isWhole };
  if (section.text === undefined) return { from: part.body, to: part.to, afterTrace: false };
  return part.kind === 'message' ? sectionOf(part.parts[0]!, section.text, false) : undefined;
}

/** Of a message: the one asked about, or one within it. */
function sectionOf(message: Part, text: Section['text'], afterTrace: boolean): Octets | undefined {
  if (text === undefined) return { from: message.from, to: message.to, afterTrace };
  if (text === 'TEXT') return { from: message.body, to: message.to, afterTrace: false };
  return text === 'MIME' ? undefined : { from: message.from, to: message.body, afterTrace };
}

/**
 * "Every message has at least one part number": 1 is the body of one that is not multipart.
 * @param numbers  at least one
 */
export function partOf(message: Part, numbers: readonly number[]): Part | undefined {
  let around: Part | undefined = message;
  let part: Part | undefined;
  for (const number of numbers) {
    if (part !== undefined)
      around = part.kind === 'message' ? part.parts[0] : part.kind === 'multipart' ? part : undefined;
    if (around === undefined) return undefined;
    const isSingle = around.kind !== 'multipart'; // a message's own body
    part = isSingle ? (number === 1 ? around : undefined) : around.parts[number - 1];
    if (part === undefined) return undefined;
  }
  return part;
}

/**
 * BINARY[part]: the octets, and a fresh decoder for them. A whole message, a multipart and a message within one are not
 * encoded themselves (RFC 2045 §6.4), and go as they are.
 * @returns `none` when there is no such part; `unknown-cte` where RFC 9051 §6.4.5 wants NO [UNKNOWN-CTE]
 */
export function binaryOf(
  structure: Structure,
  numbers: readonly number[],
): { readonly octets: Octets; readonly decoder: TransferDecoder } | 'none' | 'unknown-cte' {
  const octets = rangeOf(structure, { part: numbers });
  if (octets === undefined) return 'none';
  const part = numbers.length === 0 ? undefined : partOf(structure.message, numbers);
  const decoder = transferDecoder(part?.kind === 'leaf' ? part.encoding : 'binary');
  return decoder === undefined ? 'unknown-cte' : { octets, decoder };
}
