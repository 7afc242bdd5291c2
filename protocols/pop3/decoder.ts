/**
 * POP3 commands out of octets: RFC 1939 §3 and §5 to §7, RFC 2449 §4, RFC 5034 §4. One command for each line, however the octets
 * are cut, and any number of lines may wait (PIPELINING, RFC 2449 §6.6). Knows no state and no maildrop.
 *
 * More liberal than the RFCs: a bare LF ends a line too, and spaces at its end are let pass where no name or secret
 * stands there.
 */
import { fromBase64 } from '../sasl/base64.ts';
import { CommandLineDecoder, type CommandLines } from '../wire/command-line-decoder.ts';
import { keywordOf, latin1, trimmedEnd, utf8 } from '../wire/text.ts';
import type { Command, Malformation } from './command.ts';

/** A command's most octets, with its CRLF (RFC 2449 §4). */
export const MAX_COMMAND_OCTETS = 255;
/** PASS alone may be longer, since poppwd sets longer passwords than 255 octets would let in. */
export const MAX_PASS_OCTETS = 4096 + 2;
/**
 * AUTH and the responses after it: RFC 5034 §4 frees these of the limit on commands. As much as RFC 4954 §4 asks of SMTP,
 * and room for the longest names and password three times over.
 */
export const MAX_SASL_OCTETS = 12_288;
/** Message numbers and line counts: far above any maildrop, and still a small integer everywhere. */
const MAX_NUMBER = 2 ** 31 - 1;

export class Pop3Decoder extends CommandLineDecoder<Command> {
  constructor() {
    super(lines);
  }
}

const malformed = (reason: Malformation): Command => ({ type: 'malformed', reason });

/** RFC 6856 §2.2: refused, wherever UTF-8 names and passwords are taken. */
const notUtf8 = malformed('names and passwords must be UTF-8');

const lines: CommandLines<Command> = {
  protocol: 'POP3',
  maxOctets: MAX_SASL_OCTETS,
  parse: parseCommand,
  parseResponse,
  tooLong: malformed('line too long'),
};

/** @param line  without its end */
export function parseCommand(line: Uint8Array): Command {
  const text = latin1(line);
  const space = text.indexOf(' ');
  const keyword = keywordOf(space < 0 ? text : text.slice(0, space)); // RFC 1939 §3: case-insensitive
  const rest = space < 0 ? undefined : line.subarray(space + 1);
  if (line.length + 2 > maxOctetsOf(keyword)) return malformed('line too long');
  if (/[\0\r]/.test(text)) return malformed('NUL or CR in a command');
  switch (keyword) {
    case 'USER':
      return parseUser(rest);
    case 'PASS':
      return parsePass(rest);
    case 'APOP':
      return parseApop(rest);
    case 'AUTH':
      return parseAuth(rest);
    case 'LANG':
      return parseLang(rest);
    case 'LIST':
    case 'UIDL':
      return parseListing(keyword, rest);
    case 'RETR':
    case 'DELE':
      return parseMessage(keyword, rest);
    case 'TOP':
      return parseTop(rest);
    case 'STAT':
    case 'RSET':
    case 'NOOP':
    case 'CAPA':
    case 'QUIT':
    case 'STLS':
    case 'UTF8':
      return words(rest).length === 0 ? { type: keyword } : malformed(`${keyword} takes no argument`);
    default:
      return malformed('unknown command'); // RFC 1939 §3: "unrecognized, unimplemented, or syntactically invalid"
  }
}

/** A client may not send a longer initial response than a command holds (RFC 5034 §4); one that does is understood. */
function maxOctetsOf(keyword: string | undefined): number {
  if (keyword === 'PASS') return MAX_PASS_OCTETS;
  return keyword === 'AUTH' ? MAX_SASL_OCTETS : MAX_COMMAND_OCTETS;
}

/** A client's response in a SASL exchange (RFC 5034 §4): base64, or `*`, which cancels. */
export function parseResponse(line: Uint8Array): Command {
  const text = trimmedEnd(latin1(line));
  if (text === '*') return { type: 'cancel' };
  const response = fromBase64(text);
  return response === undefined ? malformed('not base64') : { type: 'response', response };
}

