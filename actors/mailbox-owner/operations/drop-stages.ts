/** drop-stages: bodies that a session put aside and gave up go; what is not there has gone already, so it may be asked again. */
import { accept } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { stages } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, DropStages } from '../operation.ts';

export function dropStages(view: View, { session, stages: names }: DropStages): Decision<Answers['drop-stages']> {
  const held = [...new Set(names)].filter((stage) => stages.get(view, session, stage) !== undefined);
  return { changes: held.map((stage): Change => ({ type: 'StageDropped', session, stage })), answer: accept(null) };
}
