/** The directory's seal over the cluster's key for values (cluster/frames.ts): bound to the entry's own key. */
import { openValue, sealValue } from '../frames.ts';
import type { Seal } from './records.ts';

/** @param valuesKey  `ClusterKeys.values` */
export const sealWith = (valuesKey: Uint8Array): Seal => ({
  seal: (key, plain) => sealValue(valuesKey, key, plain),
  open(key, sealed) {
    const opened = openValue(valuesKey, key, sealed);
    return opened.ok && opened.value instanceof Uint8Array ? opened.value : undefined;
  },
});
