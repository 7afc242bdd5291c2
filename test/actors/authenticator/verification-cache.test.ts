/** The cache of right passwords: what it knows, for how long, and that it holds no secret. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createVerificationCache } from '../../../actors/authenticator/verification-cache.ts';
import { manualClock } from '../manual-clock.ts';

const joe = { account: 'id-joe', service: 'POP', revision: 3, secret: 'pencil' };
const make = (maxEntries = 100) => {
  const clock = manualClock();
  return { clock, cache: createVerificationCache({ clock, lifetimeMs: 1000, maxEntries }) };
};

test('knows exactly what it was told: account, service, revision and secret', () => {
  const { cache } = make();
  cache.remember(joe);
  assert.ok(cache.knows(joe));
  for (const other of [
    { account: 'id-ann' },
    { service: 'IMAP' },
    { revision: 4 },
    { revision: 2 },
    { secret: 'Pencil' },
  ]) {
    assert.not.ok(cache.knows({ ...joe, ...other }), JSON.stringify(other));
  }
});

test('no two ways to cut the same letters look alike', () => {
  const { cache } = make();
  cache.remember({ account: 'a', service: 'b","c', revision: 1, secret: 'd' });
  assert.not.ok(cache.knows({ account: 'a","b', service: 'c', revision: 1, secret: 'd' }));
});

test('forgets when its time is up, and counts that from the last time it was told', () => {
  const { cache, clock } = make();
  cache.remember(joe);
  clock.advance(999);
  assert.ok(cache.knows(joe));
  cache.remember(joe);
  clock.advance(999);
  assert.ok(cache.knows(joe));
  clock.advance(1);
  assert.not.ok(cache.knows(joe));
});

test('never holds more than it may: the first goes, and the expired before', () => {
  const { cache, clock } = make(3);
  for (let revision = 1; revision <= 4; revision += 1) cache.remember({ ...joe, revision });
  assert.is(cache.size, 3);
  assert.not.ok(cache.knows({ ...joe, revision: 1 }));
  assert.ok(cache.knows({ ...joe, revision: 4 }));
  clock.advance(1000);
  cache.remember(joe);
  assert.is(cache.size, 1);
});

test.run();
