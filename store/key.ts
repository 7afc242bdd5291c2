/**
 * Keys of the store: tuples of text and whole numbers, as octets whose order is the tuples' order.
 *
 * A tuple's octets begin with the octets of each of its prefixes and no other key lies between them, so that "all keys
 * below a prefix" is one range. Knows nothing of what the keys mean.
 */
export type Key = readonly (string | number)[];

const TEXT = 0x02;
const NUMBER = 0x05;
/** 48 bits: room for milliseconds since 1970 until the year 10889, and for counters that never run out. */
const NUMBER_OCTETS = 6;
const LARGEST = 2 ** 48 - 1;

/** LMDB's own limit with 4 KiB pages, less what a range's end adds. */
export const MAX_KEY_OCTETS = 1900;

/** Text is UTF-8 ended by 00, an inner 00 is written 00 FF; numbers are big-endian. Throws on what can't be a key. */
export function encodeKey(key: Key): Buffer {
  let length = 0;
  for (const part of key) length += typeof part === 'number' ? 1 + NUMBER_OCTETS : 2 + part.length * 3;
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of key) {
    if (typeof part === 'number') {
      if (!Number.isInteger(part) || part < 0 || part > LARGEST) throw new RangeError(`not a key number: ${part}`);
      out[at++] = NUMBER;
      at = out.writeUIntBE(part, at, NUMBER_OCTETS);
    } else {
      out[at++] = TEXT;
      at = part.includes('\0') ? writeEscaped(part, out, at) : at + out.write(part, at, 'utf8');
      out[at++] = 0;
    }
  }
  if (at > MAX_KEY_OCTETS) throw new RangeError(`a key of ${at} octets, at most ${MAX_KEY_OCTETS}`);
  return out.subarray(0, at);
}

/** FF follows an inner 00: it is in no UTF-8, and above all that can follow the 00 that ends a text, a range's end too. */
const ESCAPE = 0xff;

function writeEscaped(text: string, out: Buffer, start: number): number {
  let at = start;
  for (const octet of Buffer.from(text, 'utf8')) {
    out[at++] = octet;
    if (octet === 0) out[at++] = ESCAPE;
  }
  return at;
}

/** The tuple that `encodeKey` encoded. */
export function decodeKey(octets: Uint8Array): Key {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const key: (string | number)[] = [];
  for (let at = 0; at < buffer.length; ) {
    if (buffer[at] === NUMBER) {
      key.push(buffer.readUIntBE(at + 1, NUMBER_OCTETS));
      at += 1 + NUMBER_OCTETS;
    } else {
      let end = buffer.indexOf(0, at + 1);
      const texts: string[] = [];
      let from = at + 1;
      for (; buffer[end + 1] === ESCAPE; end = buffer.indexOf(0, from)) {
        texts.push(buffer.toString('utf8', from, end + 1));
        from = end + 2;
      }
      key.push(texts.join('') + buffer.toString('utf8', from, end));
      at = end + 1;
    }
  }
  return key;
}

/** The first octets above all keys that begin with the tuple so encoded: no part begins with FF. */
export const afterPrefix = (prefix: Uint8Array): Buffer => Buffer.concat([prefix, Buffer.from([0xff])]);

/** The first octets above this very key; keys that continue it come later still. */
export const justAfter = (key: Uint8Array): Buffer => Buffer.concat([key, Buffer.from([0x00])]);
