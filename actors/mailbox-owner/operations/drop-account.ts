/**
 * drop-account: all mail of an account goes, in bounded steps, and its sessions with it. What stays are the numbers that
 * must never be given out again, should an account of that name come back.
 */
import { accept } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { annotations, locks, mailboxes, sessions, subscriptions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { countRights, madeByHand, removal } from '../mailboxes.ts';
import type { Answers, DropAccount } from '../operation.ts';
import { ending } from '../session.ts';

export function dropAccount(view: View, operation: DropAccount): Decision<Answers['drop-account']> {
  const { account, most } = operation;
  if (most === 0 && madeByHand(view, account) > 0) return { changes: [], answer: accept({ more: true, ended: [] }) };
  const { changes, ended } = endings(view, operation);
  let left = most;
  let isFirst = true;
  for (const { key, row: home } of mailboxes.range(view, [account])) {
    const rows = 1 + countRights(view, ...key); // that go with the mailbox: a step that takes nothing else takes these
    if (!isFirst && left < rows) return { changes, answer: accept({ more: true, ended }) };
    const step = removal(view, account, key[1], home, left);
    changes.push(...step.changes);
    if (step.more) return { changes, answer: accept({ more: true, ended }) };
    left = Math.max(0, left - step.removed - rows);
    isFirst = false;
  }
  const names = [...subscriptions.range(view, [account], { limit: left + 1 })].map(({ key }) => key[1]);
  if (most > 0 && names.length > left) {
    for (const name of names.slice(0, left)) changes.push({ type: 'Unsubscribed', account, name });
    return { changes, answer: accept({ more: true, ended }) };
  }
  const annotated = [...annotations.range(view, [account], { limit: 1 })].length > 0;
  if (!isFirst || names.length > 0 || annotated) changes.push({ type: 'AccountDropped', account });
  return { changes, answer: accept({ more: false, ended }) };
}

/** Nobody is to make anything anew for it. The holder of its lock is known here; the others whoever asks has looked up. */
function endings(view: View, { account, sessions: named = [], now }: DropAccount) {
  const holder = locks.get(view, account)?.session;
  const changes: Change[] = [];
  const ended: string[] = [];
  for (const session of new Set(holder === undefined ? named : [holder, ...named])) {
    const row = sessions.get(view, session);
    if (row?.account !== account) continue;
    ended.push(session);
    changes.push(...ending(view, session, row, now));
  }
  return { changes, ended };
}
