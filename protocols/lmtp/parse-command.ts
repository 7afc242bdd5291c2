/**
 * LMTP command lines: RFC 2033 §4 on the syntax of RFC 5321 §4.1.1; parameters SIZE (RFC 1870 §6) and BODY
 * (RFC 6152 §2); STARTTLS takes none (RFC 3207 §4). Knows no state: what may come when is the session's to say. Reasons hold nothing that the client sent.
 */
import { keywordOf, latin1, trimmedEnd } from '../wire/text.ts';
import type { Command } from './command.ts';
import { isAddressLiteral, isDomain, parsePath } from './path.ts';

const malformed = (code: 500 | 501 | 555, enhanced: string, reason: string): Command => ({
  type: 'malformed',
  code,
  enhanced, // RFC 3463 §3.6: 5.5.1 invalid command, 5.5.2 syntax, 5.5.4 arguments; §3.2: 5.1.3, 5.1.7 addresses
  reason,
});

/** @param line  without its CRLF */
export function parseCommand(line: Uint8Array): Command {
  const text = trimmedEnd(latin1(line)); // RFC 5321 §4.1.1: tolerate white space at the end
  const space = text.indexOf(' ');
  const keyword = keywordOf(space < 0 ? text : text.slice(0, space)); // RFC 5321 §2.4: in any case
  const args = space < 0 ? '' : text.slice(space + 1);
  switch (keyword) {
    case 'HELO': // RFC 2033 §4.1: not present in LMTP
    case 'EHLO':
    case 'AUTH':
    case 'EXPN':
    case 'HELP':
      return { type: 'refused', keyword };
    case 'LHLO':
    case 'MAIL':
    case 'RCPT':
    case 'VRFY':
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

type Known = 'LHLO' | 'MAIL' | 'RCPT' | 'VRFY' | 'NOOP' | 'DATA' | 'RSET' | 'STARTTLS' | 'QUIT';

function parseArguments(keyword: Known, args: string): Command {
  switch (keyword) {
    case 'LHLO':
      return parseLhlo(args);
    case 'MAIL':
      return parseMail(args);
    case 'RCPT':
      return parseRcpt(args);
    case 'VRFY': // RFC 5321 §4.1.1.6
      return args.trim() === '' ? malformed(501, '5.5.4', 'VRFY wants a name') : { type: 'VRFY', text: args.trim() };
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

/** `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters]` (RFC 5321 §4.1.1.2). */
function parseMail(args: string): Command {
  const parsed = parsePath(afterPrefix(args, 'FROM:'), 'null');
  if (parsed === undefined) return malformed(501, '5.1.7', 'MAIL wants FROM:<reverse-path>');
  const parameters = parametersOf(parsed.rest);
  if (parameters === undefined) return malformed(501, '5.5.4', 'parameters are not well formed');
  let sizeOctets: number | undefined;
  let body: '7BIT' | '8BITMIME' | undefined;
  for (const [name, value] of parameters) {
    if (name === 'SIZE') {
      if (sizeOctets !== undefined || !/^[0-9]{1,20}$/.test(value))
        return malformed(501, '5.5.4', 'SIZE wants one number');
      sizeOctets = Math.min(Number(value), Number.MAX_SAFE_INTEGER); // RFC 1870 §3: up to 20 digits
    } else if (name === 'BODY') {
      const upper = value.toUpperCase();
      if (body !== undefined || value === '') return malformed(501, '5.5.4', 'BODY wants one value');
      if (upper !== '7BIT' && upper !== '8BITMIME') return malformed(555, '5.5.4', 'BODY is 7BIT or 8BITMIME');
      body = upper;
    } else {
      return malformed(555, '5.5.4', 'parameter not supported'); // RFC 5321 §4.1.1.11
    }
  }
  return {
    type: 'MAIL',
    reversePath: parsed.path,
    ...(sizeOctets === undefined ? {} : { sizeOctets }),
    ...(body === undefined ? {} : { body }),
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

/** `*(SP esmtp-param)`, `esmtp-param = esmtp-keyword ["=" esmtp-value]` (RFC 5321 §4.1.2), keywords in upper case. */
function parametersOf(rest: string): readonly (readonly [string, string])[] | undefined {
  if (rest === '') return [];
  if (rest[0] !== ' ') return undefined;
  const parameters: (readonly [string, string])[] = [];
  for (const word of rest.trim().split(/ +/)) {
    const [, name, value = ''] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?$/.exec(word) ?? [];
    if (name === undefined) return undefined;
    parameters.push([name.toUpperCase(), value]);
  }
  return parameters;
}
