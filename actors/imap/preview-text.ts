/** The preview of one message, from the beginning of its text: RFC 8970. Reads no more of it than it needs. */
import { Preview } from '../../mime/preview.ts';
import type { Part } from '../../mime/structure.ts';
import type { MessageEntry } from '../mailbox-owner/message-requests.ts';
import { readSmall } from './message-octets.ts';
import type { SelectedMailbox } from './selected-mailbox.ts';

/** Read at once; mostly enough. */
const STEP_OCTETS = 16 * 1024;
/** Of one part: a message that says nothing before has no better preview. */
const MOST_OCTETS = 256 * 1024;

/**
 * @param parts  that it may be made of, best first
 * @param lazy  null rather than look at more than a step (RFC 8970 §3.2)
 * @returns null also when the message can't be read now
 */
export async function previewOf(
  mailbox: SelectedMailbox,
  { uid, traceOctets }: MessageEntry,
  parts: readonly Part[],
  lazy: boolean,
): Promise<string | null> {
  if (lazy && parts.some((part) => part.to - part.body > STEP_OCTETS)) return null;
  for (const part of parts) {
    const preview = new Preview(part);
    const end = Math.min(part.to, part.body + MOST_OCTETS);
    for (let at = part.body; at < end && !preview.done; at += STEP_OCTETS) {
      const source = { offset: at + traceOctets, length: Math.min(STEP_OCTETS, end - at) };
      const read = await readSmall(mailbox, [{ uid, source }]);
      const octets = read.ok ? read.value[0] : null;
      if (octets === null || octets === undefined) return null;
      preview.write(octets);
    }
    const text = preview.end();
    if (text !== '') return text;
  }
  return '';
}
