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
};

export class CommandLineDecoder<Command> implements Decoder<Command> {
  readonly #rules: CommandLines<Command>;
  readonly #queue = new OctetQueue();
  readonly #lines: LineSplitter;

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
    const command = line.kind === 'too-long' ? this.#rules.tooLong : this.#rules.parse(line.line);
    return { kind: 'command', command };
  }

  expect(next: Expectation): void {
    if (next !== 'command') throw new TypeError(`${this.#rules.protocol} clients send no ${next}`);
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
  }
}
