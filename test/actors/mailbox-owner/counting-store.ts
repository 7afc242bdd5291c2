/** A store that counts what each look at it reads, so that tests can tell how long the owner's loop is held up. */
import type { View } from '../../../store/key-value.ts';
import type { Store } from '../../../store/store.ts';

/** @returns `take`: what each look read since the last time, in keys */
export function countingStore(store: Store) {
  const looks: number[] = [];
  return {
    store: { ...store, read: <T>(look: (view: View) => T): T => store.read((view) => look(counted(view))) },
    take: () => looks.splice(0),
  };
  function counted(view: View): View {
    const mine = looks;
    const at = mine.push(0) - 1;
    return {
      get(key) {
        mine[at]! += 1;
        return view.get(key);
      },
      *range(prefix, options) {
        mine[at]! += 1;
        for (const entry of view.range(prefix, options)) {
          mine[at]! += 1;
          yield entry;
        }
      },
    };
  }
}
