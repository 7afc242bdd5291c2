/**
 * deliver: one body into the mailboxes of its recipients. The body is stored once for all of them, and not at all when the
 * mailHost has it already. Each recipient has an answer of its own; a mailbox named twice gets one copy (requirement T-32).
 */
import { accept, refuse } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { type Inbox, inboxOf } from '../inbox.ts';
import { postable } from '../mailboxes.ts';
import type { Answers, Deliver } from '../operation.ts';
import type { Delivered, DeliverRecipient, Usage } from '../requests.ts';
import { numbered } from '../session.ts';
import { isThere, keepBodies, sizeOf } from './keep-bodies.ts';
import { isOverQuota } from './quota.ts';

type Answer = Answers['deliver'];

export function deliver(view: View, operation: Deliver): Decision<Answer> {
  const { session, counter, content } = operation;
  const request = numbered(view, session, counter);
  // Stored by this same operation, under this same counter.
  if (request.kind === 'answered') return { changes: [], answer: accept(request.answer as Delivered) };
  if (request.kind === 'stale') return { changes: [], answer: refuse('stale') };
  if (request.kind === 'unknown' || request.row.purpose !== 'delivery') {
    return { changes: [], answer: refuse('unknown-handle') };
  }
  if (!isThere(view, session, content)) return { changes: [], answer: refuse('stage-missing') };
  const { appended, delivered } = append(view, operation);
  const answered: Change = { type: 'SessionAnswered', session, counter, answer: delivered };
  const stored = keepBodies(view, session)(content, appended.length > 0);
  return { changes: [...stored, ...appended, answered], answer: accept(delivered) };
}

/** What this delivery has made of an account so far: the view is that from before it. */
type Tally = Usage & { readonly lastSequence: number; readonly answers: ReadonlyMap<number, Delivered[number]> };

function append(view: View, operation: Deliver): { appended: Change[]; delivered: Delivered } {
  const tallies = new Map<string, Tally>();
  const appended: Change[] = [];
  const delivered = operation.recipients.map((recipient): Delivered[number] => {
    const { account } = recipient;
    const home = homeOf(view, recipient, operation.now);
    if (!home) return refuse('no-such-mailbox');
    const tally = tallies.get(account) ?? tallyOf(view, account);
    const before = tally.answers.get(home.mailbox);
    if (before) return before;
    const { changes, answer, ...after } = appendOne(home, tally, recipient, operation);
    tallies.set(account, { ...after, answers: new Map(tally.answers).set(home.mailbox, answer) });
    appended.push(...changes);
    return answer;
  });
  return { appended, delivered };
}

/** The mailbox that mail named, or else INBOX, which always takes it (requirements T-08, T-09). */
function homeOf(view: View, { account, folder, mustExist }: DeliverRecipient, now: number): Inbox | undefined {
  const named = folder === undefined ? undefined : postable(view, account, folder);
  if (named) return { ...named, created: [] };
  return mustExist ? undefined : inboxOf(view, account, now);
}

function tallyOf(view: View, account: string): Tally {
  const { octets, messages, lastSequence } = accounts.get(view, account) ?? { octets: 0, messages: 0, lastSequence: 0 };
  return { octets, messages, lastSequence, answers: new Map() };
}

function appendOne(
  home: Inbox,
  { octets, messages, lastSequence }: Tally,
  recipient: DeliverRecipient,
  { content, now: saveDate }: Deliver,
): Decision<Delivered[number]> & Omit<Tally, 'answers'> {
  const { account, trace, internalDate, sizeLimitOctets, ignoresQuota } = recipient;
  const bodyOctets = sizeOf(content);
  const sizeOctets = trace.length + bodyOctets;
  const used = { octets, messages, lastSequence };
  if (sizeLimitOctets && bodyOctets > sizeLimitOctets) {
    return { ...used, changes: [], answer: refuse('too-large-for-user') }; // requirement T-25
  }
  if (!ignoresQuota && isOverQuota(recipient, used, { octets: sizeOctets, messages: 1 })) {
    return { ...used, changes: [], answer: refuse('over-quota') };
  }
  const { mailbox, row, created } = home;
  const uid = row.uidNext;
  const sequence = lastSequence + 1;
  const modSeq = row.modSeq + 1;
  const { sha256 } = content;
  return {
    octets: octets + sizeOctets,
    messages: messages + 1,
    lastSequence: sequence,
    changes: [
      ...created,
      { type: 'Appended', account, mailbox, uid, modSeq, sequence, internalDate, trace, sha256, saveDate },
    ],
    answer: accept({ uid, sequence }),
  };
}
