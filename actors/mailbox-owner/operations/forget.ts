/** forget: ended sessions whose tickets have long expired need not be remembered any more. */
import { accept } from '../../../kernel/result.ts';
import type { View } from '../../../store/key-value.ts';
import { endedByTime } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Forget } from '../operation.ts';

export function forget(view: View, { now, most }: Forget): Decision<Answers['forget']> {
  const due: { session: string; until: number }[] = [];
  for (const { key } of endedByTime.range(view, [], { limit: most })) {
    if (key[0] > now) break;
    due.push({ until: key[0], session: key[1] });
  }
  return {
    changes: due.length > 0 ? [{ type: 'EndedSessionsForgotten', sessions: due }] : [],
    answer: accept({ more: due.length === most }),
  };
}
