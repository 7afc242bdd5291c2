/**
 * Are two stores of one mailHost equal? Key by key, octet by octet, and in how far they are. What is each store's own
 * (its identity) is left out.
 */

import { encodeKey, type Key } from './key.ts';
import type { Entry } from './key-value.ts';
import type { Store } from './store.ts';

export type Difference =
  | { readonly at: 'applied'; readonly left: string; readonly right: string }
  | { readonly at: 'key'; readonly key: Key; readonly found: 'left only' | 'right only' | 'other value' };

const PAGE = 500;

/**
 * Reads page by page, so that neither store holds a read open for long: nobody may write to either meanwhile.
 * @param most  stops after so many differences
 */
export function differences(left: Store, right: Store, most = 20): Difference[] {
  const found: Difference[] = [];
  const appliedLeft = JSON.stringify(left.applied());
  const appliedRight = JSON.stringify(right.applied());
  if (appliedLeft !== appliedRight) found.push({ at: 'applied', left: appliedLeft, right: appliedRight });
  const lefts = entries(left);
  const rights = entries(right);
  let a = lefts.next();
  let b = rights.next();
  while (found.length < most && !(a.done && b.done)) {
    const order = a.done ? 1 : b.done ? -1 : compareKeys(a.value.key, b.value.key);
    if (order < 0) found.push({ at: 'key', key: (a.value as Entry).key, found: 'left only' });
    else if (order > 0) found.push({ at: 'key', key: (b.value as Entry).key, found: 'right only' });
    else if (Buffer.compare((a.value as Entry).value, (b.value as Entry).value) !== 0) {
      found.push({ at: 'key', key: (a.value as Entry).key, found: 'other value' });
    }
    if (order <= 0) a = lefts.next();
    if (order >= 0) b = rights.next();
  }
  return found;
}

function* entries(store: Store): Generator<Entry, undefined> {
  let after: Key | undefined;
  for (;;) {
    const page: Entry[] = store.read((view) => [...view.range([], { limit: PAGE, ...(after && { after }) })]);
    yield* page;
    if (page.length < PAGE) return undefined;
    after = page.at(-1)!.key;
  }
}

const compareKeys = (a: Key, b: Key): number => Buffer.compare(encodeKey(a), encodeKey(b));
