/**
 * Octets of messages, as their owner gives them: many small pieces by one request, a large one as a stream that is never held
 * whole, and what is left of one behind a filter (fetch-plan.ts). For FETCH.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';
import type { Partial } from '../../protocols/imap/fetch-item.ts';
import type { Streamed } from '../../protocols/imap/fetch-response.ts';
import type { OctetsWanted } from '../mailbox-owner/message-requests.ts';
import type { Filter, Source, WantedContent } from './fetch-plan.ts';
import type { ReadFailure, SelectedMailbox } from './selected-mailbox.ts';

/** What is not longer is read into memory. */
export const SMALL_OCTETS = 64 * 1024;
/** Pieces in one request. */
const MOST_WANTED = 1_000;

export type Piece = { readonly uid: number; readonly source: Source };
/** null: the message is gone. */
export type Octets = Uint8Array | null;

/** All of these, in their order. For small ones: they are in memory together. */
export async function readSmall(
  { owner, ref }: SelectedMailbox,
  pieces: readonly Piece[],
): Promise<Result<readonly Octets[], ReadFailure>> {
  const read: Octets[] = [];
  let begun: Uint8Array[] = [];
  let have = 0;
  while (read.length < pieces.length) {
    const { source } = pieces[read.length]!;
    if (source.length === 0) {
      read.push(new Uint8Array(0));
      continue;
    }
    const wanted = wantedFrom(pieces, read.length, have);
    const answer = await owner.read('octets', { ref, wanted });
    if (!answer.ok) return answer;
    for (const [at, octets] of answer.value.entries()) {
      if (octets === null) {
        read.push(null);
        [begun, have] = [[], 0];
        continue;
      }
      begun.push(octets.chunk);
      have += octets.chunk.length;
      if (have < pieces[read.length]!.source.length) {
        if (octets.chunk.length === 0) throw new Error(`message ${wanted[at]!.uid}: shorter than it is said to be`);
        break; // the rest of it, and of the others, is asked for anew
      }
      read.push(begun.length === 1 ? begun[0]! : Buffer.concat(begun));
      [begun, have] = [[], 0];
    }
  }
  return accept(read);
}

/** Pieces of no octets end a request: there is nothing to be asked. */
function wantedFrom(pieces: readonly Piece[], first: number, have: number): OctetsWanted[] {
  const wanted: OctetsWanted[] = [];
  for (let at = first; at < pieces.length && wanted.length < MOST_WANTED; at++) {
    const { uid, source } = pieces[at]!;
    if (source.length === 0) break;
    const skipped = at === first ? have : 0;
    wanted.push({ uid, offset: source.offset + skipped, most: source.length - skipped });
  }
  return wanted;
}

/** What a filter leaves of octets in memory. */
export function filtered(octets: Uint8Array, { filter, partial }: WantedContent): Uint8Array {
  if (filter === undefined) return octets;
  const fresh = filter();
  const told = Buffer.concat([fresh.push(octets), fresh.end()]);
  if (partial === undefined) return told;
  return told.subarray(partial.offsetOctets, partial.offsetOctets + partial.lengthOctets);
}

/** Content that is too long to be held. @returns null: the message is gone */
export async function large(
  mailbox: SelectedMailbox,
  uid: number,
  { source, filter, partial }: WantedContent & { readonly source: Source },
): Promise<Result<Streamed | null, ReadFailure>> {
  const begun = await begin(mailbox, uid, source);
  if (!begun.ok) return begun.refusal === 'gone' ? accept(null) : refuse(begun.refusal);
  if (filter === undefined) return accept({ sizeOctets: source.length, octets: begun.value });
  // Only going through it tells how long it is; so it is gone through twice.
  let sizeOctets = 0;
  let withoutNul = true;
  for await (const chunk of passed(begun.value, filter(), partial)) {
    sizeOctets += chunk.length;
    if (withoutNul && chunk.includes(0)) withoutNul = false;
  }
  const again = async function* () {
    const octets = await begin(mailbox, uid, source);
    if (!octets.ok) throw new Error(`message ${uid}: ${octets.refusal} after its size was announced`);
    yield* passed(octets.value, filter(), partial);
  };
  return accept({ sizeOctets, octets: { [Symbol.asyncIterator]: again }, withoutNul });
}

async function begin({ owner, ref }: SelectedMailbox, uid: number, { offset, length }: Source) {
  const found = await owner.octets(ref, uid, { offset, most: length });
  if (!found.ok) return found;
  const { lengthOctets, octets } = found.value;
  if (lengthOctets !== length) throw new Error(`message ${uid}: ${lengthOctets} octets where ${length} should be`);
  return accept(octets);
}

async function* passed(
  octets: AsyncIterable<Uint8Array>,
  filter: Filter,
  partial: Partial = { offsetOctets: 0, lengthOctets: Number.POSITIVE_INFINITY },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  const end = partial.offsetOctets + partial.lengthOctets;
  const cut = (chunk: Uint8Array): Uint8Array => {
    const from = Math.max(0, partial.offsetOctets - at);
    const to = Math.max(from, Math.min(chunk.length, end - at));
    at += chunk.length;
    return chunk.subarray(from, to);
  };
  for await (const chunk of octets) {
    const part = cut(filter.push(chunk));
    if (part.length > 0) yield part;
    if (at >= end) return;
  }
  const rest = cut(filter.end());
  if (rest.length > 0) yield rest;
}
