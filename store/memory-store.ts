/**
 * A store in memory, for tests and for a simulator that orders all completions: it passes the same contract as LMDB's
 * and keeps nothing.
 */
import { accept } from '../kernel/result.ts';
import { apply } from './apply.ts';
import { afterPrefix, decodeKey, encodeKey, justAfter } from './key.ts';
import type { View } from './key-value.ts';
import { keyOf, overlay, type Writes } from './overlay.ts';
import { type JournalRecord, misfit, NOTHING_APPLIED } from './record.ts';
import { type Identity, type Store, StoreFault } from './store.ts';

/**
 * @param settle  awaited by each commit between its checks and its effect: where a simulator delays it
 */
export function memoryStore(identity: Identity, settle: () => Promise<void> = async () => {}): Store {
  const values = new Map<string, Uint8Array>();
  let names: string[] | undefined; // sorted; made anew when a range needs it after keys came or went
  let applied = NOTHING_APPLIED;
  let state: 'open' | 'closed' = 'open';
  let running: Promise<unknown> = Promise.resolve();

  const sorted = (): string[] => {
    names ??= [...values.keys()].sort();
    return names;
  };
  const view: View = {
    get(key) {
      const value = values.get(encodeKey(key).toString('latin1'));
      return value && Buffer.from(value);
    },
    *range(prefix, { after, limit = Number.POSITIVE_INFINITY } = {}) {
      const below = encodeKey(prefix);
      const start = (after ? justAfter(encodeKey(after)) : below).toString('latin1');
      const end = afterPrefix(below).toString('latin1');
      const row = sorted();
      let left = limit;
      for (let at = lowerBound(row, start); left-- > 0 && at < row.length && row[at]! < end; at++) {
        const name = row[at]!;
        yield { key: decodeKey(keyOf(name)), value: Buffer.from(values.get(name)!) };
      }
    },
  };
  const mustBeOpen = () => {
    if (state === 'closed') throw new StoreFault('closed');
  };
  const write = (writes: Writes) => {
    for (const [name, value] of writes) {
      if (value === undefined) {
        if (values.delete(name)) names = undefined;
      } else {
        if (!values.has(name)) names = undefined;
        values.set(name, Uint8Array.from(value));
      }
    }
  };
  const commit = async (record: JournalRecord) => {
    mustBeOpen();
    const wrong = misfit(applied, record);
    if (wrong) throw new StoreFault(wrong);
    const pending = overlay(view);
    for (const change of record.changes) apply(pending, change);
    await settle();
    write(pending.writes);
    applied = { number: record.number, epoch: record.epoch, hash: record.hash };
    return accept(null);
  };
  return {
    identity,
    applied: () => applied,
    read(look) {
      mustBeOpen();
      return look(view);
    },
    commit(record) {
      const done = running.then(() => commit(record));
      running = done.catch(() => {});
      return done;
    },
    async close() {
      await running;
      state = 'closed';
    },
  };
}

/** The first place in the sorted row whose name is not below `name`. */
function lowerBound(row: readonly string[], name: string): number {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (row[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
