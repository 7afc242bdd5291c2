/**
 * LMTP out of octets: command lines (RFC 2033 §4, parse-command.ts beside this), message data (RFC 5321 §4.5.2) and the
 * counted octets behind a BDAT (RFC 3030 §2).
 *
 * Strict about line ends, unlike POP3: a command ends at CRLF and data at CRLF `.` CRLF, so that no two parties can
 * differ on where a message ends (RFC 5321 §2.3.8, §4.1.1.4; docs/smuggling.md).
 */
import type { Decoder, Expectation, Piece } from '../wire/decoder.ts';
import { DotUnstuffer } from '../wire/dot-stuffing.ts';
import { LineSplitter } from '../wire/line-splitter.ts';
import { OctetQueue } from '../wire/octet-queue.ts';
import type { Command } from './command.ts';
import { LINE_TOO_LONG, parseCommand } from './parse-command.ts';

/**
 * A command line's most octets, with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, RFC 1870 §3 adds 26 for SIZE and
 * RFC 6152 §2 has BODY, RFC 6531 §3.1 adds 10 for SMTPUTF8; the rest is for long addresses, as §4.5.3.1 wants no limits where
 * they can be done without.
 */
export const MAX_COMMAND_OCTETS = 2048;

export class LmtpDecoder implements Decoder<Command> {
  readonly #queue = new OctetQueue();
  readonly #lines = new LineSplitter(this.#queue, { maxOctets: MAX_COMMAND_OCTETS, acceptBareLf: false });
  readonly #message = new DotUnstuffer(this.#queue);
  /** `chunk`: the octets behind a BDAT, which come as a body; `dropped`: those behind a malformed one, which nobody sees. */
  #reading: 'command' | 'body' | 'chunk' | 'dropped' = 'command';
  /** Of the chunk, or of what is dropped. */
  #octetsLeft = 0;
  /** The command that gets its reply when what belongs to it is dropped (RFC 3030 §2). */
  #late: Command | undefined;

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): Piece<Command> | undefined {
    switch (this.#reading) {
      case 'command':
        return this.#nextCommand();
      case 'chunk':
        return this.#nextOfChunk();
      case 'dropped':
        return this.#drop();
      case 'body': {
        const piece = this.#message.next();
        if (piece?.kind === 'body-end') this.#reading = 'command';
        return piece;
      }
    }
  }

  /**
   * `body` after a 354; the end of the data brings commands back by itself, and nothing else does. After a BDAT the body is
   * what was announced, asked for or not.
   */
  expect(next: Expectation): void {
    if (next !== 'body' || this.#reading !== 'command') return;
    this.#lines.release(); // what came of a line is the beginning of the data
    this.#reading = 'body';
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
    this.#message.reset();
    this.#octetsLeft = 0;
    this.#late = undefined;
    this.#reading = 'command';
  }

  #nextCommand(): Piece<Command> | undefined {
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    if (line.kind === 'too-long') return { kind: 'command', command: LINE_TOO_LONG };
    const { command, dropOctets } = parseCommand(line.line);
    if (dropOctets !== undefined) {
      this.#late = command;
      this.#octetsLeft = dropOctets;
      this.#reading = 'dropped';
      return this.#drop();
    }
    if (command.type === 'BDAT') {
      this.#octetsLeft = command.sizeOctets;
      this.#reading = 'chunk';
    }
    return { kind: 'command', command };
  }

  /** Line ends mean nothing here, and one may lie across two chunks: `bareLf` is for who joins them to find. */
  #nextOfChunk(): Piece<Command> | undefined {
    const bytes = this.#counted();
    if (bytes !== undefined) return { kind: 'body', bytes };
    if (this.#octetsLeft > 0) return undefined;
    this.#reading = 'command';
    return { kind: 'body-end', bareLf: false };
  }

  #drop(): Piece<Command> | undefined {
    while (this.#counted() !== undefined);
    const command = this.#late;
    if (this.#octetsLeft > 0 || command === undefined) return undefined;
    this.#late = undefined;
    this.#reading = 'command';
    return { kind: 'command', command };
  }

  /** The next of the octets announced, as many as are here in one piece. */
  #counted(): Uint8Array | undefined {
    const chunk = this.#octetsLeft === 0 ? undefined : this.#queue.take();
    if (chunk === undefined) return undefined;
    const bytes = chunk.length > this.#octetsLeft ? chunk.subarray(0, this.#octetsLeft) : chunk;
    this.#queue.putBack(chunk.subarray(bytes.length));
    this.#octetsLeft -= bytes.length;
    return bytes;
  }
}
