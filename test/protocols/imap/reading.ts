/** What a decoder makes of some text, for the tests of the grammar. */
import type { Command } from '../../../protocols/imap/command.ts';
import { ImapDecoder } from '../../../protocols/imap/decoder.ts';
import { octetsOf, pieces } from '../../properties/cuts.ts';
import { plain } from './print-command.ts';

/** All commands; continuation requests are granted. Octets in them are `{ octets: [...] }`. */
export function readAll(text: string): Command[] {
  const decoder = new ImapDecoder();
  decoder.authenticated();
  const commands: Command[] = [];
  for (const piece of pieces(decoder, [octetsOf(text)])) {
    if (piece.kind !== 'command') throw new Error(`${piece.kind} out of nowhere`);
    if (piece.command.type !== 'continue') commands.push(plain(piece.command) as Command); // the same, but for octets
  }
  return commands;
}

/** The one command of a line, without its CRLF. */
export function read(line: string): Command {
  const [command, ...more] = readAll(`${line}\r\n`);
  if (command === undefined || more.length > 0)
    throw new Error(`not one command: ${JSON.stringify([command, ...more])}`);
  return command;
}

/** Without the type and the tag, which is `a`. */
export function argumentsIn(line: string): object {
  const { type, ...rest } = read(`a ${line}`);
  if (type === 'malformed') throw new Error(JSON.stringify(rest));
  const { tag, ...args } = rest as { tag?: string };
  if (tag !== 'a') throw new Error(`the tag is ${tag}`);
  return args;
}

/** Why a line is refused, its tag being `a`. */
export function reasonFor(line: string): string {
  const command = read(`a ${line}`);
  if (command.type !== 'malformed') throw new Error(`${line} is well formed: ${JSON.stringify(command)}`);
  if (command.tag !== 'a') throw new Error(`the tag is ${command.tag}`);
  return command.reason;
}
