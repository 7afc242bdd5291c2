/** Responses encoded, as text of one character each octet: what the tests of IMAP's encoder have in common. */
import * as assert from 'uvu/assert';
import { ImapEncoder } from '../../../protocols/imap/encoder.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { octetsOf, textOf } from '../../properties/cuts.ts';

/** What does not flow. */
export function encoded(response: Response, { utf8 = false } = {}): string {
  const encoder = new ImapEncoder();
  encoder.utf8 = utf8;
  const octets = encoder.encode(response);
  assert.ok(octets instanceof Uint8Array);
  return textOf(octets);
}

export async function writesOf(response: Response, encoder = new ImapEncoder()): Promise<Uint8Array[]> {
  const flow = encoder.encode(response);
  if (flow instanceof Uint8Array) return [flow];
  const writes: Uint8Array[] = [];
  for await (const write of flow) writes.push(write);
  return writes;
}

/** Whether it flows or not. */
export async function sent(response: Response, encoder = new ImapEncoder()): Promise<string> {
  return textOf(Buffer.concat(await writesOf(response, encoder)));
}

export async function* flowing(...chunks: string[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield octetsOf(chunk);
}
