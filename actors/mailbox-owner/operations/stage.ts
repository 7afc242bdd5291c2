/**
 * stage: one more part of a large body is put aside. Idempotent by its index; a part that overtook
 * another is to be sent again. All but the last are CHUNK_OCTETS long, so that what is put aside is already cut as it
 * will be kept.
 */
import { accept, refuse } from '../../../kernel/result.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { accounts, next, type SessionRow, sessions, stages } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Stage } from '../operation.ts';
import { MOST_APPENDED_AT_ONCE } from './limits.ts';

/** Bodies that one session may have put aside; beginning another drops the oldest, which its front gave up. */
export const MAX_STAGES = 4;

/**
 * What a session of an account's own may have put aside, whatever its quota: more than the messages of any one APPEND that a
 * client is known to send.
 */
export const MOST_STAGED_OCTETS = 2 * 1024 ** 3;

const MOST_STAGES = { delivery: MAX_STAGES, mailboxes: MOST_APPENDED_AT_ONCE, maildrop: 0 } as const;

type Answer = Answers['stage'];

export function stage(view: View, operation: Stage): Decision<Answer> {
  const { session, stage: name, index, bytes } = operation;
  const { purpose = 'maildrop' } = sessions.get(view, session) ?? {};
  const most = MOST_STAGES[purpose];
  if (most === 0) return { changes: [], answer: refuse('unknown-handle') };
  const row = stages.get(view, session, name);
  const parts = row?.parts ?? 0;
  if (index < parts) return { changes: [], answer: accept(null) };
  // Before what is on its way is waited for: behind a part that is refused nothing fits either.
  if (isOver(view, purpose, operation)) return { changes: [], answer: refuse('over-quota') };
  if (index > parts) return { changes: [], answer: refuse('unavailable') }; // a part before it is still on its way
  if (row && row.sizeOctets !== parts * CHUNK_OCTETS) throw new RangeError(`part ${index} follows a short one`);
  const body = row ? row.body : (next.get(view)?.body ?? 1);
  const dropped = row ? [] : oldest(view, session, most);
  return {
    changes: [...dropped, { type: 'ChunkStored', session, stage: name, body, index, bytes }],
    answer: accept(null),
  };
}

/** A delivery has few stages, of messages that the mailHost takes; an account's own session has what it can keep. */
function isOver(view: View, purpose: SessionRow['purpose'], { session, bytes, within }: Stage): boolean {
  if (purpose !== 'mailboxes') return false;
  let octets = bytes.length;
  for (const { row } of stages.range(view, [session])) octets += row.sizeOctets;
  if (octets > MOST_STAGED_OCTETS) return true;
  if (!within || within.quotaOctets === 0) return false;
  return (accounts.get(view, within.account)?.octets ?? 0) + octets > within.quotaOctets;
}

/** What must be dropped so that one more stage may begin. Bodies are numbered in the order in which they began. */
function oldest(view: View, session: string, most: number): Change[] {
  const held = [...stages.range(view, [session])].sort((a, b) => b.row.body - a.row.body);
  return held.slice(most - 1).map(({ key }) => ({ type: 'StageDropped', session, stage: key[1] }));
}
