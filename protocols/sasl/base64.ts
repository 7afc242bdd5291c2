/**
 * Base64 as SASL carries it over lines (RFC 4648 §4): the strict alphabet, padded, nothing else. Pure.
 *
 * `Buffer.from(text, 'base64')` skips what it does not know; RFC 5034 §4 wants that refused.
 */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @returns undefined for what is not base64; '' is no octets */
export function fromBase64(text: string): Uint8Array | undefined {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

export const toBase64 = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
