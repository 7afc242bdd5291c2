/** close: the session ends and removes nothing. Asked again, it has ended already. */
import { accept } from '../../../kernel/result.ts';
import type { View } from '../../../store/key-value.ts';
import { sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Close } from '../operation.ts';
import { ending } from '../session.ts';

export function close(view: View, { session, now }: Close): Decision<Answers['close']> {
  const row = sessions.get(view, session);
  return { changes: row ? ending(view, session, row, now) : [], answer: accept(null) };
}
