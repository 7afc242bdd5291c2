/**
 * The journal of a mailHost whose only copy is here: the store's own transaction. Taps hear each record after it stands,
 * in order: what followers are fed with.
 */
import { accept, refuse } from '../../kernel/result.ts';
import type { JournalRecord } from '../../store/record.ts';
import type { Store } from '../../store/store.ts';
import type { Journal } from './journal.ts';

export type Tap = (record: JournalRecord) => void;

export function localJournal(store: Store, ...taps: readonly Tap[]): Journal {
  return {
    async append(record) {
      const committed = await store.commit(record);
      if (!committed.ok) return refuse(committed.refusal);
      for (const tap of taps) tap(record);
      return accept(null);
    },
  };
}
