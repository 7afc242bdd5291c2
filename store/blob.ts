/**
 * Bodies: how a message's octets are cut, named and read.
 *
 * A body is written once under a number that is never used again, in chunks; a blob is a body named by its SHA-256, of
 * which a store keeps one copy with counted references. What one delivery prepends (the trace) is kept with its message,
 * so that copies of a body stay equal (docs/architecture.md, "Store").
 */
import { createHash } from 'node:crypto';
import type { View } from './key-value.ts';
import { blobs, chunks, type MessageRow } from './tables.ts';

/**
 * The length of every chunk but a body's last. LMDB keeps a value this large in whole 4 KiB pages behind a header of
 * 24 octets: 32 pages to the octet, and less than what one chunk of a bus stream may be.
 */
export const CHUNK_OCTETS = 32 * 4096 - 24;

/** The most that one read gives: what one chunk of a bus stream may be. */
export const MAX_READ_OCTETS = 128 * 1024;

/** The most that a delivery may prepend; it is kept in the message's row, which lists and expunges read whole. */
export const MAX_TRACE_OCTETS = 32 * 1024;

export const chunkCount = (sizeOctets: number): number => Math.ceil(sizeOctets / CHUNK_OCTETS);

/** The body cut where every body is cut; the chunks share its memory. */
export function cut(bytes: Uint8Array): Uint8Array[] {
  const cuts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_OCTETS) cuts.push(bytes.subarray(at, at + CHUNK_OCTETS));
  return cuts;
}

/** SHA-256 in lower-case hex. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * The octets of a message from `offset`: trace, then body. Never crosses the end of a chunk and is never more than
 * MAX_READ_OCTETS, so it is as much as one short look into the store should copy.
 * @returns empty only at or past the end; undefined when a part that should be there is not
 */
export function readMessage(view: View, message: MessageRow, offset: number): Uint8Array | undefined {
  const { trace } = message;
  const fromBody = Math.max(0, offset - trace.length);
  const bodyOctets = message.sizeOctets - trace.length;
  const head = trace.subarray(Math.min(offset, trace.length));
  if (fromBody >= bodyOctets) return head;
  const blob = blobs.get(view, message.blob);
  if (!blob) return undefined;
  const index = Math.floor(fromBody / CHUNK_OCTETS);
  const chunk = chunks.get(view, blob.body, index);
  const start = fromBody - index * CHUNK_OCTETS;
  if (!chunk || chunk.length <= start) return undefined;
  const part = chunk.subarray(start, start + MAX_READ_OCTETS - head.length);
  return head.length === 0 ? part : Buffer.concat([head, part]);
}
