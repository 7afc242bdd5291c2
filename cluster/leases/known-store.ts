/** Which store is the truth of a mailHost: the directory's word, checked before anyone owns it. */
import type { MailHostRecord } from '../directory/records.ts';

/** Throws unless the directory knows this mailHost by this very store: it is never opened empty. */
export function checkKnown(mailHost: string, known: MailHostRecord | undefined, storeId: string): void {
  if (!known) throw new Error(`mailHost "${mailHost}" is not known to the directory; \`homing init\` enters it`);
  if (known.storeId === storeId) return;
  throw new Error(
    `mailHost "${mailHost}" is known to the directory with store ${known.storeId}, but the store here is ${storeId}: ` +
      'this node refuses to own it',
  );
}
