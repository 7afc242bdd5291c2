/**
 * IMAP responses into octets: RFC 9051 §7. One encoder for each session, for what may be said depends on what its client has
 * enabled. A response of some kilobytes is one array; what is larger, or has bodies that flow, goes in writes of about 64 KiB,
 * made as fast as the client reads.
 */
import type { Encoder } from '../wire/decoder.ts';
import { putFetch } from './encode-fetch.ts';
import { line } from './encode-line.ts';
import { Writes } from './encode-writes.ts';
import type { Streamed } from './fetch-response.ts';
import type { Response } from './response.ts';

/** Why putting stops: enough is gathered for a write; octets that flow belong here; or the next responses are awaited. */
type Pause = 'full' | Streamed | AsyncIterable<Response>;

/** What the client reads. A flow has its own, so that what is said after it does not change it midway. */
type Dialect = { utf8: boolean };

/** Once one of these is enabled, 8-bit may stand in quoted strings (RFC 9051 §6.3.1, RFC 6855 §3). */
const UTF8_CAPABILITIES: readonly string[] = ['IMAP4REV2', 'UTF8=ACCEPT'];

export class ImapEncoder implements Encoder<Response> {
  /**
   * Is 8-bit quoted, and are mailbox names told in UTF-8 (RFC 9051 §4.3, §5.1) rather than in modified UTF-7? The response
   * ENABLED sets it, for all that comes after.
   */
  utf8 = false;

  /**
   * @throws on what can't be said in IMAP: a mistake of ours, of which nothing is sent. A flow throws then too, and when a body
   *   does, or has another length than was announced: it was not sent whole
   */
  encode(response: Response): Uint8Array | AsyncIterable<Uint8Array> {
    const to = new Writes();
    const dialect = { utf8: this.utf8 };
    const pauses = this.#put(to, response, dialect);
    const first = pauses.next();
    return first.done === true ? to.take() : this.#flow(to, first.value, pauses, dialect);
  }

  /** Puts the response; pauses when it can't go on by itself, and may then be left where it is. */
  *#put(to: Writes, response: Response, dialect: Dialect): Generator<Pause, void> {
    switch (response.type) {
      case 'FETCH':
        yield* putFetch(to, response, dialect.utf8) ?? [];
        break;
      case 'fetches':
        for (const fetch of response.items) {
          const flowing = putFetch(to, fetch, dialect.utf8);
          if (flowing !== undefined) yield* flowing;
          if (to.isFull) yield 'full';
        }
        break;
      case 'batch':
        if (Symbol.asyncIterator in response.responses) yield response.responses;
        else
          for (const one of response.responses) {
            yield* this.#put(to, one, dialect);
            if (to.isFull) yield 'full';
          }
        break;
      default:
        to.text(line(response, dialect.utf8));
        if (response.type === 'ENABLED' && response.capabilities.some(bringsUtf8)) this.utf8 = dialect.utf8 = true;
    }
  }

  async *#flow(
    to: Writes,
    first: Pause,
    rest: Generator<Pause, void>,
    dialect: Dialect,
  ): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#after(first, to, dialect);
      for (const pause of rest) yield* this.#after(pause, to, dialect);
      yield* to.takeWrites();
    } finally {
      rest.return(); // a client that has gone: lets go of what was being iterated
    }
  }

  /** Does what a pause was for. */
  async *#after(pause: Pause, to: Writes, dialect: Dialect): AsyncGenerator<Uint8Array, void> {
    if (pause === 'full') yield* to.takeWrites();
    else if ('sizeOctets' in pause) yield* body(to, pause);
    else
      for await (const response of pause) {
        for (const inner of this.#put(to, response, dialect)) yield* this.#after(inner, to, dialect);
        if (to.isFull) yield* to.takeWrites();
      }
  }
}

/** Octets announced already. What is short, or would be long, is never sent whole. */
async function* body(to: Writes, { sizeOctets, octets }: Streamed): AsyncGenerator<Uint8Array, void> {
  let left = sizeOctets;
  for await (const chunk of octets) {
    left -= chunk.length;
    if (left < 0) throw new Error(`a content has more than the ${sizeOctets} octets announced`);
    to.octets(chunk);
    if (to.isFull) yield* to.takeWrites();
  }
  if (left > 0) throw new Error(`a content has ${left} octets less than the ${sizeOctets} announced`);
}

const bringsUtf8 = (capability: string): boolean => UTF8_CAPABILITIES.includes(capability.toUpperCase());
