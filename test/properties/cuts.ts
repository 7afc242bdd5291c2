/** Octets cut into chunks, and decoders drained: what the properties of every wire protocol have in common. */
import fc from 'fast-check';
import type { Decoder, Piece } from '../../protocols/wire/decoder.ts';

/** Where to cut: fractions of the length, so that one arbitrary serves octets of any length. */
export const someCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

export function cut(octets: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.map((c) => Math.floor(c * octets.length)), octets.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => octets.slice(at[i], end));
}

export const oneByOne = (octets: Uint8Array): Uint8Array[] => [...octets].map((octet) => Uint8Array.of(octet));

/** Strings of octets made of what matters to lines, dots and headers, and of any others. */
export const wireOctets = (maxParts: number) =>
  fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('\r\n', '\r', '\n', '.', ' ', 'a', '\r\n.', '\r\n\r\n') },
        { weight: 1, arbitrary: fc.nat(255).map((octet) => String.fromCharCode(octet)) },
      ),
      { maxLength: maxParts },
    )
    .map((parts) => octetsOf(parts.join('')));

/** All pieces, body octets joined: what must not depend on where the octets were cut. */
export function pieces<C>(decoder: Decoder<C>, chunks: Iterable<Uint8Array>, afterEach?: (piece: Piece<C>) => void) {
  const out: (Exclude<Piece<C>, { kind: 'body' }> | { kind: 'body'; octets: number[] })[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let piece = decoder.next(); piece !== undefined; piece = decoder.next()) {
      const last = out.at(-1);
      if (piece.kind !== 'body') out.push(piece);
      else if (last?.kind === 'body') last.octets.push(...piece.bytes);
      else out.push({ kind: 'body', octets: [...piece.bytes] });
      afterEach?.(piece);
    }
  }
  return out;
}

export const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
