/**
 * POP3 replies into octets: RFC 1939 §3, response codes RFC 2449 §8, challenges RFC 5034 §4. A reply of text is one array; one with a message
 * flows, dot-stuffed as it goes, in writes of some tens of kilobytes whatever the chunks of the message are.
 */
import { toBase64 } from '../sasl/base64.ts';
import type { Encoder } from '../wire/decoder.ts';
import { DotStuffer } from '../wire/dot-stuffing.ts';
import { oneLine } from '../wire/text.ts';
import type { Reply } from './reply.ts';

/** The first line of a reply, with its CRLF (RFC 1939 §3, RFC 2449 §4). */
const MAX_STATUS_OCTETS = 512;
/** Short chunks are gathered up to this much before they are written. */
const WRITE_OCTETS = 64 * 1024;

export const pop3Encoder: Encoder<Reply> = {
  encode(reply) {
    if (reply.ok === null) return Buffer.from(`+ ${toBase64(reply.challenge)}\r\n`); // empty: "+ " alone
    if (!reply.ok) return Buffer.from(statusLine(reply));
    if (reply.body !== undefined && reply.lines !== undefined) throw new TypeError('a reply has lines or a body');
    if (reply.body !== undefined) return message(statusLine(reply), reply.body);
    return Buffer.from(reply.lines === undefined ? statusLine(reply) : statusLine(reply) + multiLine(reply.lines));
  },
};

/** `+OK text`, `-ERR text`, `-ERR [code] text`: upper case (RFC 1939 §3), the code first (RFC 2449 §8). */
function statusLine(reply: Extract<Reply, { ok: boolean }>): string {
  const words = [reply.ok ? '+OK' : '-ERR'];
  if (!reply.ok && reply.code !== undefined) words.push(`[${reply.code}]`);
  if (reply.text !== '') words.push(reply.text);
  return oneLine(words.join(' '), MAX_STATUS_OCTETS - 2) + '\r\n';
}

/** Lines of text, stuffed, with the termination octet on its own line at their end (RFC 1939 §3). */
function multiLine(lines: Iterable<string>): string {
  const out: string[] = [];
  for (const line of lines) {
    const safe = oneLine(line, Number.POSITIVE_INFINITY);
    out.push(safe.startsWith('.') ? '.' + safe : safe);
  }
  out.push('.\r\n');
  return out.join('\r\n');
}

/** A message as a multi-line reply (RFC 1939 §5 RETR, §7 TOP). Throws what `body` throws: it then was not sent whole. */
async function* message(status: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const stuffer = new DotStuffer();
  let gathered: Uint8Array[] = [Buffer.from(status)];
  let octets = gathered[0]!.length;
  for await (const chunk of body) {
    const stuffed = stuffer.stuff(chunk);
    gathered.push(stuffed);
    octets += stuffed.length;
    if (octets < WRITE_OCTETS) continue;
    yield gathered.length === 1 ? stuffed : Buffer.concat(gathered, octets);
    gathered = [];
    octets = 0;
  }
  const end = stuffer.end();
  yield gathered.length === 0 ? end : Buffer.concat([...gathered, end], octets + end.length);
}
