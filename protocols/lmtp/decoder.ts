/**
 * LMTP out of octets: command lines (RFC 2033 §4, parse-command.ts beside this) and message data (RFC 5321 §4.5.2).
 *
 * Strict about line ends, unlike POP3: a command ends at CRLF and data at CRLF `.` CRLF, so that no two parties can
 * differ on where a message ends (RFC 5321 §2.3.8, §4.1.1.4; docs/smuggling.md).
 */
import type { Decoder, Expectation, Piece } from '../wire/decoder.ts';
import { DotUnstuffer } from '../wire/dot-stuffing.ts';
import { LineSplitter } from '../wire/line-splitter.ts';
import { OctetQueue } from '../wire/octet-queue.ts';
import type { Command } from './command.ts';
import { parseCommand } from './parse-command.ts';

/**
 * A command line's most octets, with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, RFC 1870 §3 adds 26 for SIZE and
 * RFC 6152 §2 has BODY; the rest is for long addresses, as §4.5.3.1 wants no limits where they can be done without.
 */
export const MAX_COMMAND_OCTETS = 2048;

export class LmtpDecoder implements Decoder<Command> {
  readonly #queue = new OctetQueue();
  readonly #lines = new LineSplitter(this.#queue, { maxOctets: MAX_COMMAND_OCTETS, acceptBareLf: false });
  readonly #message = new DotUnstuffer(this.#queue);
  #reading: Expectation = 'command';

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): Piece<Command> | undefined {
    if (this.#reading === 'body') {
      const piece = this.#message.next();
      if (piece?.kind === 'body-end') this.#reading = 'command';
      return piece;
    }
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    return { kind: 'command', command: line.kind === 'too-long' ? LINE_TOO_LONG : parseCommand(line.line) };
  }

  /** `body` after a 354; the end of the data brings commands back by itself, and nothing else does. */
  expect(next: Expectation): void {
    if (next !== 'body' || this.#reading === 'body') return;
    this.#lines.release(); // what came of a line is the beginning of the data
    this.#reading = 'body';
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
    this.#message.reset();
    this.#reading = 'command';
  }
}

/** RFC 5321 §4.5.3.1.9. */
const LINE_TOO_LONG: Command = { type: 'malformed', code: 500, enhanced: '5.5.2', reason: 'line too long' };
