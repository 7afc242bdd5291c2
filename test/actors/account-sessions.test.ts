/** So many sessions of one account and no more, whichever way each of them ends. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccountSessions } from '../../actors/account-sessions.ts';

test('as many as there are places, and one more when one has left; of each account by itself', () => {
  const sessions = new AccountSessions(2);
  assert.equal(
    [sessions.enter('a'), sessions.enter('a'), sessions.enter('a'), sessions.enter('b')],
    [true, true, false, true],
  );
  sessions.leave('a');
  assert.ok(sessions.enter('a'));
  assert.not.ok(sessions.enter('a'));
});

test('0 is no limit, and they are counted all the same', () => {
  const sessions = new AccountSessions(0);
  for (let n = 0; n < 1000; n += 1) assert.ok(sessions.enter('a'));
  assert.is(sessions.of('a'), 1000);
});

test('a leave without an enter is our own mistake', () => {
  assert.throws(() => new AccountSessions(1).leave('a'));
});

test('the count is always that of those who entered and have not left, and nothing is kept of who is gone', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.boolean())),
      (most, steps) => {
        const sessions = new AccountSessions(most);
        const model = new Map([
          ['a', 0],
          ['b', 0],
        ]);
        for (const [account, enters] of steps) {
          const count = model.get(account)!;
          if (enters) {
            assert.is(sessions.enter(account), count < most);
            if (count < most) model.set(account, count + 1);
          } else if (count > 0) {
            sessions.leave(account);
            model.set(account, count - 1);
          }
          assert.is(sessions.of(account), model.get(account));
        }
      },
    ),
  );
});

test.run();
