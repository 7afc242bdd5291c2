/**
 * drop-account: all mail of an account goes, in bounded steps, and its session with it. What stays are the numbers that
 * must never be given out again, should an account of that name come back.
 */
import { accept } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { locks, mailboxes, messages, sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, DropAccount } from '../operation.ts';
import { ending } from '../session.ts';

export function dropAccount(view: View, { account, most, now }: DropAccount): Decision<Answers['drop-account']> {
  const holder = locks.get(view, account)?.session;
  const row = holder === undefined ? undefined : sessions.get(view, holder);
  const changes: Change[] = holder !== undefined && row ? ending(view, holder, row, now) : [];
  const ended = row ? [holder!] : [];
  let left = most;
  const homes = [...mailboxes.range(view, [account])];
  for (const { key, row: home } of homes) {
    const page = [...messages.range(view, key, { limit: left + 1 })].map((message) => message.key[2]);
    const uids = page.slice(0, left);
    left -= uids.length;
    if (uids.length > 0) changes.push({ type: 'Expunged', account, mailbox: key[1], uids, modSeq: home.modSeq + 1 });
    if (page.length > uids.length) return { changes, answer: accept({ more: true, ended }) };
  }
  if (homes.length > 0) changes.push({ type: 'AccountDropped', account });
  return { changes, answer: accept({ more: false, ended }) };
}
