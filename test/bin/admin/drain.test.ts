/** Waiting until nodes are empty: seldom, through one lost answer, and only while they drain. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Gathered } from '../../../admin/ask-nodes.ts';
import { drainNodes } from '../../../bin/admin/drain.ts';
import { complaints } from '../../../bin/admin/report.ts';
import { FakeClock } from '../../cluster/bus/fake-clock.ts';

const of = (state: string, sessions: number): Gathered => ({
  answers: [{ node: 'n1', outcome: { ok: true, value: { state, sessions } } }],
  refused: [],
  silent: [],
});
const silence: Gathered = { answers: [], refused: [], silent: ['n1'] };

/** What the node answers, one after the other; and the verbs that it was asked, each with the time. */
async function drained(answers: readonly Gathered[], waitMs: number) {
  const clock = new FakeClock();
  const start = clock.monotonic();
  const asked: (readonly [string, number])[] = [];
  const way = {
    async ask({ verb }: { readonly verb: string }) {
      asked.push([verb, clock.monotonic() - start]);
      return answers[Math.min(asked.length, answers.length) - 1]!;
    },
  };
  let isOver = false;
  const draining = drainNodes({ way, to: 'n1', timeoutMs: 5000, waitMs, clock }).finally(() => {
    isOver = true;
  });
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isOver) break;
    if (clock.waiting > 0) clock.advance(500);
  }
  const { gathered, sessions } = await draining;
  return { asked, sessions, lines: complaints(gathered) };
}

test('it is looked every two seconds until no session is left', async () => {
  const { asked, sessions, lines } = await drained([of('draining', 2), of('draining', 1), of('draining', 0)], 60_000);
  assert.equal(asked, [
    ['drain', 0],
    ['ping', 2000],
    ['ping', 4000],
  ]);
  assert.equal([sessions, lines], [0, []]);
});

test('without a wait it is not looked at all, and never beyond its end', async () => {
  assert.equal((await drained([of('draining', 2)], 0)).asked, [['drain', 0]]);
  const { asked, sessions } = await drained([of('draining', 2)], 2500);
  assert.equal([asked.map(([, at]) => at), sessions], [[0, 2000, 2500], 2]);
});

test('one answer may be lost, two in a row are told', async () => {
  const { lines, sessions } = await drained(
    [of('draining', 1), silence, of('draining', 1), silence, of('draining', 0)],
    60_000,
  );
  assert.equal([lines, sessions], [[], 0]);
  const gone = await drained([of('draining', 1), silence, silence, of('draining', 0)], 60_000);
  assert.equal(gone.lines, ['n1: did not answer']);
});

test('a node that serves again is not taken for an empty one', async () => {
  const { lines } = await drained([of('draining', 1), of('serving', 0)], 60_000);
  assert.match(String(lines), /^n1: does not drain any more/);
});

test('who can not drain is not waited for', async () => {
  const failed: Gathered = {
    ...silence,
    silent: [],
    answers: [{ node: 'n1', outcome: { ok: false, errors: ['no'] } }],
  };
  const { asked, lines } = await drained([failed], 60_000);
  assert.equal([asked.length, lines], [1, ['n1: no']]);
});

test.run();
