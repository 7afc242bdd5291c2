/**
 * poppwd commands out of octets (docs/poppwd.md): a keyword in any case, one space, and the rest of the line as it is.
 * Lines end in CRLF or bare LF. One command for each line, however the octets are cut.
 */
import { CommandLineDecoder, type CommandLines } from '../wire/command-line-decoder.ts';
import { keywordOf, latin1, nameOrSecret } from '../wire/text.ts';
import type { Command } from './command.ts';

/** A line's most octets, its end included. */
export const MAX_LINE_OCTETS = 4096;

export class PoppwdDecoder extends CommandLineDecoder<Command> {
  constructor() {
    super(lines);
  }
}

const malformed = (reason: string): Command => ({ type: 'malformed', reason });

const lines: CommandLines<Command> = {
  protocol: 'poppwd',
  maxOctets: MAX_LINE_OCTETS,
  parse: parseCommand,
  tooLong: malformed('line too long'),
};

/** @param line  without its end */
export function parseCommand(line: Uint8Array): Command {
  const text = latin1(line);
  if (/[\0\r]/.test(text)) return malformed('NUL or CR in a command');
  const space = text.indexOf(' ');
  const argument = space < 0 ? '' : nameOrSecret(line.subarray(space + 1));
  switch (keywordOf(space < 0 ? text : text.slice(0, space))) {
    case 'USER':
      return argument === '' ? malformed('account name required') : { type: 'USER', name: argument };
    case 'PASS':
      return argument === '' ? malformed('password required') : { type: 'PASS', secret: argument };
    case 'NEWPASS':
      return argument === '' ? malformed('new password required') : { type: 'NEWPASS', secret: argument };
    case 'QUIT':
      return /^ *$/.test(argument) ? { type: 'QUIT' } : malformed('QUIT takes no argument');
    default:
      return malformed('unknown command');
  }
}
