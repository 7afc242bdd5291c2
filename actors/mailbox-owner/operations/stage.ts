/**
 * stage: one more part of a large body is put aside. Idempotent by its index; a part that overtook
 * another is to be sent again. All but the last are CHUNK_OCTETS long, so that what is put aside is already cut as it
 * will be kept.
 */
import { accept, refuse } from '../../../kernel/result.ts';
import { CHUNK_OCTETS } from '../../../store/blob.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { next, sessions, stages } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Stage } from '../operation.ts';

/** Bodies that one session may have put aside; beginning another drops the oldest, which its front gave up. */
export const MAX_STAGES = 4;

type Answer = Answers['stage'];

export function stage(view: View, { session, stage: name, index, bytes }: Stage): Decision<Answer> {
  if (sessions.get(view, session)?.purpose !== 'delivery') return { changes: [], answer: refuse('unknown-handle') };
  const row = stages.get(view, session, name);
  const parts = row?.parts ?? 0;
  if (index < parts) return { changes: [], answer: accept(null) };
  if (index > parts) return { changes: [], answer: refuse('unavailable') }; // a part before it is still on its way
  if (row && row.sizeOctets !== parts * CHUNK_OCTETS) throw new RangeError(`part ${index} follows a short one`);
  const body = row ? row.body : (next.get(view)?.body ?? 1);
  const dropped = row ? [] : oldest(view, session);
  return {
    changes: [...dropped, { type: 'ChunkStored', session, stage: name, body, index, bytes }],
    answer: accept(null),
  };
}

/** What must be dropped so that one more stage may begin. Bodies are numbered in the order in which they began. */
function oldest(view: View, session: string): Change[] {
  const held = [...stages.range(view, [session])].sort((a, b) => b.row.body - a.row.body);
  return held.slice(MAX_STAGES - 1).map(({ key }) => ({ type: 'StageDropped', session, stage: key[1] }));
}
