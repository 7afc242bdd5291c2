/**
 * POP3 commands out of octets: RFC 1939 §3 and §5 to §7, RFC 2449 §4. One command for each line, however the octets
 * are cut, and any number of lines may wait (PIPELINING, RFC 2449 §6.6). Knows no state and no maildrop.
 *
 * More liberal than the RFCs: a bare LF ends a line too, and spaces at its end are let pass where no name or secret
 * stands there.
 */
import { CommandLineDecoder, type CommandLines } from '../wire/command-line-decoder.ts';
import { keywordOf, latin1, nameOrSecret, trimmedEnd } from '../wire/text.ts';
import type { Command } from './command.ts';

/** A command's most octets, with its CRLF (RFC 2449 §4). */
export const MAX_COMMAND_OCTETS = 255;
/** PASS alone may be longer, since poppwd sets longer passwords than 255 octets would let in. */
export const MAX_PASS_OCTETS = 4096 + 2;
/** Message numbers and line counts: far above any maildrop, and still a small integer everywhere. */
const MAX_NUMBER = 2 ** 31 - 1;

export class Pop3Decoder extends CommandLineDecoder<Command> {
  constructor() {
    super(lines);
  }
}

const malformed = (reason: string): Command => ({ type: 'malformed', reason });

const lines: CommandLines<Command> = {
  protocol: 'POP3',
  maxOctets: MAX_PASS_OCTETS,
  parse: parseCommand,
  tooLong: malformed('line too long'),
};

/** @param line  without its end */
export function parseCommand(line: Uint8Array): Command {
  const text = latin1(line);
  const space = text.indexOf(' ');
  const keyword = keywordOf(space < 0 ? text : text.slice(0, space)); // RFC 1939 §3: case-insensitive
  const rest = space < 0 ? undefined : line.subarray(space + 1);
  if (keyword !== 'PASS' && line.length + 2 > MAX_COMMAND_OCTETS) return malformed('line too long');
  if (/[\0\r]/.test(text)) return malformed('NUL or CR in a command');
  switch (keyword) {
    case 'USER':
      return parseUser(rest);
    case 'PASS':
      return parsePass(rest);
    case 'APOP':
      return parseApop(rest);
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
      return words(rest).length === 0 ? { type: keyword } : malformed(`${keyword} takes no argument`);
    default:
      return malformed('unknown command'); // RFC 1939 §3: "unrecognized, unimplemented, or syntactically invalid"
  }
}

/** `USER name` (RFC 1939 §7): one argument, so the rest of the line. */
function parseUser(rest: Uint8Array | undefined): Command {
  const name = nameOf(rest);
  return name === undefined ? malformed('USER wants a name') : { type: 'USER', name };
}

/** `PASS string` (RFC 1939 §7): spaces, also at either end, belong to the password. */
function parsePass(rest: Uint8Array | undefined): Command {
  if (rest === undefined || rest.length === 0) return malformed('PASS wants a password');
  return { type: 'PASS', secret: nameOrSecret(rest) };
}

/** `APOP name digest` (RFC 1939 §7): the digest is 16 octets in lower-case hexadecimal, the name all before it. */
function parseApop(rest: Uint8Array | undefined): Command {
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
  const name = octets === undefined ? '' : trimmedEnd(nameOrSecret(octets));
  return name === '' || /[\x00-\x1f\x7f]/.test(name) ? undefined : name;
}

/** RFC 1939 §4: numbers are in base 10. */
function numberOf(word: string | undefined, least: number): number | undefined {
  if (word === undefined || !/^[0-9]{1,10}$/.test(word)) return undefined;
  const number = Number(word);
  return number >= least && number <= MAX_NUMBER ? number : undefined;
}
