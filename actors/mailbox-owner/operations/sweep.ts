/** sweep: sessions whose front is gone end, and with them their locks. A front that came back is another front. */
import { accept } from '../../../kernel/result.ts';
import type { Change } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { sessions } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, Sweep } from '../operation.ts';
import { ending } from '../session.ts';

export function sweep(view: View, operation: Sweep): Decision<Answers['sweep']> {
  const ended: string[] = [];
  const changes: Change[] = [];
  for (const { session, front } of operation.sessions) {
    const row = sessions.get(view, session);
    if (!row || row.front.me !== front.me || row.front.startId !== front.startId) continue;
    ended.push(session);
    changes.push(...ending(view, session, row, operation.now));
  }
  return { changes, answer: accept(ended) };
}
