/**
 * Strings of every form: RFC 9051 §4 and §9. All text that is not our own goes through one of these, so that no octet of a
 * client's or a message's can end a line. Gives octets as latin1 text, one character each; what can't be said throws,
 * for it is a mistake of ours.
 */
import { isUtf8 } from 'node:buffer';
import { latin1, oneLine } from '../wire/text.ts';
import { mailboxNameFor } from './mailbox-name.ts';

/** A longer string goes as a literal, which a client can take without looking at each octet. */
const MAX_QUOTED_OCTETS = 1024;
/** The text of a status response; none of ours is longer, an operator's may be. */
const MAX_TEXT_OCTETS = 1000;

/** `ATOM-CHAR`, as in a class of a regular expression: no controls, SP, 8-bit, `( ) { % * " \ ]` (RFC 9051 §9). */
const ATOM_CHARS = "!#$&'+,\\-./0-9:;<=>?@A-Z[^_`a-z|}~";
const ATOM = new RegExp(`^[${ATOM_CHARS}]+$`);
/** `1*ASTRING-CHAR`: `]` too. */
const ASTRING = new RegExp(`^[${ATOM_CHARS}\\]]+$`);
/** `tag = 1*<any ASTRING-CHAR except "+">`. */
const TAG = new RegExp(`^(?!.*\\+)[${ATOM_CHARS}\\]]+$`);
/** `flag-perm`: `\*` too. */
const FLAG = new RegExp(`^(?:\\\\\\*|\\\\?[${ATOM_CHARS}]+)$`);
/** The most frequent, which need no look at each character. */
const SYSTEM_FLAGS: ReadonlySet<string> = new Set([
  '\\Seen',
  '\\Answered',
  '\\Flagged',
  '\\Deleted',
  '\\Draft',
  '\\Recent',
]);
/** `objectid = 1*255(ALPHA / DIGIT / "_" / "-")` (RFC 8474 §7). */
const OBJECT_ID = /^[A-Za-z0-9_-]{1,255}$/;

export function atom(text: string): string {
  if (!ATOM.test(text)) throw new TypeError(`no atom: ${JSON.stringify(text)}`);
  return text;
}

export function tag(text: string): string {
  if (!TAG.test(text)) throw new TypeError(`no tag: ${JSON.stringify(text)}`);
  return text;
}

/** `1*(SP atom)` without the first SP. */
export function atoms(list: readonly string[]): string {
  return list.map(atom).join(' ');
}

/** `"(" [flag *(SP flag)] ")"`; attributes of mailboxes have the same form. */
export function flagList(flags: readonly string[]): string {
  let list = '';
  for (const flag of flags) {
    if (!SYSTEM_FLAGS.has(flag) && !FLAG.test(flag)) throw new TypeError(`no flag: ${JSON.stringify(flag)}`);
    list += list === '' ? flag : ' ' + flag;
  }
  return `(${list})`;
}

/** `"(" objectid ")"`. */
export function objectId(id: string): string {
  if (!OBJECT_ID.test(id)) throw new TypeError(`no object id: ${JSON.stringify(id)}`);
  return `(${id})`;
}

/** Decimal digits of a whole number, 0 and up. */
export function digits(number: number): string {
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`no number for the wire: ${number}`);
  return String(number);
}

/** `nz-number`. */
export function positive(number: number): string {
  if (number === 0) throw new RangeError('0 where the wire has none');
  return digits(number);
}

/** `string = quoted / literal`; 8-bit is quoted only where the client is known to read UTF-8 there (RFC 9051 §4.3, RFC 6855 §3). */
export function string(text: string, utf8: boolean): string {
  return octetString(isAscii(text) ? text : latin1(Buffer.from(text, 'utf8')), utf8);
}

/** `astring = 1*ASTRING-CHAR / string`; NIL would be no string, and an empty one no atom. */
export function astring(text: string, utf8: boolean): string {
  return ASTRING.test(text) && text.length <= MAX_QUOTED_OCTETS && !/^nil$/i.test(text) ? text : string(text, utf8);
}

/** `nstring / literal8` of any octets (RFC 5464 §5 `value`). */
export function octets(value: Uint8Array | null, utf8: boolean): string {
  if (value === null) return 'NIL';
  const text = latin1(value);
  if (value.includes(0)) return `~{${value.length}}\r\n${text}`;
  return octetString(text, utf8 && isUtf8(value));
}

/** A mailbox name: modified UTF-7 (RFC 3501 §5.1.3), or as it is where UTF-8 may be said (RFC 9051 §5.1). */
export function mailbox(name: string, utf8: boolean): string {
  return astring(mailboxNameFor(name, utf8), utf8);
}

/** A prefix of mailbox names, which is never an atom (RFC 2342 §6). */
export function prefix(name: string, utf8: boolean): string {
  return string(mailboxNameFor(name, utf8), utf8);
}

/** `(DQUOTE QUOTED-CHAR DQUOTE / nil)`. */
export function delimiter(character: string | null): string {
  if (character === null) return 'NIL';
  if (!/^[\x21-\x7e]$/.test(character)) throw new TypeError('a hierarchy delimiter is one printable character');
  return quoted(character);
}

/** `text`, for a person to read; other than ASCII only after ENABLE IMAP4rev2 (RFC 9051 §9). */
export function humanText(text: string, utf8: boolean): string {
  const line = oneLine(text, MAX_TEXT_OCTETS);
  if (isAscii(line)) return line;
  return utf8 ? latin1(Buffer.from(line, 'utf8')) : line.replace(/[^\x00-\x7f]/gu, '?');
}

/** `octetsAsText`: a character each. */
function octetString(octetsAsText: string, quotes8Bit: boolean): string {
  if (octetsAsText.includes('\0')) throw new TypeError('a string holds NUL');
  if (
    octetsAsText.length > MAX_QUOTED_OCTETS ||
    !(quotes8Bit ? /^[^\r\n]*$/ : /^[^\r\n\x80-\xff]*$/).test(octetsAsText)
  )
    return `{${octetsAsText.length}}\r\n${octetsAsText}`;
  return quoted(octetsAsText);
}

const quoted = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;

const isAscii = (text: string): boolean => !/[^\x00-\x7f]/.test(text);
