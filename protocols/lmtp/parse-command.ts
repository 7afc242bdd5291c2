/**
 * LMTP command lines: RFC 2033 §4 on the syntax of RFC 5321 §4.1.1; parameters SIZE (RFC 1870 §6), BODY (RFC 6152 §2) and
 * SMTPUTF8 (RFC 6531 §3.4); BDAT (RFC 3030 §2); STARTTLS takes none (RFC 3207 §4). Knows no state: what may come when is the
 * session's to say. Reasons hold nothing that the client sent.
 */
import { keywordOf, latin1, trimmedEnd, utf8 } from '../wire/text.ts';
import type { Command } from './command.ts';
import { isAddressLiteral, isAscii, isDomain, parsePath } from './path.ts';

type Malformed = Extract<Command, { type: 'malformed' }>;

const malformed = (code: Malformed['code'], enhanced: string, reason: string): Malformed => ({
  type: 'malformed',
  code,
  enhanced, // RFC 3463 §3.6: 5.5.1 invalid command, 5.5.2 syntax, 5.5.4 arguments; §3.2: 5.1.3, 5.1.7 addresses
  reason,
});

/**
 * A command, and how many octets come behind its line that are none. `dropOctets`: they belong to a BDAT which is not
 * well formed; nobody is to see them.
 */
export type Parsed = { readonly command: Command; readonly dropOctets?: number };

/** @param line  without its CRLF */
export function parseCommand(line: Uint8Array): Parsed {
  const { keyword, args } = split(line);
  if (isHiddenBdat(keyword, args, line)) return { command: NO_BDAT };
  return keyword === 'BDAT' ? parseBdat(args) : { command: commandOf(keyword, args) };
}

/** Octets that nobody may take for commands come behind the line, and how many they are can't be told: nothing more is heard. */
const NO_BDAT: Command = { type: 'lost', code: 501, enhanced: '5.5.4', reason: 'BDAT is not well formed' };

/**
 * A BDAT for whoever is laxer than RFC 5321 §4.1.1 about what stands before and behind a keyword, or takes CR or LF alone for
 * the end of a line. Behind it would come a message (docs/smuggling.md).
 */
function isHiddenBdat(keyword: string | undefined, args: string, line: Uint8Array): boolean {
  if (keyword === 'BDAT') return /[\r\n]/.test(args);
  return /(?:^|[\r\n])[^!-~]*BDAT/i.test(latin1(line));
}

/**
 * RFC 5321 §4.5.3.1.9: a line that is too long. It is not kept, and a BDAT may have stood in it, after a CR or LF alone or a
 * space too many: what comes behind may be a message.
 */
export const LINE_TOO_LONG: Command = { type: 'lost', code: 500, enhanced: '5.5.2', reason: 'line too long' };

function split(line: Uint8Array): { readonly keyword: string | undefined; readonly args: string } {
  const text = trimmedEnd(latin1(line)); // RFC 5321 §4.1.1: tolerate white space at the end
  const space = text.indexOf(' ');
  const keyword = keywordOf(space < 0 ? text : text.slice(0, space)); // RFC 5321 §2.4: in any case
  return { keyword, args: space < 0 ? '' : text.slice(space + 1) };
}

function commandOf(keyword: string | undefined, args: string): Command {
  switch (keyword) {
    case 'HELO': // RFC 2033 §4.1: not present in LMTP
    case 'EHLO':
    case 'AUTH':
    case 'EXPN':
    case 'HELP':
      return { type: 'refused', keyword };
    case 'MAIL':
    case 'RCPT':
    case 'VRFY': {
      const text = internationalized(args);
      if (text === undefined) return malformed(501, '5.5.2', 'only printable ASCII or UTF-8 is allowed here');
      return parseArguments(keyword, text);
    }
    case 'LHLO': // RFC 6531 §3.7.1: in ASCII
    case 'NOOP':
    case 'DATA':
    case 'RSET':
    case 'STARTTLS':
    case 'QUIT':
      // RFC 5321 §4.1.2: invalid character codes are rejected with 501; a bare CR or LF is one of them.
      if (!/^[ -~]*$/.test(args)) return malformed(501, '5.5.2', 'only printable ASCII is allowed here');
      return parseArguments(keyword, args);
    default:
      return malformed(500, '5.5.1', 'unknown command'); // RFC 5321 §4.2.4
  }
}

