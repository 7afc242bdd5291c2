/**
 * Charsets: the labels that mail gives (RFC 2045 §5.1, RFC 2047 §3, RFC 2978 §2.3) and decoders for what they name, whole
 * or chunk by chunk. Which library knows which, and why: docs/adr/0022. Unknown is a value; broken text gets U+FFFD.
 */
import iconv from 'iconv-lite';
import { LenientUtf8 } from './lenient-utf8.ts';
import { ChineseShifts, KoreanShifts, type Shifts } from './seven-bit-shifts.ts';

/** Octets to text, however they are cut. Never throws. */
export interface CharsetDecoder {
  write(octets: Uint8Array): string;
  /** What was held: an incomplete character is U+FFFD. */
  end(): string;
}

/** IANA's longest is 45 characters (RFC 2978 §2.3 recommends 40); what is longer is no charset. */
const LABEL_CHARACTERS = 64;
/** No octet below it is the second of a character, or one of base64, in any charset that the library knows. */
const LOWEST_TRAIL = 0x2b;
/** Lines of mail have 998 octets at most (RFC 5322 §2.1.1): who writes this without a space can bear a broken character. */
const MOST_RUN_OCTETS = 4096;
const NOTHING = new Uint8Array(0);

/**
 * Labels as `keyOf` writes them, where the codec is another than the name says. `lenient`: nothing was promised, or
 * seven bits were, and eight come. `windows-*`: what is labelled with their subset is written with them by very many.
 */
const CODECS: { readonly [key: string]: string } = {
  utf8: 'utf-8',
  unicode11utf8: 'utf-8',
  unicode20utf8: 'utf-8',
  utf8mb4: 'utf-8',
  cp65001: 'utf-8',
  '65001': 'utf-8',

  usascii: 'lenient',
  ascii: 'lenient',
  us: 'lenient',
  ansix341968: 'lenient',
  ansix341986: 'lenient',
  iso646us: 'lenient',
  iso646irv: 'lenient',
  isoir6: 'lenient',
  ibm367: 'lenient',
  cp367: 'lenient',
  unknown8bit: 'lenient', // RFC 1428 §3
  unknown: 'lenient',
  '8bit': 'lenient',
  '7bit': 'lenient',

  iso88591: 'windows1252',
  latin1: 'windows1252',
  l1: 'windows1252',
  isolatin1: 'windows1252',
  isoir100: 'windows1252',
  ibm819: 'windows1252',
  cp819: 'windows1252',
  iso88599: 'windows1254',
  latin5: 'windows1254',
  l5: 'windows1254',
  isolatin5: 'windows1254',
  isoir148: 'windows1254',
  iso885911: 'windows874',
  tis620: 'windows874',

  iso2022jp: 'iso-2022-jp',
  iso2022jp1: 'iso-2022-jp',
  iso2022jp2: 'iso-2022-jp',
  iso2022jpms: 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp50221: 'iso-2022-jp',
  cp50222: 'iso-2022-jp',
  iso2022kr: 'iso-2022-kr',
  hz: 'hz',
  hzgb2312: 'hz',

  gb180302000: 'gb18030',
  gb180302022: 'gb18030',
  uhc: 'cp949',
  big5eten: 'big5',
  koi8: 'koi8r',
  koi8ru: 'koi8u',
  macce: 'maccenteuro',
  macroman8: 'macroman',

  // Encodings of octets and of mailbox names, which the library also has: no charsets.
  base64: '',
  hex: '',
  binary: 'lenient',
  utf7imap: '',
};

/** Is there a decoder for what a label names? Nothing at all, as where a part says no charset, is known too. */
export const isKnownCharset = (label: string): boolean => codecOf(label) !== undefined;

/** @returns undefined where nobody knows the charset */
export function charsetDecoder(label: string): CharsetDecoder | undefined {
  const codec = codecOf(label);
  if (codec === undefined) return undefined;
  if (codec === 'lenient') return new LenientUtf8();
  if (codec === 'utf-8' || codec === 'iso-2022-jp') return new PlatformDecoder(codec);
  if (codec === 'iso-2022-kr') return new ShiftedDecoder(new KoreanShifts(), libraryDecoder('euckr'));
  if (codec === 'hz') return new ShiftedDecoder(new ChineseShifts(), libraryDecoder('gbk'));
  return libraryDecoder(codec);
}

