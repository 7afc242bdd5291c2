/** clear: a mailbox that was deleted, and is without a name since, loses more of its messages, and goes with the last. */
import { accept } from '../../../kernel/result.ts';
import type { View } from '../../../store/key-value.ts';
import { goingMailboxes, mailboxes } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { removal } from '../mailboxes.ts';
import type { Answers, Clear } from '../operation.ts';

export function clear(view: View, { account, mailbox, most }: Clear): Decision<Answers['clear']> {
  const row = mailboxes.get(view, account, mailbox);
  const isGoing = goingMailboxes.get(view, account, mailbox) !== undefined;
  if (!isGoing) return { changes: [], answer: accept({ more: false }) };
  if (!row) return { changes: [{ type: 'MailboxDeleted', account, mailbox }], answer: accept({ more: false }) };
  const { changes, more } = removal(view, account, mailbox, row, most);
  return { changes, answer: accept({ more }) };
}