/** `AUTH mechanism [initial-response]` (RFC 5034 §4), `sasl-mech` as RFC 4422 §3.1; `=` is an empty response. */
function parseAuth(rest: Uint8Array | undefined): Command {
  const [mechanism = '', word, ...more] = words(rest);
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || more.length > 0) {
    return malformed('AUTH wants a mechanism and at most an initial response');
  }
  const auth = { type: 'AUTH', mechanism: mechanism.toUpperCase() } as const;
  if (word === undefined) return auth;
  const initial = word === '=' ? new Uint8Array(0) : fromBase64(word);
  return initial === undefined ? malformed('not base64') : { ...auth, initial };
}

/** `LANG [range]` (RFC 6856 §3.2), a basic language range (RFC 4647 §2.1), which is compared without case. */
function parseLang(rest: Uint8Array | undefined): Command {
  const [range, ...more] = words(rest);
  if (range === undefined) return { type: 'LANG' };
  const isRange = /^(\*|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)$/.test(range);
  if (!isRange || more.length > 0) return malformed('LANG wants a language or nothing');
  return { type: 'LANG', range: range.toLowerCase() };
}

/** `USER name` (RFC 1939 §7): one argument, so the rest of the line. */
function parseUser(rest: Uint8Array | undefined): Command {
  if (rest !== undefined && utf8(rest) === undefined) return notUtf8;
  const name = nameOf(rest);
  return name === undefined ? malformed('USER wants a name') : { type: 'USER', name };
}

/** `PASS string` (RFC 1939 §7): spaces, also at either end, belong to the password. */
function parsePass(rest: Uint8Array | undefined): Command {
  if (rest === undefined || rest.length === 0) return malformed('PASS wants a password');
  const secret = utf8(rest);
  return secret === undefined ? notUtf8 : { type: 'PASS', secret };
}

/** `APOP name digest` (RFC 1939 §7): the digest is 16 octets in lower-case hexadecimal, the name all before it. */
function parseApop(rest: Uint8Array | undefined): Command {
  if (rest !== undefined && utf8(rest) === undefined) return notUtf8;
  const [, before, digest] = /^(.*) ([0-9a-f]{32}) *$/.exec(rest === undefined ? '' : latin1(rest)) ?? [];
  const name = before === undefined ? undefined : nameOf(rest?.subarray(0, before.length));
  if (name === undefined || digest === undefined) return malformed('APOP wants a name and an MD5 digest');
  return { type: 'APOP', name, digest };
}

/** `LIST [msg]`, `UIDL [msg]` (RFC 1939 §5, §7). */
function parseListing(type: 'LIST' | 'UIDL', rest: Uint8Array | undefined): Command {
  const args = words(rest);
  if (args.length === 0) return { type };
  const message = numberOf(args[0], 1);
  if (message === undefined || args.length > 1) return malformed(`${type} wants a message number or nothing`);
  return { type, message };
}

/** `RETR msg`, `DELE msg` (RFC 1939 §5). */
function parseMessage(type: 'RETR' | 'DELE', rest: Uint8Array | undefined): Command {
  const args = words(rest);
  const message = numberOf(args[0], 1);
  if (message === undefined || args.length > 1) return malformed(`${type} wants a message number`);
  return { type, message };
}

/** `TOP msg n` (RFC 1939 §7): n is not negative. */
function parseTop(rest: Uint8Array | undefined): Command {
  const args = words(rest);
  const message = numberOf(args[0], 1);
  const lines = numberOf(args[1], 0);
  if (message === undefined || lines === undefined || args.length > 2) {
    return malformed('TOP wants a message number and a number of lines');
  }
  return { type: 'TOP', message, lines };
}

/** Arguments "each separated by a single SPACE" (RFC 1939 §3); two spaces hold an empty one, which nothing accepts. */
function words(rest: Uint8Array | undefined): readonly string[] {
  const text = rest === undefined ? '' : trimmedEnd(latin1(rest));
  return text === '' ? [] : text.split(' ');
}

/** A name without the spaces at its end; undefined when nothing is left or a control character is in it. */
function nameOf(octets: Uint8Array | undefined): string | undefined {
  const name = octets === undefined ? '' : trimmedEnd(utf8(octets) ?? '');
  return name === '' || /[\x00-\x1f\x7f]/.test(name) ? undefined : name;
}

/** RFC 1939 §4: numbers are in base 10. */
function numberOf(word: string | undefined, least: number): number | undefined {
  if (word === undefined || !/^[0-9]{1,10}$/.test(word)) return undefined;
  const number = Number(word);
  return number >= least && number <= MAX_NUMBER ? number : undefined;
}
