/**
 * poppwd commands out of octets (docs/poppwd.md): a keyword in any case, one space, and the rest of the line as it is.
 * Lines end in CRLF or bare LF. One command for each line, however the octets are cut.
 */
import type { Decoder, Expectation, Piece } from '../wire/decoder.ts';
import { LineSplitter } from '../wire/line-splitter.ts';
import { OctetQueue } from '../wire/octet-queue.ts';
import { keywordOf, latin1, nameOrSecret } from '../wire/text.ts';
import type { Command } from './command.ts';

/** A line's most octets, its end included. */
export const MAX_LINE_OCTETS = 4096;

export class PoppwdDecoder implements Decoder<Command> {
  readonly #queue = new OctetQueue();
  readonly #lines = new LineSplitter(this.#queue, { maxOctets: MAX_LINE_OCTETS, acceptBareLf: true });

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): Piece<Command> | undefined {
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    const command = line.kind === 'too-long' ? malformed('line too long') : parseCommand(line.line);
    return { kind: 'command', command };
  }

  expect(next: Expectation): void {
    if (next !== 'command') throw new TypeError(`poppwd clients send no ${next}`);
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
  }
}

const malformed = (reason: string): Command => ({ type: 'malformed', reason });

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
