/** collect: chunks of bodies that nothing names are removed, a bounded number at a time, oldest first. */
import { accept } from '../../../kernel/result.ts';
import type { BodyCollected } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { garbage } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Collect } from '../operation.ts';

export function collect(view: View, { mostChunks }: Collect): Decision<Answers['collect']> {
  const changes: BodyCollected[] = [];
  let left = mostChunks;
  let more = false;
  for (const { key, row } of garbage.range(view, [], { limit: mostChunks + 1 })) {
    const to = Math.min(row.parts, row.from + left);
    if (to > row.from) changes.push({ type: 'BodyCollected', body: key[0], from: row.from, to });
    left -= to - row.from;
    if (to < row.parts) {
      more = true;
      break;
    }
  }
  return { changes, answer: accept({ more }) };
}
