/** Turns: in order, each once a round, and a round that ends in time however many wait. */
import { setImmediate as round } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Turns } from '../../actors/turns.ts';

/** One who wants so many turns, each of which takes so long. */
function takers(names: string, options: { readonly turns: number; readonly ms: number }) {
  let nowMs = 0;
  const taken: string[] = [];
  const turns = new Turns({ monotonic: () => nowMs });
  for (const name of names) {
    let left = options.turns;
    const taker = {
      takeTurn() {
        taken.push(name);
        nowMs += options.ms;
        left -= 1;
        if (left > 0) turns.wait(taker);
      },
    };
    turns.wait(taker);
  }
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { taken: () => taken.splice(0).join(''), turns, pass };
}

test('nobody takes a turn at once, and all in the order in which they began to wait', async () => {
  const { taken } = takers('abc', { turns: 2, ms: 0 });
  assert.is(taken(), '');
  await round();
  assert.is(taken(), 'abc');
  await round();
  assert.is(taken(), 'abc');
  await round();
  assert.is(taken(), '');
});

test('a round ends when its time is over, and the next one goes on where it ended', async () => {
  const { taken } = takers('abcde', { turns: 2, ms: 1 });
  const rounds: string[] = [];
  for (let count = 0; count < 12; count++) {
    await round();
    rounds.push(taken());
  }
  assert.is(rounds.join(''), 'abcdeabcde');
  assert.ok(
    rounds.every((each) => each.length <= 2),
    rounds.join(' '),
  );
});

test('after an arrival a round is shorter, once', async () => {
  const { taken, turns } = takers('abc', { turns: 2, ms: 0.5 });
  turns.arrived();
  await round();
  assert.is(taken(), 'a');
  await round();
  assert.is(taken(), 'bc');
});

test('when the rest of a round takes longer, the turns of the next one may too', async () => {
  const { taken, turns, pass } = takers('abcdefgh', { turns: 1, ms: 1 });
  turns.arrived();
  await round();
  assert.is(taken(), 'a');
  pass(3);
  await round();
  assert.is(taken(), 'bcd');
  await round();
  assert.is(taken(), 'e');
});

test('a turn longer than a round is a round of its own', async () => {
  const { taken } = takers('ab', { turns: 1, ms: 100 });
  await round();
  assert.is(taken(), 'a');
  await round();
  assert.is(taken(), 'b');
});

test.run();