/**
 * A whole text at once: an encoded word, a string that a client sent.
 * @returns undefined where nobody knows the charset
 */
export function decodeText(octets: Uint8Array, label: string): string | undefined {
  const decoder = charsetDecoder(label);
  return decoder === undefined ? undefined : decoder.write(octets) + decoder.end();
}

/** The codec that a label names; `x-` and IANA's `cs` before a name that is known without them mean nothing. */
function codecOf(label: string): string | undefined {
  if (label.length > LABEL_CHARACTERS) return undefined;
  const key = keyOf(label);
  if (key === '') return label.trim() === '' ? 'lenient' : undefined;
  return known(key) ?? known(key.replace(/^(?:x|cs)/, ''));
}

function known(key: string): string | undefined {
  if (Object.hasOwn(CODECS, key)) return CODECS[key] === '' ? undefined : CODECS[key];
  return iconv.encodingExists(key) ? key : undefined;
}

/** Letters and digits only, without the year of ISO names: `ISO_8859-1:1987` is `iso88591`. */
const keyOf = (label: string): string =>
  label
    .trim()
    .toLowerCase()
    .replace(/:\d{4}$|[^0-9a-z]/g, '');

class PlatformDecoder implements CharsetDecoder {
  readonly #decoder: InstanceType<typeof TextDecoder>;

  constructor(name: string) {
    this.#decoder = new TextDecoder(name);
  }

  write(octets: Uint8Array): string {
    return this.#decoder.decode(octets, { stream: true });
  }

  end(): string {
    return this.#decoder.decode();
  }
}

/** Its units of two and four octets stream as they should, and single octets have no state. */
const isWide = (codec: string): boolean => /^(?:utf16|utf32|ucs[24])/.test(codec);

const libraryDecoder = (codec: string): CharsetDecoder =>
  isWide(codec) ? new LibraryDecoder(codec) : new RunsDecoder(new LibraryDecoder(codec));

class LibraryDecoder implements CharsetDecoder {
  readonly #decoder: ReturnType<typeof iconv.getDecoder>;

  constructor(codec: string) {
    this.#decoder = iconv.getDecoder(codec);
  }

  write(octets: Uint8Array): string {
    return this.#decoder.write(Buffer.from(octets.buffer, octets.byteOffset, octets.length));
  }

  end(): string {
    return this.#decoder.end() ?? '';
  }
}

/**
 * Gives the library text in runs that end where no character goes on. Cut in the middle of a broken one it loses what
 * follows, and in the middle of UTF-7's base64 it says a plus that is not there (0.7.3).
 */
class RunsDecoder implements CharsetDecoder {
  readonly #decoder: CharsetDecoder;
  #held: Uint8Array = NOTHING;

  constructor(decoder: CharsetDecoder) {
    this.#decoder = decoder;
  }

  write(octets: Uint8Array): string {
    const all = this.#held.length === 0 ? octets : Buffer.concat([this.#held, octets]);
    let end = all.length;
    while (end > 0 && all[end - 1]! >= LOWEST_TRAIL) end -= 1;
    end += Math.floor((all.length - end) / MOST_RUN_OCTETS) * MOST_RUN_OCTETS;
    this.#held = new Uint8Array(all.subarray(end)); // a copy: the chunk is its maker's
    return end === 0 ? '' : this.#decoder.write(all.subarray(0, end));
  }

  end(): string {
    const held = this.#held;
    this.#held = NOTHING;
    return this.#decoder.write(held) + this.#decoder.end();
  }
}

class ShiftedDecoder implements CharsetDecoder {
  readonly #shifts: Shifts;
  readonly #decoder: CharsetDecoder;

  constructor(shifts: Shifts, decoder: CharsetDecoder) {
    this.#shifts = shifts;
    this.#decoder = decoder;
  }

  write(octets: Uint8Array): string {
    return this.#decoder.write(this.#shifts.write(octets));
  }

  end(): string {
    return this.#decoder.write(this.#shifts.end()) + this.#decoder.end();
  }
}
