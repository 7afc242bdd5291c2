/**
 * Modified UTF-7: RFC 3501 §5.1.3, in which IMAP4rev1 writes names of mailboxes. Both ways, and only its one right form: what
 * decodes encodes to the very same text. Pure.
 */

/** What can't stand for itself: runs that are not printable ASCII, and `&`, which alone is not written in base64. */
const SHIFTED = /[^\x20-\x7e]+|&/g;
const MODIFIED_BASE64 = /^[A-Za-z0-9+,]+$/;

/** @param text  well-formed UTF-16: no half of a surrogate pair stands alone */
export function encodeModifiedUtf7(text: string): string {
  return text.replace(SHIFTED, (run) => (run === '&' ? '&-' : `&${toBase64(run)}-`));
}

/**
 * @returns undefined for what no encoder makes: octets above ASCII, controls, a shift without end, base64 with loose bits,
 *   printable ASCII in base64, half a surrogate pair, or a shift right behind another
 */
export function decodeModifiedUtf7(text: string): string | undefined {
  if (/[^\x20-\x7e]/.test(text)) return undefined;
  let decoded = '';
  let at = 0;
  for (let amp = text.indexOf('&'); amp >= 0; amp = text.indexOf('&', at)) {
    const end = text.indexOf('-', amp);
    if (end < 0) return undefined;
    decoded += text.slice(at, amp);
    const word = text.slice(amp + 1, end);
    // RFC 3501 §5.1.3: no superfluous shift; `-&` with another word in base64 behind it would be one.
    if (word !== '' && amp === at && wasShifted(text, amp)) return undefined;
    const run = word === '' ? '&' : fromBase64(word);
    if (run === undefined) return undefined;
    decoded += run;
    at = end + 1;
  }
  return decoded + text.slice(at);
}

/** Did a word in base64 end just before? `&-`, which ends in `-` too, is a plain `&`. */
function wasShifted(text: string, amp: number): boolean {
  return amp >= 2 && text[amp - 1] === '-' && text[amp - 2] !== '&';
}

/** UTF-16, most significant octet first, in base64 with `,` for `/` and without padding (RFC 3501 §5.1.3). */
function toBase64(run: string): string {
  const octets = Buffer.from(run, 'utf16le').swap16();
  return octets.toString('base64').replaceAll('/', ',').replace(/=+$/, '');
}

function fromBase64(word: string): string | undefined {
  if (!MODIFIED_BASE64.test(word)) return undefined;
  const octets = Buffer.from(word.replaceAll(',', '/'), 'base64');
  if (octets.length === 0 || octets.length % 2 !== 0) return undefined;
  const run = octets.swap16().toString('utf16le');
  if (/[\x20-\x7e]/.test(run) || hasLoneSurrogate(run)) return undefined;
  return toBase64(run) === word ? run : undefined; // else there were bits too many, which base64 reads past
}

const hasLoneSurrogate = (text: string): boolean => /\p{Cs}/u.test(text);
