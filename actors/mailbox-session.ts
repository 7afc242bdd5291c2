/**
 * What protocols ask of a mailHost's owner in a session (owner-session.ts): maildrops, deliveries, and the octets of
 * messages, which come in pieces and look like one. Knows no protocol.
 */
import { accept, type Result, refuse } from '../kernel/result.ts';
import type { MailboxRef } from './mailbox-owner/mailbox-requests.ts';
import type { Content, Delivered, DeliverRecipient, Fetched, ListEntry, StageLimit } from './mailbox-owner/requests.ts';
import {
  type OpenRefused,
  OwnerSession,
  type ReadResult,
  type SessionIdentity,
  type SessionRefusal,
} from './owner-session.ts';

export type { OpenRefused, SessionIdentity, SessionRefusal };

export type FetchedMessage = {
  readonly sizeOctets: number;
  /** All of the message's octets, once; throws rather than end short. */
  readonly body: AsyncIterable<Uint8Array>;
};
export type FetchedOctets = {
  /** Of the message. */
  readonly sizeOctets: number;
  /** Of what is given. */
  readonly lengthOctets: number;
  /** So many octets, once; throws rather than end short. */
  readonly octets: AsyncIterable<Uint8Array>;
};

/** Entries asked for at a time: some 20 kB of answer. */
const LIST_PAGE = 1_000;

export class MailboxSession extends OwnerSession {
  /** The whole maildrop as it was when opened, ascending by UID. */
  async list(): Promise<Result<readonly ListEntry[], SessionRefusal>> {
    const entries: ListEntry[] = [];
    for (;;) {
      const page = await this.read('list', { afterUid: entries.at(-1)?.uid ?? 0, limit: LIST_PAGE });
      if (!page.ok) return page;
      entries.push(...page.value);
      if (page.value.length < LIST_PAGE) return accept(entries);
    }
  }

  /** A message's size and, to be read once and soon, its octets. `gone`: expunged by another session meanwhile. */
  async fetch(uid: number): Promise<Result<FetchedMessage, SessionRefusal | 'gone'>> {
    const source: OctetSource = {
      at: (offset) => this.read('fetch', { uid, offset }),
      from: (offset) => this.stream('body', { uid, offset }),
    };
    const first = await source.at(0);
    if (!first.ok) return first;
    const { sizeOctets } = first.value;
    return accept({ sizeOctets, body: pieces(source, `message ${uid}`, first.value, 0, sizeOctets) });
  }

  /**
   * Octets of a message in a mailbox from `offset` on, at most so many, to be read once and soon. `gone`: expunged by
   * another session meanwhile; an offset behind the end gives none.
   */
  async octets(
    ref: MailboxRef,
    uid: number,
    { offset = 0, most = Number.POSITIVE_INFINITY }: { readonly offset?: number; readonly most?: number } = {},
  ): Promise<Result<FetchedOctets, Refused<'octets'> | 'gone'>> {
    const left = (at: number) => (Number.isFinite(most) ? { most: offset + most - at } : {});
    const source: OctetSource<Refused<'octets'>> = {
      at: async (at) => {
        const answer = await this.read('octets', { ref, wanted: [{ uid, offset: at, ...left(at) }] });
        if (!answer.ok) return answer;
        const [octets] = answer.value;
        return octets ? accept(octets) : refuse('gone');
      },
      from: (at) => this.stream('octet-stream', { ref, uid, offset: at, ...left(at) }),
    };
    const first = await source.at(offset);
    if (!first.ok) return first;
    const { sizeOctets } = first.value;
    const end = Math.max(offset, Math.min(sizeOctets, offset + most));
    const octets = pieces(source, `message ${uid}`, first.value, offset, end);
    return accept({ sizeOctets, lengthOctets: end - offset, octets });
  }

  /** A structure that was too large for the answer that should have had it (message-requests.ts), whole. */
  async structure(ref: MailboxRef, uid: number): Promise<Result<Uint8Array, Refused<'structure'> | 'gone'>> {
    const chunks: Uint8Array[] = [];
    for (let offset = 0; ; ) {
      const answer = await this.read('structure', { ref, uid, offset });
      if (!answer.ok) return answer;
      if (answer.value === null) return refuse('gone');
      const { sizeOctets, chunk } = answer.value;
      if (chunk.length === 0 && offset < sizeOctets) throw new Error(`message ${uid}: nothing of its structure`);
      chunks.push(chunk);
      offset += chunk.length;
      if (offset >= sizeOctets) return accept(Buffer.concat(chunks));
    }
  }

  /** Puts one part of a large body aside; durable when accepted. Several may be under way at once. */
  async stage(
    stage: string,
    index: number,
    bytes: Uint8Array,
    within?: StageLimit,
  ): Promise<Result<null, SessionRefusal | 'full' | 'over-quota'>> {
    return await this.read('stage', { stage, index, bytes, ...(within && { within }) });
  }

  /** What was put aside and will not be named. */
  async dropStages(stages: readonly string[]): Promise<Result<null, SessionRefusal | 'full'>> {
    return await this.read('drop-stages', { stages });
  }

  /** Delivers to each recipient or says why not, in their order. `unavailable`: see the head of owner-session.ts. */
  async deliver(
    content: Content,
    recipients: readonly DeliverRecipient[],
  ): Promise<Result<Delivered, SessionRefusal | 'full' | 'stage-missing'>> {
    return await this.change('deliver', { content, recipients });
  }

  /** Removes the messages, unlocks the maildrop and ends the session; all or nothing (RFC 1939 §6). */
  async quit(uids: readonly number[]): Promise<Result<null, SessionRefusal | 'full' | 'lock-lost'>> {
    if (this.maildrop === undefined) throw new Error('quit: no maildrop is open');
    return await this.change('quit', { lock: this.maildrop.lock, uids });
  }
}

type Refused<O extends 'octets' | 'fetch' | 'structure'> = Extract<ReadResult<O>, { readonly ok: false }>['refusal'];

/** Where a message's octets come from: one piece, or the owner's stream, from an offset on. */
type OctetSource<R extends string = Refused<'fetch'>> = {
  at(offset: number): Promise<Result<Fetched, R | 'gone'>>;
  from(offset: number): AsyncIterable<Uint8Array>;
};

/** From `first` on; a stream that breaks is taken up again at the octet where it broke, as long as patience lasts. */
async function* pieces<R extends string>(
  source: OctetSource<R>,
  what: string,
  first: Fetched,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let offset = start;
  let { chunk } = first;
  const takes = (bytes: Uint8Array): Uint8Array => {
    offset += bytes.length;
    if (offset > end) throw new Error(`${what}: more than the ${end - start} octets asked for`);
    return bytes;
  };
  while (offset < end) {
    if (chunk.length === 0) throw new Error(`${what}: nothing at octet ${offset}`);
    yield takes(chunk);
    if (offset === end) return;
    for await (const bytes of source.from(offset)) if (bytes.length > 0) yield takes(bytes);
    if (offset === end) return;
    const next = await source.at(offset);
    if (!next.ok) throw new Error(`${what}: broken off at octet ${offset}: ${next.refusal}`);
    if (next.value.sizeOctets !== first.sizeOctets) throw new Error(`${what}: another size than before`);
    chunk = next.value.chunk;
  }
}
