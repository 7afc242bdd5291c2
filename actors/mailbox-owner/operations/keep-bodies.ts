/**
 * What becomes of the bodies that an operation brings: each is stored once in the mailHost, and not at all when it is there
 * already or nobody keeps it; a stage is used up either way.
 */
import { cut } from '../../../store/blob.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { blobs, next, stages } from '../../../store/tables.ts';
import type { DeliverContent } from '../operation.ts';

export const sizeOf = (content: DeliverContent): number =>
  content.kind === 'inline' ? content.bytes.length : content.sizeOctets;

/** Is the stage still what it was when its hash was computed? Of what is not staged nothing can be missing. */
export function isThere(view: View, session: string, content: DeliverContent): boolean {
  if (content.kind === 'inline') return true;
  const staged = stages.get(view, session, content.stage);
  return staged?.body === content.body && staged.sizeOctets === content.sizeOctets;
}

/** @returns the changes for one body after another of one operation, which nothing has applied yet */
export function keepBodies(
  view: View,
  session: string,
): (content: DeliverContent, isKept: boolean) => readonly Change[] {
  const stored = new Set<string>();
  let body = next.get(view)?.body ?? 1;
  return (content, isKept) => {
    const { sha256, structure } = content;
    const isNeeded = isKept && !stored.has(sha256) && !blobs.get(view, sha256);
    if (isNeeded) stored.add(sha256);
    const made = structure && { structure };
    if (content.kind === 'staged') {
      const { stage } = content;
      return [
        isNeeded ? { type: 'StageKept', session, stage, sha256, ...made } : { type: 'StageDropped', session, stage },
      ];
    }
    if (!isNeeded) return [];
    const { bytes } = content;
    return [{ type: 'BlobStored', sha256, body: body++, sizeOctets: bytes.length, chunks: cut(bytes), ...made }];
  };
}
