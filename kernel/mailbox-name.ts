/**
 * Mailbox names as the store keeps them: RFC 9051 §5.1. UTF-8 in Normalization Form C, levels parted by `/`, the case kept.
 * The first level `inbox`, in any case, is INBOX: there is no second mailbox that differs from it by case alone. Pure.
 */
import { accept, type Result, refuse } from './result.ts';

/** RFC 9051 §5.1: the one mailbox that every user's account has. */
export const INBOX = 'INBOX';
export const SEPARATOR = '/';

const MAX_LEVEL_OCTETS = 255;
/** With the account's id it must fit a key of the store (store/key.ts). */
const MAX_NAME_OCTETS = 1000;

/**
 * The name as it is kept, or what is wrong with it, in words for whoever wrote it. Its superiors' names are names too.
 */
export function mailboxName(text: string): Result<string, string> {
  if (text === '') return refuse('it is empty');
  if (/\p{Cs}/u.test(text)) return refuse('it is not Unicode text'); // half of a surrogate pair
  const name = text.normalize('NFC');
  // RFC 9051 §5.1: no CTL, C0 or C1, and neither LINE SEPARATOR nor PARAGRAPH SEPARATOR
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) return refuse('it holds a control character or a line end');
  const levels = name.split(SEPARATOR);
  if (levels.includes('')) return refuse(`a level of it is empty: ${SEPARATOR} stands between two levels only`);
  if (levels.some((level) => Buffer.byteLength(level) > MAX_LEVEL_OCTETS)) {
    return refuse(`a level of it is longer than ${MAX_LEVEL_OCTETS} octets`);
  }
  if (Buffer.byteLength(name) > MAX_NAME_OCTETS) return refuse(`it is longer than ${MAX_NAME_OCTETS} octets`);
  if (/^inbox$/i.test(levels[0]!)) levels[0] = INBOX; // of ASCII letters only
  return accept(levels.join(SEPARATOR));
}

/** `a` and `a/b` for `a/b/c`, from above. */
export function superiorsOf(name: string): readonly string[] {
  const levels = name.split(SEPARATOR);
  return levels.slice(1).map((_, at) => levels.slice(0, at + 1).join(SEPARATOR));
}

/** Is it below `other` in the hierarchy? */
export const isInferior = (name: string, other: string): boolean => name.startsWith(other + SEPARATOR);
