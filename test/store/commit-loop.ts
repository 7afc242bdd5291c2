/** A process to be killed: commits messages to the store named by its argument and prints each number once it stands. */
import { writeSync } from 'node:fs';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import { seal } from '../../store/record.ts';
import { delivery } from './store-contract.ts';

const opened = await openLmdbStore(process.argv[2]!);
if (!opened.ok) throw new Error(opened.refusal.kind);
for (;;) {
  const number = opened.value.applied().number + 1;
  const body = Buffer.alloc(1_000 + ((number * 7919) % 150_000), `${number} `);
  const committed = await opened.value.commit(seal(opened.value.applied(), 1, delivery(`u${number}`, body, number)));
  if (!committed.ok) throw new Error(committed.refusal);
  writeSync(1, `${number}\n`);
}
