/** sort-keys (search-requests.ts): what messages are sorted and threaded by, from the header fields that mime/ found in them. */
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import { type SortKeys, sortKeys } from '../../mime/sort-keys.ts';
import type { Store } from '../../store/store.ts';
import { askerOf, opened } from './access.ts';
import type { Handles } from './handles.ts';
import { ANSWER_OCTETS, MOST_ROWS, rowsOf } from './message-rows.ts';
import { isRanges, isRef, must } from './must.ts';
import { SORT_KEYS, type SortEntry, type SortKeysAnswer, type SortKeysRequest } from './search-requests.ts';
import { type Structures, unpackStructure } from './structures.ts';

export type SortReadParts = {
  readonly store: Store;
  readonly handles: Handles;
  readonly structures: Structures;
  readonly clock: Clock;
};

/** As in message-reads.ts. */
const MOST_RANGES = 10_000;
const SORT_MS = 15;

export function createSortReads({ store, handles, structures, clock }: SortReadParts) {
  return async ({ handle, ref, uids, keys }: SortKeysRequest): Promise<SortKeysAnswer> => {
    must(isRef(ref) && isRanges(uids, MOST_RANGES), 'sort-keys: of which?');
    must(Array.isArray(keys) && keys.every((key) => SORT_KEYS.includes(key)), 'sort-keys: which keys?');
    const asker = askerOf(handles, handle);
    if (!asker) return refuse('unknown-handle');
    const page = store.read((view) => {
      const mailbox = opened(view, asker, ref, 'r');
      return mailbox.ok ? accept(rowsOf(view, ref, uids, MOST_ROWS, keys.length > 0)) : mailbox;
    });
    if (!page.ok) return page;
    const entries: SortEntry[] = [];
    const endMs = clock.monotonic() + SORT_MS;
    let octets = 0;
    for (const { uid, row, structure: kept } of page.value.rows) {
      const isFull = clock.monotonic() >= endMs || octets > ANSWER_OCTETS;
      if (isFull && entries.length > 0) return accept({ entries, more: true });
      const structure = keys.length === 0 ? undefined : (kept ?? (await structures.find(row.blob)));
      if (keys.length > 0 && !structure) continue; // expunged meanwhile
      const values = structure ? chosen(sortKeys(unpackStructure(structure).header), keys) : {};
      entries.push({ uid, arrivalMs: row.internalDate, sizeOctets: row.sizeOctets, keys: values });
      octets += octetsOf(values);
    }
    return accept({ entries, more: page.value.more });
  };
}

/** Those asked for, as far as the message has them: what is undefined does not pass the bus. */
function chosen(all: SortKeys, keys: readonly (keyof SortKeys)[]): Partial<SortKeys> {
  return Object.fromEntries(keys.filter((key) => all[key] !== undefined).map((key) => [key, all[key]]));
}

const octetsOf = (values: object): number =>
  Object.entries(values).reduce((sum, [name, value]) => sum + name.length + 10 + 2 * String(value).length, 40);
