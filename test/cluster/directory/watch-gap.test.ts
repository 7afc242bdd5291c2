/** A watch that says it has a gap, against a model of the stream that it reads. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WatchGap } from '../../../cluster/directory/watch-gap.ts';

const test = suite('watch gap');

/** A stream that keeps each key's newest entry, a consumer that tells it, and a leader that is slow to answer. */
function world(after: number) {
  const newest = new Map<number, number>();
  const keys: number[] = [];
  const gap = new WatchGap(after);
  const questions: { readonly told: number; last?: number }[] = [];
  let told = after;
  const mirrored = new Map<number, number>();
  const ask = () => {
    const question = gap.question();
    if (question !== undefined) questions.push({ told: question });
  };
  ask();
  return {
    gap,
    isBehind: () => told < keys.length,
    questions: () => questions.length,
    write(key: number) {
      keys.push(key);
      newest.set(key, keys.length);
    },
    /** The next entry that still stands. */
    tell() {
      for (let sequence = told + 1; sequence <= keys.length; sequence++) {
        const key = keys[sequence - 1]!;
        if (newest.get(key) !== sequence) continue;
        told = sequence;
        mirrored.set(key, sequence);
        gap.tell(sequence);
        return ask();
      }
    },
    /** The question reaches the leader. */
    arrive() {
      const question = questions.find(({ last }) => last === undefined);
      if (question) question.last = keys.length;
    },
    /** Its answer reaches the watch. */
    answer() {
      const at = questions.findIndex(({ last }) => last !== undefined);
      if (at < 0) return;
      const [question] = questions.splice(at, 1);
      gap.answer(question!.told, question!.last!);
      ask();
    },
    /** What was written up to what was told and is neither mirrored nor overwritten by something mirrored. */
    missing: () =>
      keys.slice(after, told).filter((key, at) => (mirrored.get(key) ?? 0) < after + at + 1 && !gap.isOpen()),
  };
}

const STEPS = { write0: 0, write1: 1, write2: 2, write3: 3, tell: -1, arrive: -2, answer: -3 } as const;
const step = fc.constantFrom(...(Object.values(STEPS) as number[]), -1, -1);

test('without a gap nothing that was written up to what is told is missing', () => {
  let closed = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 200 }), fc.nat(5), (steps, before) => {
      const made = world(0);
      for (let each = 0; each < before; each++) made.write(each % 4);
      for (const each of steps) {
        if (each >= 0) made.write(each);
        else if (each === STEPS.tell) made.tell();
        else if (each === STEPS.arrive) made.arrive();
        else made.answer();
        assert.equal(made.missing(), []);
        if (!made.gap.isOpen()) closed++;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(closed > 1000, 'a gap that never closes shows nothing');
});

test('a hole between a question and its answer keeps the gap open', () => {
  const gap = new WatchGap(0);
  assert.is(gap.question(), 0);
  gap.tell(1);
  gap.tell(5);
  gap.answer(0, 4);
  assert.ok(gap.isOpen());
  assert.is(gap.question(), 5, 'it is asked again');
  gap.answer(5, 6);
  assert.ok(gap.isOpen());
  gap.tell(6);
  assert.not(gap.isOpen());
});

test('a gap closes while writes never pause, by one question', () => {
  const made = world(0);
  for (let each = 0; each < 10; each++) made.write(each);
  let asked = 0;
  for (let round = 0; made.gap.isOpen(); round++) {
    assert.ok(round < 100, 'it does not close');
    made.write(100 + round); // one is written for each that is told: the leader's last is never the one told last
    if (made.isBehind()) made.tell();
    if (made.isBehind()) made.tell();
    if (round % 7 === 3) made.arrive();
    if (round % 7 === 6) {
      asked += made.questions();
      made.answer();
    }
  }
  assert.is(asked, 1);
});

test('the holes of a long past are asked about twice, not each', () => {
  const gap = new WatchGap(0);
  let questions = 0;
  const ask = () => {
    const told = gap.question();
    if (told === undefined) return;
    questions++;
    gap.answer(told, Math.max(1000, told));
  };
  ask();
  for (let sequence = 2; sequence <= 1000; sequence += 2) {
    gap.tell(sequence);
    ask();
  }
  assert.not(gap.isOpen());
  assert.ok(questions <= 3, `${questions} questions`);
});

test.run();
