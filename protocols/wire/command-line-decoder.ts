/**
 * The decoder of a protocol whose clients send lines only, CRLF or bare LF at their end: one command for each line, however
 * the octets are cut. What a line means is the protocol's own to say.
 */
import type { Decoder, Expectation, Piece } from './decoder.ts';
import { LineSplitter } from './line-splitter.ts';
import { OctetQueue } from './octet-queue.ts';

/** Shared by all decoders of a protocol. */
export type CommandLines<Command> = {
  /** For our own mistakes: who sends lines only. */
  readonly protocol: string;
  /** A line's most octets, its end included. */
  readonly maxOctets: number;
  /** @param line  without its end; never throws */
  readonly parse: (line: Uint8Array) => Command;
  readonly tooLong: Command;
  /** A line that answers a SASL challenge, or ends the exchange; absent: this protocol has none. As `parse`. */
  readonly parseResponse?: (line: Uint8Array) => Command;
};

export class CommandLineDecoder<Command> implements Decoder<Command> {
  readonly #rules: CommandLines<Command>;
  readonly #queue = new OctetQueue();
  readonly #lines: LineSplitter;
  #awaitsResponse = false;

  constructor(rules: CommandLines<Command>) {
    this.#rules = rules;
    this.#lines = new LineSplitter(this.#queue, { maxOctets: rules.maxOctets, acceptBareLf: true });
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): Piece<Command> | undefined {
    const line = this.#lines.next();
    if (line === undefined) return undefined;
    const { parse, parseResponse, tooLong } = this.#rules;
    const read = this.#awaitsResponse ? (parseResponse ?? parse) : parse;
    this.#awaitsResponse = false;
    return { kind: 'command', command: line.kind === 'too-long' ? tooLong : read(line.line) };
  }

  expect(next: Expectation): void {
    const isKnown = next === 'command' || (next === 'sasl-response' && this.#rules.parseResponse !== undefined);
    if (!isKnown) throw new TypeError(`${this.#rules.protocol} clients send no ${next}`);
    this.#awaitsResponse = next === 'sasl-response';
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
  }
}
