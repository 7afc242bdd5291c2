/**
 * A log that remembers, for tests: what was logged can be asserted on, and waited for. It redacts nothing, so that a
 * test sees what a caller handed over.
 */
import type { Fields, Log } from './log.ts';

export type Entry = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** Those of `with` too. */
  readonly fields: Fields;
};

export type MemoryLog = Log & {
  /** Every entry so far, of this log and of all made from it by `with`, oldest first. */
  readonly entries: readonly Entry[];
  /** The first entry that matches, past or to come. */
  until(matches: (entry: Entry) => boolean): Promise<Entry>;
};

export function memoryLog(): MemoryLog {
  const entries: Entry[] = [];
  const waiting = new Set<(entry: Entry) => void>();
  const record = (entry: Entry) => {
    entries.push(entry);
    for (const look of [...waiting]) look(entry);
  };
  const until = (matches: (entry: Entry) => boolean): Promise<Entry> =>
    new Promise((resolve) => {
      const past = entries.find(matches);
      if (past !== undefined) return resolve(past);
      const look = (entry: Entry) => {
        if (!matches(entry)) return;
        waiting.delete(look);
        resolve(entry);
      };
      waiting.add(look);
    });
  return { ...recordingLog(record, {}), entries, until };
}

function recordingLog(record: (entry: Entry) => void, bound: Fields): Log {
  const write = (level: Entry['level']) => (message: string, fields?: Fields) =>
    record({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => recordingLog(record, { ...bound, ...fields }),
  };
}
