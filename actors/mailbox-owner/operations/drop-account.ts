/**
 * drop-account: all mail of an account goes, in bounded steps, and its session with it. What stays are the numbers that
 * must never be given out again, should an account of that name come back.
 */
import { accept } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { locks, mailboxes, sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { countRights, madeByHand, removal } from '../mailboxes.ts';
import type { Answers, DropAccount } from '../operation.ts';
import { ending } from '../session.ts';

export function dropAccount(view: View, { account, most, now }: DropAccount): Decision<Answers['drop-account']> {
  if (most === 0 && madeByHand(view, account) > 0) return { changes: [], answer: accept({ more: true, ended: [] }) };
  const holder = locks.get(view, account)?.session;
  const row = holder === undefined ? undefined : sessions.get(view, holder);
  const changes: Change[] = holder !== undefined && row ? ending(view, holder, row, now) : [];
  const ended = row ? [holder!] : [];
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
  if (!isFirst) changes.push({ type: 'AccountDropped', account });
  return { changes, answer: accept({ more: false, ended }) };
}
