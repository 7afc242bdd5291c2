/** The least interval between two openings of a maildrop: counted at its owner, for the asker's interval, and bounded. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recentOpenings } from '../../../actors/mailbox-owner/recent-openings.ts';
import type * as r from '../../../actors/mailbox-owner/requests.ts';
import { manualClock } from '../manual-clock.ts';
import { must, type World, world } from './world.ts';

const MINUTE = 60_000;
const tooSoon = { ok: false, refusal: 'too-soon' };

const openAfter = (w: World, session: string, leastIntervalMs: number, account: string | null = 'joe') =>
  w.ask<r.OpenAnswer>('open', {
    session,
    front: { me: 'n1', startId: 'a' },
    ticket: w.ticket(session, account),
    purpose: account === null ? 'delivery' : 'maildrop',
    leastIntervalMs,
  } satisfies r.OpenRequest);

const within = (what: string, run: (w: World) => Promise<void>) =>
  test(what, async () => {
    const w = await world();
    try {
      await run(w);
    } finally {
      await w.end();
    }
  });

within(
  'a maildrop is not opened again before its interval is over, and then it is, though its actor slept meanwhile',
  async (w) => {
    const first = must(await openAfter(w, 's1', 5 * MINUTE));
    must(await w.quit(first.handle, 1, first.maildrop!.lock, []));
    assert.equal(await openAfter(w, 's2', 5 * MINUTE), tooSoon);
    must(await openAfter(w, 'ann1', 5 * MINUTE, 'ann'));
    w.clock.advance(5 * MINUTE - 1);
    assert.equal(await openAfter(w, 's3', 5 * MINUTE), tooSoon);
    w.clock.advance(1);
    must(await openAfter(w, 's4', 5 * MINUTE));
  },
);

within('an opening that was refused counts for nothing, and one without an interval is never too soon', async (w) => {
  must(await openAfter(w, 's1', 0));
  assert.equal(await openAfter(w, 's2', MINUTE), { ok: false, refusal: 'in-use' });
  must(await w.close(must(await openAfter(w, 's1', MINUTE)).handle));
  const second = must(await openAfter(w, 's3', MINUTE));
  must(await w.close(second.handle));
  assert.equal(await openAfter(w, 's4', MINUTE), tooSoon);
  must(await openAfter(w, 's5', 0));
});

within('a session that opens again, its answer having been lost, is the same session and not too soon', async (w) => {
  const first = must(await openAfter(w, 's1', MINUTE));
  const again = must(await openAfter(w, 's1', MINUTE));
  assert.is(again.maildrop?.lock, first.maildrop?.lock);
  must(await openAfter(w, 'd1', MINUTE, null));
  must(await openAfter(w, 'd2', MINUTE, null));
});

test('an interval that is no count is a mistake of the asker', async () => {
  const w = await world();
  let thrown: unknown;
  await openAfter(w, 's1', -1).catch((fault) => (thrown = fault));
  assert.ok(thrown);
  await w.end();
});

test('what is no longer recent is forgotten as new ones come', () => {
  const clock = manualClock();
  const openings = recentOpenings(clock);
  for (let account = 0; account < 10_000; account += 1) {
    openings.note(`a${account}`, MINUTE);
    clock.advance(100); // 600 are recent at any time
  }
  assert.ok(openings.size() <= 1_600, `${openings.size()}`);
  assert.ok(openings.isTooSoon('a9999', MINUTE));
  assert.not(openings.isTooSoon('a0', MINUTE));
});

test.run();
