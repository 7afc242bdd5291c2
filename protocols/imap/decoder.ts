/**
 * IMAP commands out of octets: RFC 9051 §2.2.1, RFC 3501 §2.2.1. One command for each tagged line and its literals, however the
 * octets are cut and however many wait (RFC 9051 §5.5); the octets of an appended message as a body (RFC 9051 §6.3.12, RFC 3502).
 * literals.ts cuts, parse-command.ts reads; this says what is read as what. Knows no state of a session but what it is told to
 * expect.
 *
 * More liberal than the RFCs: a bare LF ends a line too, and spaces at the end of a command are let pass.
 */
import { BareLf } from '../wire/bare-lf.ts';
import type { Decoder, Expectation, Piece } from '../wire/decoder.ts';
import { OctetQueue } from '../wire/octet-queue.ts';
import type { Command } from './command.ts';
import { CommandCutter, type Cut } from './literals.ts';
import { parseResponse } from './parse-access.ts';
import { isAppendMessage, parseAppend, parseAppendEnd, parseAppendMore } from './parse-append.ts';
import { malformed, parseCommand, tagOf } from './parse-command.ts';

/** A response to a challenge, as POP3 has it: RFC 9051 §6.2.2 names no limit, and RFC 4954 §4 asks as much of SMTP. */
export const MAX_SASL_OCTETS = 12_288;
/** `DONE`, and spaces. */
const MAX_DONE_OCTETS = 64;

export class ImapDecoder implements Decoder<Command> {
  readonly #queue = new OctetQueue();
  readonly #cutter = new CommandCutter(this.#queue, (before) => this.#append !== undefined || isAppendMessage(before));
  #reading: 'command' | 'body' | 'sasl-response' | 'idle-done' = 'command';
  /** The tag of the APPEND of which a message was accepted, until its line ends. */
  #append: string | undefined;
  #bareLf = new BareLf();

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** The client has logged in: literals may be as large as MAX_LITERALS_OCTETS from the next on. */
  authenticated(): void {
    this.#cutter.trust();
  }

  next(): Piece<Command> | undefined {
    switch (this.#reading) {
      case 'body':
        return this.#nextOfBody();
      case 'sasl-response':
      case 'idle-done':
        return this.#nextLine(this.#reading);
      case 'command':
        return this.#nextCommand();
    }
  }

  /** `body`: the message that APPEND or `append-more` has just offered; another `next` before it refuses the whole rest of it. */
  expect(next: Expectation): void {
    if (this.#reading === 'body') return; // to its end, whatever anybody expects
    if (next === 'body') {
      this.#cutter.accept();
      this.#bareLf = new BareLf();
    }
    this.#reading = next;
  }

  discard(): void {
    this.#cutter.discard();
    this.#append = undefined;
    this.#reading = 'command';
  }

  #nextCommand(): Piece<Command> | undefined {
    if (this.#cutter.hasOffer) this.#append = undefined; // it was refused, and with it what comes behind
    const cut = this.#cutter.next();
    return cut === undefined ? undefined : { kind: 'command', command: this.#read(cut) };
  }

  #read(cut: Cut): Command {
    const append = this.#append;
    switch (cut.kind) {
      case 'continue':
        return { type: 'continue' };
      case 'message': {
        const more = append !== undefined;
        const command = more ? parseAppendMore(append, cut.before, cut.literal) : parseAppend(cut.before, cut.literal);
        if (command.type === 'APPEND') this.#append = command.tag;
        return command;
      }
      case 'command':
        this.#append = undefined;
        return append === undefined ? parseCommand(cut) : parseAppendEnd(append, cut);
      case 'refused':
        this.#append = undefined;
        return malformed(append ?? tagOf(cut.text), cut.reason);
    }
  }

  /** The one line that was expected; after it commands come again. */
  #nextLine(expected: 'sasl-response' | 'idle-done'): Piece<Command> | undefined {
    const line = this.#cutter.nextLine(expected === 'idle-done' ? MAX_DONE_OCTETS : MAX_SASL_OCTETS);
    if (line === undefined) return undefined;
    this.#reading = 'command';
    if (expected === 'idle-done') {
      const isDone = line.isWhole && /^DONE *$/i.test(line.text);
      return { kind: 'command', command: isDone ? { type: 'DONE' } : malformed(undefined, 'DONE was expected') };
    }
    const command = line.isWhole ? parseResponse(line.text) : malformed(undefined, 'line too long');
    return { kind: 'command', command };
  }

  #nextOfBody(): Piece<Command> | undefined {
    const bytes = this.#cutter.nextOfMessage();
    if (bytes === undefined) return undefined;
    if (bytes !== 'end') {
      this.#bareLf.pass(bytes);
      return { kind: 'body', bytes };
    }
    this.#reading = 'command';
    return { kind: 'body-end', bareLf: this.#bareLf.wasSeen };
  }
}