/** Arguments, which are latin1 so far, as text where they are printable ASCII or UTF-8 without controls (RFC 6531 §3.3). */
function internationalized(args: string): string | undefined {
  if (isAscii(args)) return /^[ -~]*$/.test(args) ? args : undefined;
  const text = utf8(Buffer.from(args, 'latin1'));
  return text !== undefined && /^[^\p{Cc}]*$/u.test(text) ? text : undefined;
}

/**
 * `bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]` (RFC 3030 §2). Where the size can be read its octets are taken off
 * the wire whatever else is wrong: none of them may ever be read as a command.
 */
function parseBdat(args: string): Parsed {
  const [size = '', marker, ...more] = args.split(/ +/);
  if (!/^[0-9]{1,20}$/.test(size))
    return { command: { type: 'lost', code: 501, enhanced: '5.5.4', reason: 'BDAT wants a number of octets' } };
  const sizeOctets = Math.min(Number(size), Number.MAX_SAFE_INTEGER); // more than anybody lives to send
  const last = marker?.toUpperCase() === 'LAST';
  if (more.length === 0 && (marker === undefined || last)) return { command: { type: 'BDAT', sizeOctets, last } };
  return {
    command: malformed(501, '5.5.4', 'BDAT wants a number of octets, and LAST or nothing'),
    dropOctets: sizeOctets,
  };
}

type Known = 'LHLO' | 'MAIL' | 'RCPT' | 'VRFY' | 'NOOP' | 'DATA' | 'RSET' | 'STARTTLS' | 'QUIT';

function parseArguments(keyword: Known, args: string): Command {
  switch (keyword) {
    case 'LHLO':
      return parseLhlo(args);
    case 'MAIL':
      return parseMail(args);
    case 'RCPT':
      return parseRcpt(args);
    case 'VRFY':
      return parseVrfy(args);
    case 'NOOP': // RFC 5321 §4.1.1.9: a parameter is ignored
      return { type: 'NOOP' };
    default:
      return args === '' ? { type: keyword } : malformed(501, '5.5.4', `${keyword} takes no argument`);
  }
}

/** `"LHLO" SP ( Domain / address-literal )` (RFC 2033 §4.1, RFC 5321 §4.1.1.1). */
function parseLhlo(args: string): Command {
  const [domain = ''] = args.split(' '); // RFC 5321 §4.1.1.1: be prepared for a string after it
  // Hosts named with an underscore exist, and RFC 5321 §4.1.4 would not have mail refused for the name given here.
  if (!isDomain(domain.replaceAll('_', '-')) && !isAddressLiteral(domain)) {
    return malformed(501, '5.5.4', 'LHLO wants a domain or an address literal');
  }
  return { type: 'LHLO', domain };
}

/** `vrfy = "VRFY" SP String [ SP "SMTPUTF8" ]` (RFC 5321 §4.1.1.6, RFC 6531 §3.7.4.2); our reply is ASCII with or without. */
function parseVrfy(args: string): Command {
  const given = args.trim();
  const space = given.lastIndexOf(' ');
  const hasParameter = space > 0 && given.slice(space + 1).toUpperCase() === 'SMTPUTF8';
  const text = hasParameter ? given.slice(0, space).trim() : given;
  return text === '' ? malformed(501, '5.5.4', 'VRFY wants a name') : { type: 'VRFY', text };
}

