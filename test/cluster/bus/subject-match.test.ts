/** Subjects with wildcards, as NATS has them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPattern, matches, PatternMap } from '../../../cluster/bus/subject-match.ts';

test('a star stands for one token, a last > for one or more', () => {
  const yes = [
    ['a.b', 'a.b'],
    ['a.*', 'a.b'],
    ['*.b', 'a.b'],
    ['a.>', 'a.b'],
    ['a.>', 'a.b.c.d'],
    ['>', 'a'],
    ['*.*.c', 'a.b.c'],
    ['a.*.>', 'a.b.c'],
  ] as const;
  const no = [
    ['a.b', 'a'],
    ['a', 'a.b'],
    ['a.*', 'a'],
    ['a.*', 'a.b.c'],
    ['a.>', 'a'],
    ['a.*.>', 'a.b'],
    ['a.b', 'a.B'],
    ['a.b*', 'a.bc'],
  ] as const;
  for (const [pattern, subject] of yes) assert.ok(matches(pattern, subject), `${pattern} ${subject}`);
  for (const [pattern, subject] of no) assert.not(matches(pattern, subject), `${pattern} ${subject}`);
});

test('a wildcard is a whole token; > only as the last', () => {
  for (const pattern of ['*', '>', 'a.*', 'a.*.b', 'a.>']) assert.ok(isPattern(pattern), pattern);
  for (const subject of ['a', 'a.b', 'a.b*', 'a*.b', 'a>.b', 'a.=2A']) assert.not(isPattern(subject), subject);
});

test('property: the map finds exactly the patterns that match', () => {
  const token = fc.constantFrom('a', 'b', 'c');
  const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
  const pattern = fc
    .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 3 }), fc.constantFrom('a', '*', '>'))
    .map(([tokens, last]) => [...tokens, last].join('.'));
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), subject, (patterns, name) => {
      const map = new PatternMap<string>();
      for (const each of patterns) map.set(each, each);
      assert.equal(map.matching(name).sort(), patterns.filter((each) => matches(each, name)).sort());
      for (const each of patterns) {
        assert.is(map.get(each), each);
        map.delete(each);
      }
      assert.equal([...map.values(), ...map.matching(name)], []);
    }),
  );
});

test.run();
