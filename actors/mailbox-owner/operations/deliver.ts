/**
 * deliver: one body into the INBOXes of its recipients. The body is stored once for all of them, and not at all when the
 * mailHost has it already; over quota is each recipient's own answer.
 */
import { accept, refuse } from '../../../kernel/result.ts';
import { cut } from '../../../store/blob.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts, blobs, next, stages } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import { inboxOf } from '../inbox.ts';
import type { Answers, Deliver, DeliverContent } from '../operation.ts';
import type { Delivered, DeliverRecipient } from '../requests.ts';
import { numbered } from '../session.ts';

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
  if (content.kind === 'staged') {
    const staged = stages.get(view, session, content.stage);
    if (staged?.body !== content.body || staged.sizeOctets !== content.sizeOctets) {
      return { changes: [], answer: refuse('stage-missing') };
    }
  }
  const { appended, delivered } = append(view, operation);
  const answered: Change = { type: 'SessionAnswered', session, counter, answer: delivered };
  const stored = store(view, session, content, appended.length > 0);
  return { changes: [...stored, ...appended, answered], answer: accept(delivered) };
}

function append(view: View, operation: Deliver): { appended: Change[]; delivered: Delivered } {
  const bodyOctets = sizeOf(operation.content);
  const answers = new Map<string, Delivered[number]>(); // an account named twice gets one copy
  const appended: Change[] = [];
  for (const recipient of operation.recipients) {
    if (answers.has(recipient.account)) continue;
    const one = appendOne(view, recipient, bodyOctets, operation);
    answers.set(recipient.account, one.answer);
    appended.push(...one.changes);
  }
  return { appended, delivered: operation.recipients.map(({ account }) => answers.get(account)!) };
}

function appendOne(
  view: View,
  recipient: DeliverRecipient,
  bodyOctets: number,
  { content, now }: Deliver,
): Decision<Delivered[number]> {
  const { account, trace, internalDate } = recipient;
  const known = accounts.get(view, account);
  if (isOverQuota(recipient, known ?? { octets: 0, messages: 0 }, trace.length + bodyOctets)) {
    return { changes: [], answer: refuse('over-quota') };
  }
  const inbox = inboxOf(view, account, now);
  const uid = inbox.row.uidNext;
  const sequence = (known?.lastSequence ?? 0) + 1;
  const modSeq = inbox.row.modSeq + 1;
  return {
    changes: [
      ...inbox.created,
      {
        type: 'Appended',
        account,
        mailbox: inbox.mailbox,
        uid,
        modSeq,
        sequence,
        internalDate,
        trace,
        sha256: content.sha256,
      },
    ],
    answer: accept({ uid, sequence }),
  };
}

type Usage = { readonly octets: number; readonly messages: number };

/** A quota of 0 is none, as one that is absent. A message that fills it to the octet still fits. */
function isOverQuota({ quotaOctets, quotaMessages }: DeliverRecipient, used: Usage, sizeOctets: number): boolean {
  if (quotaOctets && used.octets + sizeOctets > quotaOctets) return true;
  return Boolean(quotaMessages) && used.messages + 1 > quotaMessages!;
}

const sizeOf = (content: DeliverContent): number =>
  content.kind === 'inline' ? content.bytes.length : content.sizeOctets;

/** The body becomes a blob if somebody keeps it and the mailHost has no copy; a stage is used up either way. */
function store(view: View, session: string, content: DeliverContent, isKept: boolean): Change[] {
  const isNeeded = isKept && !blobs.get(view, content.sha256);
  if (content.kind === 'staged') {
    const { stage, sha256 } = content;
    return [isNeeded ? { type: 'StageKept', session, stage, sha256 } : { type: 'StageDropped', session, stage }];
  }
  if (!isNeeded) return [];
  const body = next.get(view)?.body ?? 1;
  const { sha256, bytes } = content;
  return [{ type: 'BlobStored', sha256, body, sizeOctets: bytes.length, chunks: cut(bytes) }];
}
