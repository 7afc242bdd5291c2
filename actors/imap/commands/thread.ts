/** THREAD and UID THREAD: RFC 5256 §3. */
import { type SortKeys, type SortRow, sentMs } from '../../../mime/sort-keys.ts';
import { nestThreads, type ThreadMessage, threadByOrderedSubject } from '../../../mime/thread.ts';
import { threadByReferences } from '../../../mime/thread-references.ts';
import type { CommandOf } from '../../../protocols/imap/command.ts';
import { done, type Handler } from '../outcome.ts';
import * as replies from '../replies.ts';
import { find } from '../searching.ts';
import { selectedBy } from '../selected-mailbox.ts';
import { sortRows } from '../sort-rows.ts';

const ORDERED_SUBJECT: readonly (keyof SortKeys)[] = ['baseSubject', 'sent'];
const REFERENCES: readonly (keyof SortKeys)[] = [
  ...ORDERED_SUBJECT,
  'isReplyOrForward',
  'messageId',
  'references',
  'inReplyTo',
];

export const thread: Handler<CommandOf<'THREAD'>> = async (command, session, signal) => {
  const { uid, algorithm } = command;
  const mailbox = selectedBy(session);
  const found = await find(command, session, mailbox, signal);
  if (!found.ok) return found.refusal;
  const byReferences = algorithm === 'REFERENCES';
  const rows = await sortRows(mailbox, found.value.numbers, byReferences ? REFERENCES : ORDERED_SUBJECT);
  if (!rows.ok) return replies.refusal(rows.refusal);
  const { numbers } = mailbox.view;
  const messages = rows.value.map((row) => messageOf(row, uid ? numbers.uid(row.sequence) : row.sequence));
  const entries = byReferences ? threadByReferences(messages) : threadByOrderedSubject(messages);
  return done('THREAD completed', [...found.value.told, { type: 'THREAD', threads: nestThreads(entries) }]);
};

function messageOf(row: SortRow, id: number): ThreadMessage {
  const { messageId, references, inReplyTo, baseSubject, isReplyOrForward } = row.keys;
  return { id, messageId, references, inReplyTo, baseSubject, isReplyOrForward, dateMs: sentMs(row) };
}
