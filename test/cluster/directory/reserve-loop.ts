/**
 * A process that may not write a file as large as the reserve of the directory database named by its argument: writes one
 * entry, then, told to go on, another at once, and a third after a minute of its own clock.
 */
import { once } from 'node:events';
import { openEntryStore } from '../../../cluster/directory/entry-store.ts';

let now = 0;
const store = openEntryStore(process.argv[2]!, { monotonic: () => now });
for (const [revision, elapsedMs] of [0, 59_000, 1000].entries()) {
  now += elapsedMs;
  store.put([{ key: 'account.a', revision, sealed: new Uint8Array(100) }]);
  await store.durable();
  process.stdout.write('durable\n');
  await once(process.stdin, 'data');
}
await store.close();
process.stdin.destroy();
