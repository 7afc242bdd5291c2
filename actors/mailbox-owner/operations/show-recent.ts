/** show-recent: what came since the last session that selected the mailbox is recent to this one, and to no other (RFC 3501 §2.3.2). */
import { accept, refuse } from '../../../kernel/result.ts';
import type { View } from '../../../store/key-value.ts';
import type { Decision } from '../decide.ts';
import { mailboxOf } from '../mailboxes.ts';
import type { Answers, ShowRecent } from '../operation.ts';

export function showRecent(
  view: View,
  { ref, upTo: wanted = Number.POSITIVE_INFINITY }: ShowRecent,
): Decision<Answers['show-recent']> {
  const found = mailboxOf(view, ref);
  if (!found) return { changes: [], answer: refuse('no-such-mailbox') };
  const { account, mailbox } = ref;
  const { recentFrom, uidNext } = found.row;
  const upTo = Math.max(recentFrom, Math.min(wanted, uidNext));
  return {
    changes: recentFrom < upTo ? [{ type: 'RecentShown', account, mailbox, from: upTo }] : [],
    answer: accept({ recentFrom, upTo }),
  };
}
