/** The ledger of the games, where a game alone would seldom ask: what may be gone, and what may not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Ledger } from './imap-ledger.ts';

/** 10 was copied to 22, and 22 to 24; the second was heard of first. */
function copied(): Ledger {
  const ledger = new Ledger();
  const floor = ledger.floor();
  ledger.assign(10, undefined, floor);
  ledger.copy(22, 24, floor);
  ledger.copy(10, 22, floor);
  return ledger;
}

test('a copy of a copy may be gone with \\Deleted of the first, in whatever order they were heard of', () => {
  const ledger = copied();
  ledger.endanger([10]);
  ledger.vanish(24);
  ledger.judge(new Set([10, 22]));
});

test('what nobody removed may not be gone', () => {
  const ledger = copied();
  ledger.vanish(24);
  assert.throws(() => ledger.judge(new Set([10, 22])), /UID 24 is told as gone, and nobody removed it/);
});

test.run();
