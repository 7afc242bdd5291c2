/**
 * quit: RFC 1939 §6, the UPDATE state. Messages go, the maildrop is unlocked and the session ends, all in one; when the
 * lock was lost meanwhile nothing is removed.
 */
import { accept, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { locks, mailboxes, messagesAmong } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Quit } from '../operation.ts';
import { ending, numbered } from '../session.ts';

type Answer = Answers['quit'];

export function quit(view: View, { session, counter, lock, uids, now }: Quit): Decision<Answer> {
  const request = numbered(view, session, counter);
  if (request.kind === 'answered') return { changes: [], answer: accept(null) };
  if (request.kind === 'stale') return { changes: [], answer: refuse('stale') };
  if (request.kind === 'unknown') return { changes: [], answer: refuse('unknown-handle') };
  const { account, maildrop } = request.row;
  if (account === null || maildrop === null) return { changes: [], answer: refuse('unknown-handle') };
  const held = locks.get(view, account);
  if (held?.session !== session || held.lock !== lock) return { changes: [], answer: refuse('lock-lost') };
  const expunged = expunge(view, account, maildrop.mailbox, shown(uids, maildrop.uidNext));
  const answered: Change = { type: 'SessionAnswered', session, counter, answer: null };
  return { changes: [...expunged, answered, ...ending(view, session, request.row, now)], answer: accept(null) };
}

/** Only what the session was shown; a message that came later was never seen by its client. */
const shown = (uids: readonly number[], uidNext: number): number[] =>
  [...new Set(uids)].filter((uid) => uid < uidNext).sort((a, b) => a - b);

/** What is gone already needs no removing. */
function expunge(view: View, account: string, mailbox: number, uids: readonly number[]): Change[] {
  const there = [...messagesAmong(view, account, mailbox, uids)].map(({ uid }) => uid);
  const row = mailboxes.get(view, account, mailbox);
  if (there.length === 0 || !row) return [];
  return [{ type: 'Expunged', account, mailbox, uids: there, modSeq: row.modSeq + 1 }];
}
