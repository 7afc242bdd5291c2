/**
 * A process whose disk ends: puts entries into the directory database named by its argument until one can't be made
 * durable, says why, and tries again when it is told that there is room. Anything unhandled ends it.
 */
import { once } from 'node:events';
import { openEntryStore } from '../../../cluster/directory/entry-store.ts';

const store = openEntryStore(process.argv[2]!);
let revision = 0;
const put = () => store.put([{ key: `account.${++revision}`, revision, sealed: new Uint8Array(20_000) }]);

let failure: Error | undefined;
while (!failure) {
  for (let several = 0; several < 3; several++) put();
  await store.durable().catch((error: Error) => {
    failure = error;
  });
}
put();
const again: Error | undefined = await store.durable().then(
  () => undefined,
  (error) => error,
);
const committed: Error | undefined = await store
  .commit([{ key: 'account.other', revision: 1, sealed: new Uint8Array(2_000_000) }])
  .then(
    () => undefined,
    (error) => error,
  );
const isVisible = store.get(`account.${revision}`)?.revision === revision;
const told = { revision, isVisible, failures: [failure.message, again?.message, committed?.message] };
process.stdout.write(`${JSON.stringify(told)}\n`);
await once(process.stdin, 'data');
await store.durable();
await store.close();
process.stdout.write('durable\n');
process.stdin.destroy();
