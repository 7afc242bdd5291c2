/** The replay guard: each message once, also after a restart, whatever became of the file and the clock. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLOCK_SKEW_MS, MAX_LIFETIME_MS } from '../../../cluster/admin/message.ts';
import { openReplayGuard, type ReplayGuard } from '../../../cluster/admin/replay-guard.ts';
import { FakeClock } from '../bus/fake-clock.ts';

const test = suite<{ path: string; directory: string; clock: FakeClock }>('replay guard');
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'homing-guard-'));
  context.path = join(context.directory, 'seen');
  context.clock = new FakeClock();
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const take = async (guard: ReplayGuard, id: string, expiresAtMs: number, operator = 'boss') => {
  const taken = await guard.take(operator, id, expiresAtMs);
  return taken.ok ? 'taken' : taken.refusal;
};

test('a message is taken once, also when it comes twice at the same moment', async ({ path, clock }) => {
  const guard = await openReplayGuard(path, clock);
  const expires = clock.wall() + 30_000;
  assert.equal(await Promise.all([take(guard, 'a', expires), take(guard, 'a', expires)]), ['taken', 'replayed']);
  assert.is(await take(guard, 'a', expires), 'replayed');
  assert.is(await take(guard, 'b', expires), 'taken');
  assert.is(await take(guard, 'a', expires, 'another'), 'taken');
  assert.is(statSync(path).mode & 0o777, 0o600);
  await guard.close();
});

test('it is on the disk before it is taken: a process that ends then has not forgotten it', async ({ path, clock }) => {
  const before = await openReplayGuard(path, clock);
  const expires = clock.wall() + MAX_LIFETIME_MS;
  assert.is(await take(before, 'a', expires), 'taken');
  assert.match(readFileSync(path, 'utf8'), new RegExp(`^${expires} boss a$`, 'm'));
  const after = await openReplayGuard(path, clock); // the first was never closed
  assert.is(await take(after, 'a', expires), 'replayed');
  assert.is(await take(after, 'b', expires), 'taken');
  const last = await openReplayGuard(path, clock);
  assert.is(await take(last, 'b', expires), 'replayed');
  for (const guard of [before, after, last]) await guard.close();
});

test('what has expired is forgotten, and a clock that is put back does not revive it', async ({ path, clock }) => {
  const guard = await openReplayGuard(path, clock);
  const expires = clock.wall() + 1000;
  assert.is(await take(guard, 'a', expires), 'taken');
  clock.advance(1000 + CLOCK_SKEW_MS);
  assert.is(await take(guard, 'b', expires + MAX_LIFETIME_MS), 'taken');
  assert.is(await take(guard, 'a', expires), 'replayed');
  await guard.close();
  const backwards = new FakeClock(clock.wall() - 10_000);
  const again = await openReplayGuard(path, backwards);
  assert.is(await take(again, 'a', expires), 'replayed');
  await again.close();
  await (await openReplayGuard(path, clock)).close(); // forgets it on the disk too
  assert.not.match(readFileSync(path, 'utf8'), / a$/m);
  const once = await openReplayGuard(path, backwards);
  assert.is(await take(once, 'a', expires), 'replayed');
  await once.close();
});

test('the file does not grow for ever', async ({ path, clock }) => {
  const guard = await openReplayGuard(path, clock);
  for (let each = 0; each < 2500; each++) {
    assert.is(await take(guard, `message-${each}`, clock.wall() + 1000), 'taken');
    clock.advance(100);
  }
  assert.ok(readFileSync(path, 'utf8').split('\n').length < 1500);
  await guard.close();
});

test('a line that was cut short was not acted on; one that is damaged may have been any', async ({ path, clock }) => {
  const expires = clock.wall() + 30_000;
  const first = await openReplayGuard(path, clock);
  await take(first, 'a', expires);
  await first.close();
  appendFileSync(path, `${expires} boss cut-sho`);
  const second = await openReplayGuard(path, clock);
  assert.is(await take(second, 'a', expires), 'replayed');
  assert.is(await take(second, 'b', expires), 'taken');
  await second.close();
  for (const damage of [`${readFileSync(path, 'utf8')}\0\0\0\n`, '', 'something else\n']) {
    writeFileSync(path, damage);
    const third = await openReplayGuard(path, clock);
    assert.is(await take(third, 'c', clock.wall() + MAX_LIFETIME_MS), 'replayed', JSON.stringify(damage));
    await third.close();
  }
  clock.advance(MAX_LIFETIME_MS);
  const healed = await openReplayGuard(path, clock);
  assert.is(await take(healed, 'd', clock.wall() + MAX_LIFETIME_MS), 'taken');
  await healed.close();
});

test('a file that can not be written anew is not gone on with: what is taken then is on the disk too', async ({
  path,
  clock,
}) => {
  let fails = (_path: string): boolean => false;
  const failing = (async (of: string, ...others: [string, number]) => {
    if (fails(of)) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    return open(of, ...others);
  }) as typeof open;
  const guard = await openReplayGuard(path, clock, failing);
  for (const which of ['the new file', 'the directory, after the rename']) {
    for (let each = 0; each <= 1001; each++)
      await take(guard, `${which} ${each}`.replace(/[ ,]+/g, '-'), clock.wall() + 1000);
    clock.advance(MAX_LIFETIME_MS);
    const expires = clock.wall() + 30_000;
    fails = (of) => of.endsWith('.new') === (which === 'the new file');
    const name = `${which.slice(0, 6).replace(' ', '-')}`;
    assert.is(await take(guard, `${name}-lost`, expires), 'not-recorded');
    assert.is(await take(guard, `${name}-lost-too`, expires), 'not-recorded');
    fails = () => false;
    assert.is(await take(guard, `${name}-kept`, expires), 'taken');
    const after = await openReplayGuard(path, clock); // as if the process had been killed here
    assert.is(await take(after, `${name}-kept`, expires), 'replayed', which);
    await after.close();
    await guard.take('boss', 'one-more', expires + 1);
  }
  await guard.close();
});

test.run();
