/**
 * Pending writes over a view: what `decide` reads while a batch grows, and what a store writes when it is committed.
 * Dropping the overlay drops the writes.
 */
import { decodeKey, encodeKey, type Key } from './key.ts';
import type { Entry, KeyValue, RangeOptions, View } from './key-value.ts';

/** A write by its encoded key, as latin1 text (whose order is the octets' order); `undefined` removes. */
export type Writes = ReadonlyMap<string, Uint8Array | undefined>;

export type Overlay = KeyValue & { readonly writes: Writes };

export function overlay(base: View): Overlay {
  const writes = new Map<string, Uint8Array | undefined>();
  return {
    writes,
    get(key) {
      const name = nameOf(key);
      return writes.has(name) ? writes.get(name) : base.get(key);
    },
    put: (key, value) => void writes.set(nameOf(key), value),
    remove: (key) => void writes.set(nameOf(key), undefined),
    range: (prefix, options = {}) => merged(base, writes, prefix, options),
  };
}

const nameOf = (key: Key): string => encodeKey(key).toString('latin1');
export const keyOf = (name: string): Buffer => Buffer.from(name, 'latin1');

/** The base's entries and the pending ones in one ascending row; a pending write hides the base's. */
function* merged(base: View, writes: Writes, prefix: Key, { after, limit }: RangeOptions): Iterable<Entry> {
  const start = nameOf(prefix);
  const above = after && nameOf(after);
  const pending: [name: string, value: Uint8Array | undefined][] = [];
  for (const [name, value] of writes) {
    if (name.startsWith(start) && (above === undefined || name > above)) pending.push([name, value]);
  }
  pending.sort(([a], [b]) => (a < b ? -1 : 1));
  let left = limit ?? Number.POSITIVE_INFINITY;
  let next = 0;
  // Hidden entries do not count towards the limit, so the base is asked for as many more as might be hidden.
  const baseLimit = limit === undefined ? {} : { limit: limit + pending.length };
  for (const entry of base.range(prefix, after ? { after, ...baseLimit } : baseLimit)) {
    const name = nameOf(entry.key);
    for (; next < pending.length && pending[next]![0] < name; next++) {
      const [pendingName, value] = pending[next]!;
      if (value && left-- > 0) yield { key: decodeKey(keyOf(pendingName)), value };
    }
    if (left <= 0) return;
    if (writes.has(name)) continue; // comes, or came, from `pending`
    left--;
    yield entry;
  }
  for (; next < pending.length && left > 0; next++) {
    const [pendingName, value] = pending[next]!;
    if (!value) continue;
    left--;
    yield { key: decodeKey(keyOf(pendingName)), value };
  }
}