/** `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]` (RFC 5321 §4.1.1.2). */
function parseMail(args: string): Command {
  const parsed = parsePath(afterPrefix(args, 'FROM:'), 'null');
  if (parsed === undefined) return malformed(501, '5.1.7', 'MAIL wants FROM:<reverse-path>');
  const parameters = parametersOf(parsed.rest);
  if (parameters === undefined) return malformed(501, '5.5.4', 'parameters are not well formed');
  let sizeOctets: number | undefined;
  let body: '7BIT' | '8BITMIME' | undefined;
  let smtputf8 = false;
  for (const [name, value] of parameters) {
    if (name === 'SIZE') {
      if (sizeOctets !== undefined || !/^[0-9]{1,20}$/.test(value ?? ''))
        return malformed(501, '5.5.4', 'SIZE wants one number');
      sizeOctets = Math.min(Number(value), Number.MAX_SAFE_INTEGER); // RFC 1870 §3: up to 20 digits
    } else if (name === 'BODY') {
      const upper = (value ?? '').toUpperCase();
      if (body !== undefined || upper === '') return malformed(501, '5.5.4', 'BODY wants one value');
      // RFC 3463 §3.7, 5.6.1: media not supported; docs/lmtp.md says why
      if (upper === 'BINARYMIME') return malformed(555, '5.6.1', 'BINARYMIME is not offered: BODY is 7BIT or 8BITMIME');
      if (upper !== '7BIT' && upper !== '8BITMIME') return malformed(555, '5.5.4', 'BODY is 7BIT or 8BITMIME');
      body = upper;
    } else if (name === 'SMTPUTF8') {
      if (smtputf8 || value !== undefined) return malformed(501, '5.5.4', 'SMTPUTF8 takes no value'); // RFC 6531 §3.4
      smtputf8 = true;
    } else {
      return malformed(555, '5.5.4', 'parameter not supported'); // RFC 5321 §4.1.1.11
    }
  }
  const { path } = parsed;
  if (path !== null && !smtputf8 && !(isAscii(path.localPart) && isAscii(path.domain)))
    return malformed(550, '5.6.7', 'an address that is not ASCII wants SMTPUTF8'); // RFC 6531 §3.5
  return {
    type: 'MAIL',
    reversePath: path,
    ...(sizeOctets === undefined ? {} : { sizeOctets }),
    ...(body === undefined ? {} : { body }),
    ...(smtputf8 ? { smtputf8 } : {}),
  };
}

/** `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )` (RFC 5321 §4.1.1.3). */
function parseRcpt(args: string): Command {
  const parsed = parsePath(afterPrefix(args, 'TO:'), 'postmaster');
  if (parsed === undefined || parsed.path === null) return malformed(501, '5.1.3', 'RCPT wants TO:<forward-path>');
  const parameters = parametersOf(parsed.rest);
  if (parameters === undefined) return malformed(501, '5.5.4', 'parameters are not well formed');
  if (parameters.length > 0) return malformed(555, '5.5.4', 'parameter not supported'); // RFC 5321 §4.1.1.11
  return { type: 'RCPT', forwardPath: parsed.path };
}

/** What stands behind `FROM:` or `TO:`; '' when it is missing. RFC 5321 §3.3 permits no space there, but many send one. */
function afterPrefix(args: string, prefix: string): string {
  if (args.slice(0, prefix.length).toUpperCase() !== prefix) return '';
  return args.slice(prefix.length).trimStart();
}

/**
 * `*(SP esmtp-param)`, `esmtp-param = esmtp-keyword ["=" esmtp-value]` (RFC 5321 §4.1.2, RFC 6531 §3.3), keywords in upper
 * case; undefined for the value of one that has none.
 */
function parametersOf(rest: string): readonly (readonly [string, string | undefined])[] | undefined {
  if (rest === '') return [];
  if (rest[0] !== ' ') return undefined;
  const parameters: (readonly [string, string | undefined])[] = [];
  for (const word of rest.trim().split(/ +/)) {
    const [, name, value] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u00a0-\uffff]+))?$/.exec(word) ?? [];
    if (name === undefined) return undefined;
    parameters.push([name.toUpperCase(), value]);
  }
  return parameters;
}
