/** The hash of a staged body: read once for all who ask while it is being read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stageHashing } from '../../../actors/mailbox-owner/staged-hash.ts';
import { memoryStore } from '../../../store/memory-store.ts';
import { seal } from '../../../store/record.ts';
import type { Store } from '../../../store/store.ts';
import { FORMAT_VERSION } from '../../../store/tables.ts';
import { manualClock } from '../manual-clock.ts';
import { sha256 } from './state.ts';

const PARTS = 40;

async function staged() {
  const kept = memoryStore({ storeId: 'm', mailHost: 'h1', formatVersion: FORMAT_VERSION });
  const part = async (index: number) => {
    const bytes = Buffer.from(`part ${index}`);
    const change = { type: 'ChunkStored', session: 'd', stage: 'b', body: 1, index, bytes } as const;
    await kept.commit(seal(kept.applied(), 1, [change]));
  };
  for (let index = 0; index < PARTS; index++) await part(index);
  let reads = 0;
  const store: Store = {
    ...kept,
    read(look) {
      reads++;
      return kept.read(look);
    },
  };
  return { store, part, reads: () => reads };
}
const hashOfParts = (parts: number) =>
  sha256(Buffer.from(Array.from({ length: parts }, (_, index) => `part ${index}`).join('')));

test('a body that is being read is not read again for another who asks', async () => {
  const { store, reads } = await staged();
  const clock = manualClock();
  const hash = stageHashing(store, clock);
  const asked = [hash('d', 'b'), hash('d', 'b'), hash('d', 'b')];
  const answers = await clock.until(Promise.all(asked));
  for (const answer of answers) assert.is(answer?.sha256, hashOfParts(PARTS));
  assert.is(reads(), PARTS + asked.length);
});

test('who asks when the body has grown gets the hash of all of it', async () => {
  const { store, part } = await staged();
  const clock = manualClock();
  const hash = stageHashing(store, clock);
  const before = hash('d', 'b');
  await part(PARTS);
  const after = hash('d', 'b');
  assert.is((await clock.until(before))?.sha256, hashOfParts(PARTS));
  assert.is((await clock.until(after))?.sha256, hashOfParts(PARTS + 1));
  assert.is(await hash('d', 'another'), undefined);
});

test.run();
