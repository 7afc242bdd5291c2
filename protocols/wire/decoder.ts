/**
 * What every protocol's decoder looks like to the connection that feeds it: bytes in, pieces out, one at a time.
 *
 * Pure. `next` is pulled only when the session can take another command, so what comes next (a command line, message
 * data, a SASL answer) may be changed between two calls. A decoder never throws on input, and holds at most one
 * bounded line or the bytes of one `push`.
 */
export type Piece<Command> =
  | { readonly kind: 'command'; readonly command: Command }
  /** Octets of a message body, unstuffed; never empty; valid only until the next `push`. */
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  /** `bareLf`: the body held an LF that no CR went before; such a message is refused, not mended (docs/smuggling.md). */
  | { readonly kind: 'body-end'; readonly bareLf: boolean };

/**
 * What a session's machine asks its decoder to read next. `sasl-response`: the next line is a client's response in a SASL
 * exchange (RFC 5034 §4), or its cancelling; it comes as a command of the protocol's own, and after it commands come again.
 * `idle-done`: so too the next line, which ends an IDLE (RFC 9051 §6.3.13).
 */
export type Expectation = 'command' | 'body' | 'sasl-response' | 'idle-done';

export interface Decoder<Command> {
  push(bytes: Uint8Array): void;
  /** The next whole piece, or undefined until more is pushed. */
  next(): Piece<Command> | undefined;
  /** A body once begun is read to its end: `expect('command')` inside one changes nothing (docs/smuggling.md). */
  expect(next: Expectation): void;
  /** Forgets every octet held: what came before TLS must not speak after it (RFC 2595 §2.1, RFC 3207 §4.2). */
  discard(): void;
}

/** Replies out. A reply with a body yields it chunk by chunk; if its iteration throws, the reply was not sent whole. */
export interface Encoder<Reply> {
  encode(reply: Reply): Uint8Array | AsyncIterable<Uint8Array>;
}
